"""One random operation of each kind, aimed with what the interface holds at the moment.

Every function returns one :class:`sim.port.Access`. ``state`` is the storage before it.
"""

from __future__ import annotations

from collections.abc import Callable

from hw.registers import BY_ENCODING, LRState, Register, lookup
from sim.encoding import register_at
from sim.port import Access, PeContext, State
from sim.stimulus.values import LR, Values

__all__ = ["OPERATIONS", "Operation"]

Operation = Callable[[Values, State], Access]

_ALL: tuple[Register, ...] = tuple(BY_ENCODING.values())
_ICH_READABLE = tuple(r for r in _ALL if r.name.startswith("ICH_") and r.readable)
_GUEST_READABLE = tuple(r for r in _ALL if r.virtual and r.readable and not r.read_effect)
_SGI = tuple(lookup(name) for name in ("ICC_SGI1R_EL1", "ICC_SGI0R_EL1", "ICC_ASGI1R_EL1"))
_LRS = tuple(lookup(f"ICH_LR{n}_EL2") for n in range(16))
_APR = tuple(tuple(lookup(f"ICH_AP{g}R{n}_EL2") for n in range(4)) for g in (0, 1))
_ICC_APR = tuple(tuple(lookup(f"ICC_AP{g}R{n}_EL1") for n in range(4)) for g in (0, 1))
_IAR, _EOIR, _HPPIR, _BPR, _IGRPEN = (
    tuple(lookup(f"ICC_{name}{group}_EL1") for group in (0, 1))
    for name in ("IAR", "EOIR", "HPPIR", "BPR", "IGRPEN")
)
_HCR, _VMCR = lookup("ICH_HCR_EL2"), lookup("ICH_VMCR_EL2")
_VEOIM = _VMCR.field("VEOIM")
_CONTROLS = tuple(r for r in _GUEST_READABLE if "_AP" not in r.name)
_PMR, _CTLR, _DIR = (lookup(f"ICC_{name}_EL1") for name in ("PMR", "CTLR", "DIR"))


def _guest_read(register: Register) -> Access:
    return Access(1, register)


def _guest_write(values: Values, register: Register, value: int, width: int = 32) -> Access:
    return Access(1, register, True, values.dirty(value, width))


def _host_write(values: Values, register: Register, value: int, width: int = 32) -> Access:
    return Access(2, register, True, values.dirty(value, width) if width < 64 else value)


def _group(values: Values) -> int:
    return 0 if values.choices.one_in(3) else 1


# -- the guest --------------------------------------------------------------------------------------------


def acknowledge(values: Values, state: State) -> Access:
    """Read an IAR, most often the one that has something (IAR-*)."""
    enables = state.vmcr & 3
    pending = [lr for lr in state.lr if lr >> 62 == LRState.PENDING and enables >> LR["Group"].get(lr) & 1]
    often = not values.choices.one_in(6)
    if often and not pending:
        return fill(values, state)
    if often:
        best = min(pending, key=LR["Priority"].get)
        if values.masked(state, best) and not values.choices.one_in(4):
            return _complete(values, state)
        return _guest_read(_IAR[LR["Group"].get(best)])
    return _guest_read(_IAR[_group(values)])


def end(values: Values, state: State) -> Access:
    """Write the EOIR that the running interrupt asks for, sometimes the other group's (EOI-*)."""
    if not (any(state.ap0r) or any(state.ap1r)) and not values.choices.one_in(6):
        return fill(values, state)  # nothing to end, the write would do nothing (EOI-8)
    return _complete(values, state)


def _complete(values: Values, state: State) -> Access:
    n = values.running_lr(state)
    if n is None:
        return end_absent(values, state)
    group = LR["Group"].get(state.lr[n]) ^ values.choices.one_in(16)
    return _guest_write(values, _EOIR[group], LR["vINTID"].get(state.lr[n]), 24)


def end_absent(values: Values, state: State) -> Access:
    """Write an EOIR with some INTID, which may be in no LR or only look like one (EOI-7, EOI-9)."""
    if not (any(state.ap0r) or any(state.ap1r)) and not values.choices.one_in(4):
        return active_priorities(values, state)
    return _guest_write(values, _EOIR[_group(values)], values.intid(), 24)


