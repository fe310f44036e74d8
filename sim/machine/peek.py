"""Looking at a guest's CPU interface as the guest would see it, without the guest noticing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hw.registers import BY_NAME
from sim.hyp_cpuif import vgic_v3_perform_cpuif_access
from sim.machine import gicv
from sim.machine.runner import Runner
from sim.port import Access, Outcome

if TYPE_CHECKING:
    from sim.machine.machine import Machine

__all__ = ["peek"]


async def peek(machine: Machine, runner: Runner, short: str) -> int:
    """Return what a read of ICC_<short>_EL1 would give a loaded vCPU; not for IAR, which acknowledges.

    A trapped register is asked of the emulation; a GICv2 guest's is that of its CPU interface.
    """
    if machine.gicv2_guest:
        return await gicv.peek(machine, runner, short)
    port, name = machine.port(runner), f"ICC_{short}_EL1"
    response = await port.access(Access(1, BY_NAME[name]))
    if response.outcome is Outcome.TRAP_EL2:
        return (await vgic_v3_perform_cpuif_access(port, runner.vcpu, name, False)).value
    return response.value
