"""The events of a recorded hypervisor run, one per line, and their decoder.

Every class is one documented kind of line. ``line`` is the line of the file (1 is the meta line), ``cpu`` the
*physical* CPU. Keys a kind does not have are ignored, so that a file may say more than this reader knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hw.errors import InputError
from hw.registers import BY_NAME, Register, lookup
from sim.trace.fields import Fields, describe

__all__ = [
    "DOCUMENTED_EXCEPTIONS",
    "Acknowledge",
    "Entry",
    "Event",
    "ExceptionTaken",
    "Injection",
    "MaintenanceLine",
    "RegisterAccess",
    "Repeat",
    "RunVcpu",
    "TimerLine",
    "VirtualLines",
    "decode_event",
]

#: Exception kinds with a meaning here; a file may hold others (``hvc``, ``wfx``, ``dabt``, ``0x7`` ...).
DOCUMENTED_EXCEPTIONS = ("irq", "mmio", "sysreg", "s2fault", "iabt", "virtual irq", "virtual fiq", "hvc")

MAX_CPU = 1023
_MAX_COUNT = 10_000_000


@dataclass(slots=True)
class Event:
    """What every event has: its place and its physical CPU (-1: none, an injection from outside)."""

    line: int
    cpu: int


@dataclass(slots=True)
class RegisterAccess(Event):
    """An executed register access of the hypervisor (``el`` 2) or the guest (``el`` 1).

    ``value`` was written or read; ``count`` is how many times in a row.
    """

    el: int
    register: Register
    write: bool
    value: int
    count: int = 1


@dataclass(slots=True)
class VirtualLines(Event):
    """``virq``: the virtual interrupt lines are now at these levels."""

    virq: bool
    vfiq: bool


@dataclass(slots=True)
class MaintenanceLine(Event):
    """``maint``: the maintenance interrupt line is now at ``level``."""

    level: bool


@dataclass(slots=True)
class ExceptionTaken(Event):
    """``exc``: an exception from ``from_el`` to ``to_el``.

    Attributes
    ----------
    kind : str
        See :data:`DOCUMENTED_EXCEPTIONS`.
    esr : int or None
        ESR_ELx, absent for interrupts.
    address, size, write, value
        Of an ``mmio`` or ``s2fault``; what the guest wrote or read. None where not recorded.
    register : Register or None
        Of a ``sysreg``; then ``write`` and ``value`` are the access's. None for a register that is not the
        GIC's.
    register_name : str or None
        The name as recorded.
    host : bool
        The host kernel's own, not the guest's.
    log : int or None
        Tag of a result the guest wrote.
    overlap, overlap_act
        How many lines of another CPU's handler fell into this one; both change vgic state.
    """

    from_el: int
    to_el: int
    kind: str
    esr: int | None = None
    address: int | None = None
    size: int | None = None
    write: bool | None = None
    value: int | None = None
    register: Register | None = None
    register_name: str | None = None
    host: bool = False
    log: int | None = None
    overlap: int = 0
    overlap_act: bool = False

    @property
    def decided_by_gic(self) -> bool:
        """Whether this is a trapped access that the CPU interface itself decides to trap (TRP-1..4, TRP-8).

        ICC_SRE_EL1 is not among them: it traps by ICC_SRE_EL2.Enable, which no build implements.
        """
        register = self.register
        return (
            self.kind == "sysreg"
            and register is not None
            and register.name != "ICC_SRE_EL1"
            and self.esr is not None
        )


@dataclass(slots=True)
class Injection(Event):
    """``inject``: KVM_IRQ_LINE(``irq``, ``level``), from the guest's doorbell or from outside.

    The latter is ``asynchronous``: the VMM's thread on CPU ``on`` makes it, and the kernel takes it at most
    ``window`` lines of other CPUs later.
    """

    irq: int
    level: bool
    source: str
    on: int | None = None
    window: int = 0
    overlap: int = 0
    overlap_act: bool = False

    @property
    def asynchronous(self) -> bool:
        """Whether the injection did not come from the guest's own doorbell."""
        return self.source == "async"


@dataclass(slots=True)
class RunVcpu(Event):
    """``run``: the VMM calls KVM_RUN for ``vcpu``."""

    vcpu: int
    overlap: int = 0
    overlap_act: bool = False


@dataclass(slots=True)
class Entry(Event):
    """``entry``: ERET into the guest at ``pc``."""

    pc: int


@dataclass(slots=True)
class Acknowledge(Event):
    """``ack``: the host reads physical ICC_IAR1 and gets ``intid``."""

    intid: int


@dataclass(slots=True)
class TimerLine(Event):
    """``vtimer``: the virtual timer's physical line is now at ``level``."""

    level: bool


@dataclass(slots=True)
class Repeat(Event):
    """``repeat``: the ``of`` lines before this one came ``times`` more times, nothing in between.

    :meth:`sim.trace.Trace.events` expands these unless told not to.
    """

    of: int
    times: int


def _trap_register(fields: Fields) -> tuple[Register | None, str, bool]:
    text = fields.text("tr")
    name, colon, direction = text.partition(":")
    if not colon or direction not in ("rd", "wr"):
        raise fields.fail(f"tr {describe(text)} is not REGISTER:rd or REGISTER:wr")
    if name.startswith(("ICC_", "ICH_", "ICV_")) and name not in BY_NAME:
        raise fields.fail(_unknown(name))
    return BY_NAME.get(name), name, direction == "wr"


def _unknown(name: str) -> str:
    try:
        lookup(name)
    except InputError as error:
        return str(error)
    raise AssertionError(name)


