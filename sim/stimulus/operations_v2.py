"""One random GICv2 operation of each kind, aimed with what the interface holds at the moment.

Every function returns one :class:`sim.port.Access` or, for the bus, :class:`sim.port.MmioAccess`.
"""

from __future__ import annotations

from collections.abc import Callable

from hw.mmio import Frame, MmioRegister
from hw.mmio_map import lookup_mmio
from hw.registers import LRState
from hw.registers_v2 import REGISTERS_V2
from sim.port import Access, MmioAccess, State
from sim.stimulus.values_v2 import CTLR, LR, ValuesV2, valid

__all__ = ["OPERATIONS", "Operation", "prepare"]

Operation = Callable[[ValuesV2, State], Access | MmioAccess]

_ALL = tuple(r for r in REGISTERS_V2 if r.frame in (Frame.GICH, Frame.GICV))
_HOST_READABLE = tuple(r for r in _ALL if r.frame is Frame.GICH and r.readable)
_GUEST_READABLE = tuple(r for r in _ALL if r.frame is Frame.GICV and r.readable and not r.read_effect)
_LRS = tuple(lookup_mmio(f"GICH_LR{n}") for n in range(64))
_HCR, _VMCR, _APR = (lookup_mmio(f"GICH_{name}") for name in ("HCR", "VMCR", "APR"))
_CTLR, _PMR, _BPR, _ABPR, _DIR, _GUEST_APR = (
    lookup_mmio(f"GICV_{name}") for name in ("CTLR", "PMR", "BPR", "ABPR", "DIR", "APR0")
)
_IAR, _EOIR, _HPPIR = (
    tuple(lookup_mmio(f"GICV_{prefix}{name}") for prefix in ("", "A")) for name in ("IAR", "EOIR", "HPPIR")
)
_VEM = _VMCR.field("VEM")


def prepare(values: ValuesV2, state: State, mood: str) -> list[Access]:
    """Return what puts the interface into a state where things happen, the last access first."""
    return [
        Access(2, _HCR, True, values.hcr()),
        Access(2, _VMCR, True, values.vmcr()),
        # Stuck active priorities would keep everything masked.
        Access(2, _APR, True, 0),
    ]


def _guest_write(values: ValuesV2, register: MmioRegister, value: int, width: int) -> Access:
    return Access(1, register, True, values.dirty(value, width))


def _host_write(register: MmioRegister, value: int) -> Access:
    return Access(2, register, True, value)


# -- the guest --------------------------------------------------------------------------------------------


def acknowledge(values: ValuesV2, state: State) -> Access:
    """Read IAR or AIAR, most often the one that has something (IAR-*, V2-2)."""
    pending = [
        lr for lr in state.lr
        if LR["State"].get(lr) == LRState.PENDING and state.vmcr >> LR["Grp1"].get(lr) & 1
    ]  # fmt: skip
    if values.choices.one_in(6):
        return Access(1, values.choices.among(_IAR))
    if not pending:
        return fill(values, state)
    best = min(pending, key=LR["Priority"].get)
    level = values.running_level(state)
    if level is not None and LR["Priority"].get(best) >= level and not values.choices.one_in(4):
        return _complete(values, state)
    alias = LR["Grp1"].get(best) and (not CTLR["AckCtl"].get(state.vmcr) or values.choices.one_in(2))
    return Access(1, _IAR[bool(alias)])


def end(values: ValuesV2, state: State) -> Access:
    """Write the EOIR that the running interrupt asks for, sometimes the other (EOI-*, V2-5)."""
    if not state.ap0r[0] and not values.choices.one_in(6):
        return fill(values, state)  # nothing to end, the write would do nothing (EOI-8)
    return _complete(values, state)


def _complete(values: ValuesV2, state: State) -> Access:
    n = values.running_lr(state)
    if n is None:
        return end_absent(values, state)
    alias = LR["Grp1"].get(state.lr[n]) ^ values.choices.one_in(12)
    return _guest_write(values, _EOIR[alias], LR["VirtualID"].get(state.lr[n]), 10)


