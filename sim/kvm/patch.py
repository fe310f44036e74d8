"""One row of the patch tables."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TEST", "Patch"]

#: The parametrised test of all rows.
TEST = "tests/sim/kvm/test_patches.py::test_patch"


@dataclass(frozen=True)
class Patch:
    """One row of the patch tables (spec sections 20.1, 20.2, 20.4).

    A *live* row's test holds for the profile ``base`` and fails with any one of its switches changed. A
    *static* one has no effect at run time and is checked as such. An *open* one waits for a part that this
    build does not have. With an *outside* one nothing of the vgic changes.

    Parameters
    ----------
    name : str
        ``v1-N`` for the 33 patches of the first posting, ``mNN`` for what joined the merged series later
        (NN is its number there), ``vN-...`` for fixes squashed into it, one word for later changes.
    merged : int or None
        Number in the merged series.
    commit : str
        Abbreviated commit, "" if there is none.
    title : str
        Its subject, shortened.
    adds : str
        What it changes.
    part : str
        Whom it concerns: GICv3, GICv2, both, host, nested, guest (test programs).
    switches : tuple of str
        Switches of :class:`sim.kvm.profile.Profile` that carry it, or that a test program exercises.
    scenarios : tuple of str
        Scenario files that show it.
    static : bool
        It has no effect at run time.
    open_reason : str
        Why this build cannot show it; "" if it can.
    outside : str
        Why there is nothing to show.
    base : str
        Profile that has the behaviour, with switches as :func:`sim.kvm.profile.profile_named` reads them.
    """

    name: str
    merged: int | None
    commit: str
    title: str
    adds: str
    part: str = "GICv3"
    switches: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    static: bool = False
    open_reason: str = ""
    outside: str = ""
    base: str = "7.3"

    @property
    def kind(self) -> str:
        """One of live, static, open, outside."""
        if self.open_reason:
            return "open"
        return "outside" if self.outside else "static" if self.static else "live"

    @property
    def test(self) -> str:
        """The test that covers it, "" where there is none."""
        return f"{TEST}[{self.name}]" if self.kind in ("live", "static") else ""