def _exception(fields: Fields, line: int) -> ExceptionTaken:
    kind = fields.text("kind")
    register, name, write = None, None, None
    if kind == "sysreg" and "tr" in fields.data:
        register, name, write = _trap_register(fields)
    elif "wr" in fields.data:
        write = fields.level("wr")
    log = fields.data.get("log")
    if log is not None:
        try:
            log = int(fields.text("log"), 16)
        except ValueError:
            raise fields.fail(f"log {describe(log)} is not a hexadecimal tag") from None
    return ExceptionTaken(
        line,
        fields.integer("cpu", 0, MAX_CPU),
        fields.integer("from", 0, 3),
        fields.integer("to", 0, 3),
        kind,
        esr=fields.maybe_number("esr"),
        address=fields.maybe_number("addr"),
        size=fields.maybe_integer("size", 1, 64),
        write=write,
        value=fields.maybe_number("val"),
        register=register,
        register_name=name,
        host=fields.flag("host"),
        log=log,
        overlap=fields.maybe_integer("overlap", 0, _MAX_COUNT) or 0,
        overlap_act=fields.flag("overlap_act"),
    )


def _injection(fields: Fields, line: int) -> Injection:
    source = fields.choice("src", ("doorbell", "async"))
    return Injection(
        line,
        fields.integer("cpu", -1, MAX_CPU),
        fields.integer("irq", 0, (1 << 24) - 1),
        fields.level("level"),
        source,
        on=fields.integer("on", 0, MAX_CPU) if source == "async" else None,
        window=fields.maybe_integer("window", 0, _MAX_COUNT) or 0,
        overlap=fields.maybe_integer("overlap", 0, _MAX_COUNT) or 0,
        overlap_act=fields.flag("overlap_act"),
    )


def _run(fields: Fields, line: int) -> RunVcpu:
    return RunVcpu(
        line,
        fields.integer("cpu", 0, MAX_CPU),
        fields.integer("vcpu", 0, MAX_CPU),
        overlap=fields.maybe_integer("overlap", 0, _MAX_COUNT) or 0,
        overlap_act=fields.flag("overlap_act"),
    )


#: ``ev`` -> decoder.
_KINDS: dict[str, Callable[[Fields, int], Event]] = {
    "virq": lambda f, n: VirtualLines(n, f.integer("cpu", 0, MAX_CPU), f.level("irq"), f.level("fiq")),
    "maint": lambda f, n: MaintenanceLine(n, f.integer("cpu", 0, MAX_CPU), f.level("level")),
    "exc": _exception,
    "inject": _injection,
    "run": _run,
    "entry": lambda f, n: Entry(n, f.integer("cpu", 0, MAX_CPU), f.number("pc")),
    "ack": lambda f, n: Acknowledge(n, f.integer("cpu", 0, MAX_CPU), f.integer("intid", 0, (1 << 24) - 1)),
    "vtimer": lambda f, n: TimerLine(n, f.integer("cpu", 0, MAX_CPU), f.level("level")),
    "repeat": lambda f, n: Repeat(
        n, f.integer("cpu", 0, MAX_CPU), f.integer("of", 1, _MAX_COUNT), f.integer("n", 1, _MAX_COUNT)
    ),
}


#: (op, register name) of every access that can have been executed.
_ACCESSES: dict[tuple[str, str], tuple[Register, bool]] = {
    (op, register.name): (register, op == "wr")
    for register in BY_NAME.values()
    for op in ("rd", "wr")
    if (register.writable if op == "wr" else register.readable)
}


def _plain_access(data: dict[str, Any], line: int) -> RegisterAccess | None:
    """Decode the ordinary access line, nine of ten, quickly; None sends it through all checks."""
    try:
        register, write = _ACCESSES[data["op"], data["reg"]]
        cpu, el, text = data["cpu"], data["el"], data["val"]
        if not (type(cpu) is int and 0 <= cpu <= MAX_CPU and type(el) is int and 0 <= el <= 3):
            return None
        if text[:2] != "0x" or len(text) > 18 or not text.isalnum() or len(data) != 5:
            return None
        return RegisterAccess(line, cpu, el, register, write, int(text, 16))
    except (KeyError, TypeError, ValueError):
        return None


def decode_event(data: dict[str, Any], path: str, line: int) -> Event:
    """Return the event recorded by the JSON object ``data`` of ``path``, line ``line``.

    Raises
    ------
    InputError
        When a key is missing, a value has the wrong kind or range, or the event or register is unknown.
    """
    access = _plain_access(data, line)
    if access is not None:
        return access
    fields = Fields(data, f"{path}:{line}")
    if "ev" in data:
        kind = fields.text("ev")
        decoder = _KINDS.get(kind)
        if decoder is None:
            raise fields.fail(f"unknown event {describe(kind)}; known are {', '.join(_KINDS)}")
        return decoder(fields, line)
    if "op" not in data:
        raise fields.fail("neither 'op' (a register access) nor 'ev' (an event): not a line of this format")
    write = fields.choice("op", ("rd", "wr")) == "wr"
    name = fields.text("reg")
    register = BY_NAME.get(name)
    if register is None:
        raise fields.fail(_unknown(name))
    if not (register.writable if write else register.readable):
        verb = "written" if write else "read"
        raise fields.fail(f"{name} is {register.access.value} and cannot have been {verb}")
    return RegisterAccess(
        line,
        fields.integer("cpu", 0, MAX_CPU),
        fields.integer("el", 0, 3),
        register,
        write,
        fields.number("val"),
        fields.maybe_integer("n", 1, _MAX_COUNT) or 1,
    )