def end_absent(values: ValuesV2, state: State) -> Access:
    """Write an EOIR with some INTID, which may be in no LR (EOI-7)."""
    if not state.ap0r[0] and not values.choices.one_in(4):
        return active_priorities(values, state)
    return _guest_write(values, values.choices.among(_EOIR), values.intid(), 13)


def name_any(values: ValuesV2, state: State) -> Access:
    """Write an EOIR or DIR with the INTID of an LR in whatever state, the empty ones too (EOI-4)."""
    register = values.choices.among((*_EOIR, _DIR))
    return _guest_write(values, register, LR["VirtualID"].get(values.choices.among(state.lr)), 10)


def deactivate(values: ValuesV2, state: State) -> Access:
    """Write DIR with the INTID of some active LR, or with any (DIR-*)."""
    if not _VEM.get(state.vmcr) and not values.choices.one_in(4):
        return end(values, state)  # DIR would do nothing (DIR-1)
    active = [lr for lr in state.lr if valid(lr)]
    if active and not values.choices.one_in(3):
        return _guest_write(values, _DIR, LR["VirtualID"].get(values.choices.among(active)), 10)
    return _guest_write(values, _DIR, values.intid(), 13)


def pending_id(values: ValuesV2, state: State) -> Access:
    """Read HPPIR or AHPPIR (HPP-*, V2-2)."""
    return Access(1, values.choices.among(_HPPIR))


def guest_read(values: ValuesV2, state: State) -> Access:
    """Read any GICV register that reading does not change."""
    return Access(1, values.choices.among(_GUEST_READABLE))


def mask(values: ValuesV2, state: State) -> Access:
    """Write PMR, often with a priority that is in use (SIG-2, REG-4)."""
    value = values.choices.among((0xFF, 0xF8, values.priority()))
    return _guest_write(values, _PMR, value, 8)


def binary_point(values: ValuesV2, state: State) -> Access:
    """Write BPR or ABPR with every value, also those below the minimum (REG-2, REG-6)."""
    return _guest_write(values, values.choices.among((_ABPR, _BPR)), values.choices.below(9), 3)


def control(values: ValuesV2, state: State) -> Access:
    """Write CTLR with one bit changed, or any (V2-2, V2-4)."""
    if values.choices.one_in(3):
        return Access(1, _CTLR, True, values.garbage())
    field = CTLR[values.choices.among(tuple(CTLR))]
    return _guest_write(values, _CTLR, state.vmcr & 0x3FF ^ field.mask, 10)


# -- the hypervisor ---------------------------------------------------------------------------------------


def fill(values: ValuesV2, state: State) -> Access:
    """Put a pending, sometimes an active interrupt into an empty LR, or into any when none is empty."""
    empty_ones = [n for n, lr in enumerate(state.lr) if not LR["State"].get(lr)]
    n = values.choices.among(empty_ones or range(len(state.lr)))
    lr_state = values.choices.among((LRState.PENDING,) * 5 + (LRState.ACTIVE, LRState.PENDING_ACTIVE))
    return _host_write(_LRS[n], values.list_register(lr_state))


def preempt(values: ValuesV2, state: State) -> Access:
    """Put a pending interrupt into an LR that preempts what runs, of any level (SIG-4, IAR-4)."""
    running = values.running_level(state)
    if running == 0:
        return _complete(values, state)  # nothing preempts the most urgent level
    empty_ones = [n for n, lr in enumerate(state.lr) if not LR["State"].get(lr)]
    n = values.choices.among(empty_ones or range(len(state.lr)))
    value = values.list_register(LRState.PENDING)
    return _host_write(_LRS[n], LR["Priority"].put(value, values.preempting_level(running)))


def empty(values: ValuesV2, state: State) -> Access:
    """Write an LR in the invalid state, with or without HW and EOI (MNT-1, MNT-2)."""
    n = values.choices.below(len(state.lr))
    return _host_write(_LRS[n], 0 if values.choices.below(2) else values.list_register(LRState.INVALID))


