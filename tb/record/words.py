"""A register access in words."""

from __future__ import annotations

from hw.mmio import MmioRegister
from hw.registers import BY_NAME, Access, LRState
from sim.notation import format_lr, misr_names
from sim.port import Outcome
from tb.record.port import Done

__all__ = ["access_text"]

_LR = {field.name: field for field in BY_NAME["ICH_LR0_EL2"].fields}
_FLAGS = ("ICH_HCR_EL2", "ICH_VMCR_EL2")


def _flags(name: str, value: int) -> str:
    """Return the one-bit fields that are set, and the wider ones that are not zero."""
    words = []
    for field in BY_NAME[name].fields:
        part = field.get(value)
        if field.access is Access.RW and part:
            words.append(field.name if field.width == 1 else f"{field.name}={part:#x}")
    return " ".join(words) or "0"


def _value(name: str, value: int) -> str:
    if name.startswith("ICH_LR"):
        if _LR["State"].get(value) == LRState.INVALID:
            return "empty"
        return f"{format_lr(value)} priority {_LR['Priority'].get(value):02x}"
    if name in _FLAGS:
        return _flags(name, value)
    if name == "ICH_MISR_EL2":
        return " ".join(misr_names(value)) or "0"
    if name.startswith(("ICC_IAR", "ICC_HPPIR", "ICC_EOIR", "ICC_DIR")):
        return str(value) if not 1020 <= value < 1024 else f"{value} (none)"
    return f"{value:#x}"


def access_text(done: Done) -> str:
    """Return an access as ``ICH_LR0_EL2 := 36P priority 60``, ``ICC_IAR1_EL1 = 36``, or with its fault."""
    access, response = done.access, done.response
    name = access.register.name
    words = (lambda value: f"{value:#x}") if isinstance(access.register, MmioRegister) else None
    value = access.value if access.write else response.value
    text = words(value) if words else _value(name, value)
    if response.outcome is Outcome.OK:
        return f"{name} {':=' if access.write else '='} {text}"
    return f"{name} {f':= {text} ' if access.write else ''}{response.outcome.name}"
