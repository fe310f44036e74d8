"""Faults that no comparison with the ideal GIC shows: they only cost time."""

from __future__ import annotations

from hw.registers import BY_NAME
from sim.explore.world import ExploredWorld
from sim.machine.runner import Place
from sim.refinement.actions import Action

__all__ = ["idle_trap", "sleepless"]

_TDIR = BY_NAME["ICH_HCR_EL2"].field("TDIR")


async def sleepless(world: ExploredWorld, action: Action, same: bool) -> tuple[str, int, str] | None:
    """Return the finding 22.11: WFI returned, nothing is signalled, and it will return for ever."""
    vcpu = action.a % world.setup.vcpus
    if action.kind != "wfi" or not same or world.runners[vcpu].place is not Place.GUEST:
        return None
    if vcpu in await world.signalled() or world.ideal.awake(vcpu):
        return None
    return "22.11", vcpu, "WFI returns at once, again and again, and nothing is signalled"


async def idle_trap(world: ExploredWorld, action: Action, same: bool) -> tuple[str, int, str] | None:
    """Return the finding 22.3: DIR traps though no vCPU has an interrupt anywhere.

    Where the kernel decides by the routes of SPIs (cure ``tdir_by_route``) that is no remnant but meant.
    """
    if action.kind != "exit" or any(one.ap_list or one.overflow_ap_list for one in world.vm.vcpus):
        return None
    vcpu = action.a % world.setup.vcpus
    runner = world.runners[vcpu]
    if vcpu in (world.vm.dist.tdir_vcpus or ()):
        return None
    if runner.place is not Place.GUEST or world.vm.host.trap_options & _TDIR.mask:
        return None
    state = await world.machine.port(runner).state()
    return ("22.3", vcpu, "DIR still traps, with nothing on any list") if _TDIR.get(state.hcr) else None