def name_any(values: Values, state: State) -> Access:
    """Write an EOIR or DIR with the INTID of an LR in whatever state, the empty ones too (EOI-4)."""
    register = values.choices.among((*_EOIR, _DIR))
    return _guest_write(values, register, LR["vINTID"].get(values.choices.among(state.lr)), 24)


def deactivate(values: Values, state: State) -> Access:
    """Write DIR with the INTID of some active LR, or with any (DIR-*)."""
    if not _VEOIM.get(state.vmcr) and not values.choices.one_in(4):
        return end(values, state)  # DIR would do nothing (DIR-1)
    valid = [lr for lr in state.lr if lr >> 63]
    if valid and not values.choices.one_in(3):
        return _guest_write(values, _DIR, LR["vINTID"].get(values.choices.among(valid)), 24)
    return _guest_write(values, _DIR, values.intid(), 24)


def pending_id(values: Values, state: State) -> Access:
    """Read an HPPIR (HPP-*)."""
    return _guest_read(_HPPIR[_group(values)])


def look_any(values: Values, state: State) -> Access:
    """Read any of the IARs and HPPIRs, whether or not it has something."""
    return _guest_read(values.choices.among((*_HPPIR, *_IAR)))


def guest_read(values: Values, state: State) -> Access:
    """Read any ICV register that reading does not change; the controls more than the priority words."""
    return _guest_read(values.choices.among(_CONTROLS if values.choices.below(2) else _GUEST_READABLE))


def mask(values: Values, state: State) -> Access:
    """Write PMR, often with a priority that is in use (SIG-2, REG-4)."""
    value = values.choices.among((0xFF, 0xF8, values.priority()))
    return _guest_write(values, _PMR, value, 8)


def binary_point(values: Values, state: State) -> Access:
    """Write a BPR with every value, also those below the minimum (REG-2, REG-6)."""
    return _guest_write(values, _BPR[_group(values)], values.choices.below(9), 3)


def control(values: Values, state: State) -> Access:
    """Write CTLR: EOImode and CBPR (REG-12)."""
    return _guest_write(values, _CTLR, values.choices.below(4), 2)


def enable(values: Values, state: State) -> Access:
    """Write a group enable (SEL-2, MNT-7)."""
    return _guest_write(values, _IGRPEN[_group(values)], 0 if values.choices.one_in(3) else 1, 1)


def generate_sgi(values: Values, state: State) -> Access:
    """Write an SGI register at EL1 (TRP-4)."""
    return Access(1, values.choices.among(_SGI), True, values.garbage())


# -- the hypervisor ---------------------------------------------------------------------------------------


def fill(values: Values, state: State) -> Access:
    """Put a pending, sometimes an active interrupt into an empty LR, or into any when none is empty."""
    empty = [n for n, lr in enumerate(state.lr) if not lr >> 62]
    n = values.choices.among(empty or range(len(state.lr)))
    lr_state = values.choices.among((LRState.PENDING,) * 5 + (LRState.ACTIVE, LRState.PENDING_ACTIVE))
    return _host_write(values, _LRS[n], values.list_register(lr_state), 64)


def preempt(values: Values, state: State) -> Access:
    """Put a pending interrupt into an LR that preempts what runs, of any level (SIG-4, IAR-4)."""
    running = values.running_level(state)
    if running == 0:
        return _complete(values, state)  # nothing preempts the most urgent level
    empty = [n for n, lr in enumerate(state.lr) if not lr >> 62]
    n = values.choices.among(empty or range(len(state.lr)))
    priority = values.preempting_level(running) << 8 - values.config.pre_bits
    value = LR["Priority"].put(values.list_register(LRState.PENDING), priority)
    return _host_write(values, _LRS[n], value, 64)


def empty(values: Values, state: State) -> Access:
    """Write an LR in the invalid state, with or without HW and EOI (MNT-1, MNT-2)."""
    n = values.choices.below(len(state.lr))
    value = 0 if values.choices.below(2) else values.list_register(LRState.INVALID)
    return _host_write(values, _LRS[n], value, 64)


