"""What each switch does: checks that pass with it on and must fail with it off.

A check gets a profile and raises AssertionError, or the model's own alarm, when the behaviour is missing. The
base profile is 7.3 unless the decorator names another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sim.kvm.profile import PROFILES, Profile

__all__ = ["CHECKS", "Check", "shows"]


@dataclass(frozen=True)
class Check:
    """``function(profile)`` shows ``switch`` on top of the profile ``base``."""

    switch: str
    base: str
    function: Callable[[Profile], None]

    def run(self, on: bool) -> None:
        """Run the check with the switch on or off."""
        self.function(PROFILES[self.base].with_(**{self.switch: on}))


#: By switch.
CHECKS: dict[str, list[Check]] = {}


def shows(switch: str, base: str = "7.3") -> Callable[[Callable[[Profile], None]], Callable[[Profile], None]]:
    """Register a check."""

    def register(function: Callable[[Profile], None]) -> Callable[[Profile], None]:
        CHECKS.setdefault(switch, []).append(Check(switch, base, function))
        return function

    return register
