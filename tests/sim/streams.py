"""Hypothesis strategies for streams of accesses that reach the interesting states."""

from __future__ import annotations

from hypothesis import strategies as st

from hw.config import GicConfig
from hw.registers import REGISTERS, Register, Space, lookup
from sim.port import GUEST, Access, PeContext

__all__ = ["accesses", "contexts", "streams"]

_INTIDS = st.sampled_from([3, 32, 33, 34, 1019, 1020, 1023, 1024, 5000, 8192, 8200, 65568])
_GUEST = [r for r in REGISTERS if r.space is Space.ICC and r.virtual]


def contexts() -> st.SearchStrategy[PeContext]:
    """Mostly the ordinary guest's context, sometimes any."""
    return st.one_of(st.just(GUEST), st.just(GUEST), st.builds(PeContext, *[st.booleans()] * 7))


@st.composite
def _lr_value(draw: st.DrawFn) -> int:
    value = draw(st.integers(0, 3)) << 62 | draw(st.integers(0, 3)) << 60
    value |= draw(st.sampled_from([0, 0x78, 0x80, 0x88, 0xF8, 0xFF])) << 48
    return value | draw(st.sampled_from([0, 40, 512, 1023, 1064])) << 32 | draw(_INTIDS)


def _value(register: Register) -> st.SearchStrategy[int]:
    """Operands that make sense for the register, and garbage."""
    anything = st.integers(0, (1 << 64) - 1)
    name = register.name
    if "_LR" in name:
        return st.one_of(_lr_value(), _lr_value(), _lr_value(), anything)
    if name.startswith(("ICC_EOIR", "ICC_DIR")):
        return _INTIDS
    if name == "ICH_HCR_EL2":
        return st.one_of(st.sampled_from([1, 1, 0xFF, 0xF8000005, 0x401, 0x1801, 0x4001]), anything)
    if name == "ICH_VMCR_EL2":
        return st.one_of(st.sampled_from([0xF84C0003, 0xF84C0203, 0xFF540013, 0xF84C0002]), anything)
    if "_AP" in name:
        return st.sampled_from([0, 1 << 16, 1 << 15, 1 << 31, 0x30000])
    return st.one_of(st.integers(0, 7), st.sampled_from([0x80, 0xF8, 0xFF]), anything)


@st.composite
def accesses(draw: st.DrawFn, config: GicConfig) -> Access:
    """One access: a fill, a guest's operation, or anything in the table at any level."""
    kind = draw(st.integers(0, 9))
    if kind <= 2:
        register = lookup(f"ICH_LR{draw(st.integers(0, config.lrs - 1))}_EL2")
        return Access(2, register, True, draw(_lr_value()))
    if kind <= 7:
        register = draw(st.sampled_from(_GUEST))
        write = register.writable and (not register.readable or draw(st.booleans()))
        return Access(1, register, write, draw(_value(register)) if write else 0)
    register = draw(st.sampled_from(REGISTERS))
    write = draw(st.booleans())
    el = draw(st.sampled_from([2, 2, 2, 1, 0]))
    return Access(el, register, write, draw(_value(register)), draw(st.integers(0, 31)), draw(contexts()))


def streams(config: GicConfig, length: int = 40) -> st.SearchStrategy[list[Access]]:
    """Up to ``length`` accesses behind a start that enables both groups."""
    start = [Access(2, lookup("ICH_VMCR_EL2"), True, 0xF84C0003), Access(2, lookup("ICH_HCR_EL2"), True, 1)]
    return st.lists(accesses(config), min_size=10, max_size=length).map(lambda stream: start + stream)
