"""What a proof is, and running it with and without its seeded bugs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from hw.config import GicConfig
from tb.formal.bugs import Bug, seeded
from tb.formal.spec import Spec
from tb.formal.tools import Result, convert, run

__all__ = ["Outcome", "Proof", "prove"]

#: A seeded bug is there for everybody, so one specification is elaborated at a time.
_ELABORATION = threading.Lock()


@dataclass(frozen=True)
class Proof:
    """One proof of the gateware.

    Parameters
    ----------
    name : str
        For the command line.
    statement : str
        What is proven, in a sentence.
    rules : str
        Rules of the specification it shows.
    make : callable
        Makes the specification of a build.
    config : GicConfig
        The build.
    depth : int
        Induction depth at most; with ``bounded``, the cycles from reset.
    uses : tuple of str
        Proofs whose claims it takes for granted.
    bounded : str
        Why it holds for ``depth`` cycles from reset only; empty if it holds for ever.
    fast : bool
        Part of the fast subset.
    bugs : tuple of Bug
        Each must make it fail.
    """

    name: str
    statement: str
    rules: str
    make: Callable[[GicConfig], Spec]
    config: GicConfig
    depth: int
    uses: tuple[str, ...] = ()
    bounded: str = ""
    fast: bool = False
    bugs: tuple[Bug, ...] = field(default=(), repr=False)

    @property
    def mode(self) -> str:
        """Mode of :func:`tb.formal.tools.run`."""
        return "bmc" if self.bounded else "prove"

    @property
    def method(self) -> str:
        """The method in words."""
        return "bounded search from reset" if self.bounded else "k-induction, unbounded"


@dataclass(frozen=True)
class Outcome:
    """What came of a proof, or of one of its seeded bugs."""

    proof: Proof
    bug: Bug | None
    result: Result

    @property
    def good(self) -> bool:
        """Whether a proof holds, or notices the bug."""
        wanted = ("failed", "open") if self.bug else ("proved",)
        return self.result.status in wanted


def prove(proof: Proof, bug: Bug | None = None, solver: str = "bitwuzla", timeout: int = 900) -> Outcome:
    """Run a proof on the gateware, or on the gateware with a bug."""
    with _ELABORATION, seeded(bug):
        text = convert(lambda: proof.make(proof.config))
    return Outcome(proof, bug, run(text, proof.mode, proof.depth, solver, timeout))
