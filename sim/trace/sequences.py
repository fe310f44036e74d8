"""Recorded bare-metal operation sequences and their decoder.

Each sequence starts from a reset state: ICH_HCR, LRs and APRs 0, ICH_VMCR written with 0, no physical
interrupt active, HCR_EL2.IMO = FMO = 1. Recordings of a GICv2 have the same form with GICH and GICV
registers, no exception level, and one word of active priorities ``apr``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.mmio import Frame, MmioRegister
from hw.mmio_map import MMIO_BY_NAME, lookup_mmio
from hw.registers import BY_NAME, Register, lookup
from sim.port import Outcome
from sim.trace.fields import Fields, describe

__all__ = ["Operation", "OperationKind", "PeRegister", "Sequence", "decode_sequence"]


class OperationKind(enum.Enum):
    """What an operation of a sequence does."""

    READ = "rd"
    WRITE = "wr"
    #: The physical interrupt ``value`` was made active.
    PHYS_ACTIVE = "phys_active"
    #: The generator had nothing to do; the state is unchanged.
    SKIP = "skip"


class PeRegister(enum.Enum):
    """Registers of the PE, outside the CPU interface, that sequences use."""

    #: Bits 4 (IMO) and 3 (FMO) redirect EL1 accesses (TRP-9).
    HCR_EL2 = "HCR_EL2"
    #: Bits 7 (I) and 6 (F): the pending interrupts as EL1 sees them.
    ISR_EL1 = "ISR_EL1"


_TRAPS = {"EL2": Outcome.TRAP_EL2, "UNDEF_EL1": Outcome.UNDEF, "UNDEF_EL2": Outcome.UNDEF}
_KINDS = {kind.value: kind for kind in OperationKind}


@dataclass(slots=True)
class Operation:
    """One operation, its result, and what changed.

    Attributes
    ----------
    place : str
        ``file:line op N``, for messages.
    el : int
        Exception level, 1 or 2; 0 for a skip. GICH is used at 2 and GICV at 1.
    value : int or None
        Operand or value read; None for a trapped read and a skip.
    outcome : Outcome
        TRAP_EL2 and UNDEF: not executed, syndrome in ``esr``.
    changes : dict
        State after the operation as far as it changed: ``hcr vmcr misr eisr elrsr virq vfiq maint``
        (int), ``lr<n>`` (int), ``ap0 ap1 pact`` (tuples of words), of a GICv2 ``apr`` (int) for the
        first two. Complete on a sequence's first one.
    """

    place: str
    index: int
    kind: OperationKind
    el: int
    register: Register | MmioRegister | PeRegister | None
    value: int | None
    outcome: Outcome
    esr: int
    changes: dict[str, Any]

    @property
    def text(self) -> str:
        """The operation in words: ``EL1 rd ICC_IAR1_EL1``."""
        if self.kind is OperationKind.SKIP:
            return "skip"
        if self.kind is OperationKind.PHYS_ACTIVE:
            return f"physical interrupt {self.value} made active"
        name = self.register.name if self.register is not None else "?"
        operand = f" := {self.value:#x}" if self.kind is OperationKind.WRITE else ""
        return f"EL{self.el} {self.kind.value} {name}{operand}"


@dataclass(slots=True)
class Sequence:
    """A program of operations that starts from reset. ``number`` and ``cls`` are the recorder's."""

    line: int
    number: int
    cls: str
    operations: list[Operation]


_SCALARS = {"hcr": 64, "vmcr": 64, "misr": 32, "eisr": 32, "elrsr": 32, "virq": 1, "vfiq": 1, "maint": 1}


_SCALARS_V2 = _SCALARS | {"hcr": 32, "vmcr": 32, "eisr": 64, "elrsr": 64, "apr": 32}


