"""A GICv2 guest's CPU interface: the GICV frame in its memory map (spec section 13).

The first page is mapped and answers without an exit. The second, with DIR, is left out of stage 2 since m39:
the access faults, and a device behind it deactivates in memory (m38).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hw.mmio import MmioRegister
from hw.mmio_map import MMIO_BY_NAME
from sim.guest.gicv2_view import CTLR_FIELDS, GICV_DIR, frame_register, sgir
from sim.guest.operation import Operation
from sim.kvm.deactivate import CactiveWrite, vgic_v2_deactivate, vgic_v3_deactivate
from sim.machine.runner import Runner
from sim.port import Access, Outcome

if TYPE_CHECKING:
    from sim.machine.machine import Machine

__all__ = ["dir_faults", "peek", "register_access", "sysreg"]

_CTLR = MMIO_BY_NAME["GICV_CTLR"]
_SPURIOUS, _OTHER_GROUP = 1023, 1022
Finish = Callable[["Machine", Runner, CactiveWrite, Callable[[], object]], Awaitable[None]]
Mmio = Callable[["Machine", Runner, Operation], Awaitable[int]]


async def _access(
    machine: Machine, runner: Runner, register: MmioRegister, write: bool = False, value: int = 0
) -> int:
    response = await machine.port(runner).access(Access(1, register, write, value))
    return response.value if response.outcome is Outcome.OK else 0


async def _ctlr_value(machine: Machine, runner: Runner, short: str, value: int | None) -> int:
    """Read what an ICC register holds of GICV_CTLR, or (``value``) write it there."""
    word = await _access(machine, runner, _CTLR)
    if value is None:
        return sum(_CTLR.field(name).get(word) << bit for name, bit in CTLR_FIELDS[short])
    for name, bit in CTLR_FIELDS[short]:
        word = _CTLR.field(name).put(word, value >> bit & 1)
    await _access(machine, runner, _CTLR, True, word)
    return 0


async def peek(machine: Machine, runner: Runner, short: str) -> int:
    """Return what ICC_<short>_EL1 would read as, without telling anybody."""
    if short in CTLR_FIELDS:
        return await _ctlr_value(machine, runner, short, None)
    register = frame_register(short)
    value = await _access(machine, runner, register) if register is not None else 0
    return _SPURIOUS if value == _OTHER_GROUP else value


async def sysreg(machine: Machine, runner: Runner, operation: Operation, mmio: Mmio, finish: Finish) -> int:
    """Do what a system-register operation means on GICv2 and return the value of a read.

    ``mmio`` handles an access to the distributor, ``finish`` the rest of a deactivation.
    """
    short = operation.register.name.removeprefix("ICC_").removesuffix("_EL1")
    if short in ("SGI0R", "SGI1R", "ASGI1R"):
        return await mmio(machine, runner, sgir(operation))
    if short == "DIR":
        return await register_access(machine, runner, operation, GICV_DIR, finish)
    if not operation.write:
        value = await peek(machine, runner, short)
    elif short in CTLR_FIELDS:
        value = await _ctlr_value(machine, runner, short, operation.value)
    else:
        register = frame_register(short)
        value = 0
        if register is not None:
            await _access(machine, runner, register, True, operation.value)
    machine.note_operation(runner, operation, value)
    return value


def dir_faults(machine: Machine) -> bool:
    """Return whether the guest's second page of GICV is not mapped."""
    return machine.vm.profile.v2_dir_trapped


async def register_access(
    machine: Machine, runner: Runner, operation: Operation, register: MmioRegister, finish: Finish
) -> int:
    """Access a register of the frame as the guest's memory map has it."""
    if register is not GICV_DIR or not dir_faults(machine):
        value = await _access(machine, runner, register, operation.write, operation.value)
        machine.note_operation(runner, operation, value)
        return value
    machine.note_operation(runner, operation, 0)
    await machine.exit(runner, frozenset({"TRAP"}), register.name)
    if operation.write and machine.vm.profile.v2_dir_device:
        deactivate = vgic_v2_deactivate if machine.vm.host.gicv2 else vgic_v3_deactivate
        rest = deactivate(runner.vcpu, operation.value & 0xFFFF_FFFF)
        if rest is not None:
            await finish(
                machine, runner, rest, lambda: deactivate(runner.vcpu, operation.value & 0xFFFF_FFFF)
            )
    await machine.host()
    await machine.enter(runner)
    return 0
