"""What came of a scenario: plain data that JSON can carry."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

__all__ = ["FAIL", "KNOWN", "OBSERVED", "OPEN", "PASS", "Problem", "Result"]

#: Every expectation held.
PASS = "pass"
#: Some expectation did not hold, or an invariant broke.
FAIL = "fail"
#: The scenario needs something that this build does not have.
OPEN = "open"
#: Some expectation did not hold, which is a known weakness of the policy that was played.
KNOWN = "known"
#: It ran under conditions its expectations are not written for; nothing was judged but the invariants.
OBSERVED = "observed"


@dataclass
class Problem:
    """An expectation that did not hold: ``place`` is file:line, ``text`` the line, ``found`` what was."""

    place: str
    text: str
    found: str


@dataclass
class Result:
    """One sequence of a scenario under one profile.

    ``log``: the events as lines; ``exits``: number by cause; ``reason``: of an open one, or the known
    weakness; ``marked``: weaknesses that a policy has told of itself; ``verdict``: how the last RUN ended, in
    the words of ``V:``, empty without one.
    """

    name: str
    title: str
    file: str
    profile: str
    status: str
    steps: str = ""
    line: int = 0
    reason: str = ""
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    operations: int = 0
    entries: int = 0
    exits: dict[str, int] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)
    verdict: str = ""

    def as_dict(self) -> dict:
        """Return it as JSON data."""
        return asdict(self)