def _changes(fields: Fields, config: GicConfig | GicV2Config) -> dict[str, Any]:
    v2 = isinstance(config, GicV2Config)
    scalars = _SCALARS_V2 if v2 else _SCALARS
    lengths = {"pact": 3} if v2 else {"ap0": config.apr_words, "ap1": config.apr_words, "pact": 3}
    result: dict[str, Any] = {}
    for key, value in fields.data.items():
        if (bits := scalars.get(key)) is not None:
            result[key] = fields.unsigned(key, value, bits)
        elif (length := lengths.get(key)) is not None:
            if not isinstance(value, list) or len(value) != length:
                raise fields.fail(f"{key} must be a list of {length} words, not {describe(value)}")
            result[key] = tuple(fields.unsigned(key, word, 32) for word in value)
        elif key.startswith("lr") and key[2:].isdecimal() and len(key) <= 4:
            if int(key[2:]) >= config.lrs:
                raise fields.fail(f"{key} does not exist: meta.vtr has {config.lrs} list registers")
            result[key] = fields.unsigned(key, value, 32 if v2 else 64)
        else:
            raise fields.fail(f"unknown state {key!r}")
    return result


def _register(fields: Fields, v2: bool) -> Register | MmioRegister | PeRegister:
    name = fields.text("reg")
    if v2:
        return _mmio_register(fields, name)
    register = BY_NAME.get(name)
    if register is not None:
        return register
    if name in PeRegister.__members__:
        return PeRegister[name]
    try:
        return lookup(name)
    except InputError as error:
        raise fields.fail(str(error)) from None


def _mmio_register(fields: Fields, name: str) -> MmioRegister:
    """Return a register of the frames that a virtual CPU interface has."""
    register = MMIO_BY_NAME.get(name)
    try:
        register = register or lookup_mmio(name)
    except InputError as error:
        raise fields.fail(str(error)) from None
    if register.frame not in (Frame.GICH, Frame.GICV):
        raise fields.fail(f"{name} is not of the virtual CPU interface; GICH and GICV can be replayed")
    return register


def _operation(data: Any, place: str, index: int, config: GicConfig | GicV2Config) -> Operation:
    fields = Fields(data, place)
    if not isinstance(data, dict):
        raise fields.fail(f"an operation must be an object, not {describe(data)}")
    kind = _KINDS[fields.choice("op", _KINDS)]
    changes = _changes(Fields(fields.inner("st"), place), config)
    outcome, esr, value, register, el = Outcome.OK, 0, None, None, 0
    if kind is OperationKind.PHYS_ACTIVE:
        value = fields.number("val", 24)
    elif kind is not OperationKind.SKIP:
        v2 = isinstance(config, GicV2Config)
        register = _register(fields, v2)
        if isinstance(register, MmioRegister):
            el = 2 if register.frame is Frame.GICH else 1
        else:
            el = fields.integer("el", 1, 2)
        if "trap" in data:
            outcome = _TRAPS[fields.choice("trap", _TRAPS)]
            esr = fields.number("esr", 32)
        if kind is OperationKind.WRITE or outcome is Outcome.OK:
            value = fields.number("val", 32 if v2 else 64)
    return Operation(place, index, kind, el, register, value, outcome, esr, changes)


def decode_sequence(data: dict[str, Any], path: str, line: int, config: GicConfig | GicV2Config) -> Sequence:
    """Return the sequence recorded by the JSON object ``data`` of ``path``, line ``line``.

    Raises
    ------
    InputError
        When a key is missing, a value has the wrong kind or range, a register is unknown, or the first
        operation does not tell the whole state.
    """
    fields = Fields(data, f"{path}:{line}")
    number = fields.integer("seq", 0, (1 << 31) - 1)
    cls = fields.text("cls")
    operations = [
        _operation(item, f"{path}:{line} op {index}", index, config)
        for index, item in enumerate(fields.objects("ops"))
    ]
    if operations:
        scalars = _SCALARS_V2 if isinstance(config, GicV2Config) else (*_SCALARS, "ap0", "ap1")
        needed = [*scalars, "pact", *(f"lr{n}" for n in range(config.lrs))]
        absent = [key for key in needed if key not in operations[0].changes]
        if absent:
            raise InputError(f"{operations[0].place}: the first st of a sequence must have {absent[0]!r}")
    return Sequence(line, number, cls, operations)