def change_state(values: ValuesV2, state: State) -> Access:
    """Write back an LR with another state, as when an active interrupt becomes pending again (EOI-6)."""
    n = values.choices.below(len(state.lr))
    lr_state = values.choices.among(
        (LRState.PENDING_ACTIVE, LRState.ACTIVE, LRState.PENDING, LRState.INVALID)
    )
    return _host_write(_LRS[n], LR["State"].put(state.lr[n], lr_state))


def copy(values: ValuesV2, state: State) -> Access:
    """Copy an LR over another: two LRs of one INTID (3.3 C5) and of one priority (SEL-4)."""
    source = values.choices.among(state.lr)
    n = values.choices.below(len(state.lr))
    return _host_write(_LRS[n], LR["State"].put(source, LRState(values.choices.below(4))))


def garbage_lr(values: ValuesV2, state: State) -> Access:
    """Write garbage into an LR (REG-7)."""
    return _host_write(_LRS[values.choices.below(len(state.lr))], values.garbage())


def configure(values: ValuesV2, state: State) -> Access:
    """Write HCR: enabled, with maintenance causes and an EOICount near its ends (EOI-11, MNT-*)."""
    return _host_write(_HCR, values.hcr())


def toggle_hcr(values: ValuesV2, state: State) -> Access:
    """Write HCR back with one bit changed."""
    return _host_write(_HCR, state.hcr ^ 1 << values.choices.below(32))


def machine_control(values: ValuesV2, state: State) -> Access:
    """Write VMCR (REG-2, REG-5)."""
    return _host_write(_VMCR, values.vmcr())


def garbage_control(values: ValuesV2, state: State) -> Access:
    """Write garbage into HCR or VMCR."""
    return _host_write(values.choices.among((_VMCR, _HCR)), values.garbage())


def active_priorities(values: ValuesV2, state: State) -> Access:
    """Write the active priorities: clear, rebuilt from the LRs, one bit more, or garbage (REG-9, V2-1)."""
    kind = values.choices.below(8)
    if kind < 2:
        value = 0
    elif kind < 5:
        value = values.reconstructed(state)
    elif kind < 7:
        value = state.ap0r[0] | 1 << values.choices.below(32)
    else:
        value = values.garbage()
    return Access(1, _GUEST_APR, True, value) if values.choices.one_in(4) else _host_write(_APR, value)


def host_read(values: ValuesV2, state: State) -> Access:
    """Read any GICH register, the missing LRs too (REG-8)."""
    return Access(2, values.choices.among(_HOST_READABLE))


# -- anything ---------------------------------------------------------------------------------------------


def anything(values: ValuesV2, state: State) -> Access:
    """Access any register in any direction: writes of what is read-only, missing LRs (REG-8)."""
    choices = values.choices
    register = choices.among(_ALL)
    return Access(1 + choices.below(2), register, bool(choices.below(2)), values.garbage())


def bus(values: ValuesV2, state: State) -> MmioAccess:
    """Access any offset in any size: holes, bytes, halfwords, doublewords, unaligned words."""
    choices = values.choices
    frame = choices.among((Frame.GICH, Frame.GICV))
    size = choices.among((4, 4, 4, 1, 2, 8))
    kind = choices.below(8)
    if kind < 5:
        offset = choices.among([r for r in _ALL if r.frame is frame]).offset
    else:
        offset = choices.below(0x2000) if kind == 5 else choices.below(0x800) * 4
    if choices.one_in(6):
        offset += choices.below(4)
    write = bool(choices.below(2))
    value = (values.garbage() << 32 | values.garbage()) & (1 << 8 * size) - 1
    return MmioAccess(frame, offset, size, write, value if write else 0)


#: Every kind of operation by name.
OPERATIONS: dict[str, Operation] = {
    function.__name__: function
    for function in (
        acknowledge, end, end_absent, name_any, deactivate, pending_id, guest_read, mask, binary_point,
        control, fill, preempt, empty, change_state, copy, garbage_lr, configure, toggle_hcr, machine_control,
        garbage_control, active_priorities, host_read, anything, bus,
    )
}  # fmt: skip