def change_state(values: Values, state: State) -> Access:
    """Write back an LR with another state, as when an active interrupt becomes pending again (EOI-6)."""
    n = values.choices.below(len(state.lr))
    lr_state = values.choices.among(
        (LRState.PENDING_ACTIVE, LRState.ACTIVE, LRState.PENDING, LRState.INVALID)
    )
    return _host_write(values, _LRS[n], LR["State"].put(state.lr[n], lr_state), 64)


def copy(values: Values, state: State) -> Access:
    """Copy an LR over another: two LRs of one INTID (3.3 C5) and of one priority (SEL-4)."""
    source = values.choices.among(state.lr)
    n = values.choices.below(len(state.lr))
    lr_state = LRState(values.choices.below(4))
    return _host_write(values, _LRS[n], LR["State"].put(source, lr_state), 64)


def garbage_lr(values: Values, state: State) -> Access:
    """Write garbage into an LR (REG-7)."""
    return _host_write(values, _LRS[values.choices.below(len(state.lr))], values.garbage(), 64)


def configure(values: Values, state: State) -> Access:
    """Write HCR: enabled, with maintenance causes and an EOIcount near its ends (EOI-11, MNT-*)."""
    return _host_write(values, _HCR, values.hcr(traps=False))


def trap(values: Values, state: State) -> Access:
    """Write HCR with some traps (TRP-1..3)."""
    return _host_write(values, _HCR, values.hcr(traps=True))


def toggle_hcr(values: Values, state: State) -> Access:
    """Write HCR back with one bit changed."""
    return _host_write(values, _HCR, state.hcr ^ 1 << values.choices.below(32))


def machine_control(values: Values, state: State) -> Access:
    """Write VMCR (REG-2..5)."""
    return _host_write(values, _VMCR, values.vmcr())


def garbage_control(values: Values, state: State) -> Access:
    """Write garbage into HCR or VMCR."""
    return Access(2, values.choices.among((_VMCR, _HCR)), True, values.garbage())


def active_priorities(values: Values, state: State) -> Access:
    """Write an active-priority word: clear, restored, rebuilt from the LRs, one bit, or garbage (REG-9)."""
    group, word = _group(values), values.choices.below(len(state.ap0r))
    kind = values.choices.below(8)
    if kind < 2:
        value = 0
    elif kind < 5:
        value = values.reconstructed(state, group, word)
    elif kind < 7:
        value = (state.ap0r, state.ap1r)[group][word] | 1 << values.choices.below(32)
    else:
        value = values.garbage()
    if values.choices.one_in(4):
        return _guest_write(values, _ICC_APR[group][word], value)
    return _host_write(values, _APR[group][word], value)


def host_read(values: Values, state: State) -> Access:
    """Read any ICH register, the missing ones too (REG-8, REG-9)."""
    return Access(2, values.choices.among(_ICH_READABLE))


# -- anything ---------------------------------------------------------------------------------------------


def anything(values: Values, state: State) -> Access:
    """Access any register at any level in any context: the traps and UNDEFINED cases (TRP-*)."""
    choices = values.choices
    register = choices.among(_ALL)
    if choices.one_in(16):
        # An encoding one bit away from a known one: most of those are nobody's.
        register = register_at(register.encoding ^ 1 << choices.below(16))
    # Most often at most one bit differs from a guest's context: several hide each other.
    bits = choices.among((0, 1 << choices.below(7), 1 << choices.below(7), choices.below(1 << 7)))
    default = PeContext()
    context = PeContext(*(bool(default[n] ^ (bits >> n & 1)) for n in range(7)))
    el = choices.among((1, 1, 1, 1, 2, 2, 0, 3))
    return Access(el, register, bool(choices.below(2)), values.garbage(), choices.below(32), context)


#: Every kind of operation by name.
OPERATIONS: dict[str, Operation] = {
    function.__name__: function
    for function in (
        acknowledge, end, end_absent, name_any, deactivate, pending_id, look_any, guest_read, mask,
        binary_point, control, enable, generate_sgi, fill, preempt, empty, change_state, copy, garbage_lr,
        configure, trap, toggle_hcr, machine_control, garbage_control, active_priorities, host_read, anything,
    )
}  # fmt: skip
