"""Which lines of a scenario count for a hypervisor, and what of them is judged."""

from __future__ import annotations

from collections.abc import Sequence

from sim.kvm.profile import Profile
from sim.scenario.model import MachineSpec, Steps

__all__ = ["judged_of", "nearest"]

#: Kernels whose guests see most nearly what they should, the best first.
_BEST = ("fixed", "7.3", "7.0")


def nearest(profile: Profile, known: Sequence[str]) -> str:
    """Return the one of ``known`` whose lines fit a profile best: itself, its base, or the first.

    A policy without lines of its own is held against the kernel with the fewest faults.
    """
    names = [profile.name, profile.name.split(",")[0], *(_BEST if profile.policy else ())]
    return next((name for name in names if name in known), known[0])


def judged_of(profile: Profile, steps: Steps, spec: MachineSpec | None) -> str:
    """Return what is judged: all where the steps are meant for this; of a policy what its guests see."""
    if spec is not None and spec != steps.machine:
        return "none"
    if profile.name in steps.profiles:
        return "all"
    return "guest" if profile.policy else "none"
