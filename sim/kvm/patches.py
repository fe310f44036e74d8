"""The overflow series patch by patch: what each adds, which switch carries it, how it is shown."""

from __future__ import annotations

from dataclasses import replace

from hw.errors import InputError
from sim.kvm.patch import Patch
from sim.kvm.patch_rows import ROWS
from sim.kvm.profile import Profile, profile_named

__all__ = ["Patch", "patch_named", "patches", "switched"]


def patches() -> tuple[Patch, ...]:
    """Return every row: the first posting, what was added until the merge, what came later."""
    return ROWS


def patch_named(name: str) -> Patch:
    """Return one row.

    Raises
    ------
    InputError
        When there is no such row.
    """
    for patch in ROWS:
        if patch.name == name:
            return patch
    raise InputError(f"no patch {name!r}; `spillway patches` lists them")


def switched(patch: Patch) -> dict[str, Profile]:
    """Return the profile without it for each switch of a row.

    They keep the name of the row's ``base``, so that what a scenario expects of it is expected of them.
    """
    base = profile_named(patch.base)
    return {
        switch: replace(base.with_(**{switch: not getattr(base, switch)}), name=base.name)
        for switch in patch.switches
    }
