"""A campaign: a sample of mutants, every check on each, and a judgement on those that nothing has noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from hw.config import GicConfig
from tb.mutation.checks import CHECKS, Checks
from tb.mutation.design import convert
from tb.mutation.equivalence import Equivalence, judge
from tb.mutation.netlist import Mutant, prepare, sample, selectable
from tb.mutation.port import build
from tb.mutation.record import Record

__all__ = ["CONFIG", "Campaign", "Verdict", "score", "survey"]

#: What is mutated: the build of the directed tests.
CONFIG = GicConfig(lrs=4, id_bits=24)


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: where each check has noticed it, or what it was proven to be."""

    mutant: Mutant
    noticed: dict[str, str]
    equivalence: Equivalence | None = None

    @property
    def survives(self) -> bool:
        """Whether it was neither noticed nor proven to be equivalent."""
        return not self.noticed and not (self.equivalence and self.equivalence.what)


@dataclass(frozen=True)
class Campaign:
    """What to do.

    Parameters
    ----------
    count : int
        Mutants.
    seed : int
        Of the sample and of the stimulus.
    operations, cycles : int
        See :class:`tb.mutation.checks.Checks`.
    jobs : int
        Processes.
    prove : bool
        Judge what no check has noticed.
    config : GicConfig
        The build.
    """

    count: int
    seed: int
    operations: int = 10_000
    cycles: int = 10_000
    jobs: int = 1
    prove: bool = True
    config: GicConfig = CONFIG


_checks: Checks


def _begin(checks: Checks) -> None:
    """Give a process its checks; what they record is recorded once."""
    global _checks
    _checks = checks


def _notice(number: int) -> dict[str, str]:
    return _checks.notice(number)


def survey(
    campaign: Campaign,
    progress: Callable[[str, int, int], None] | None = None,
    record: Path | None = None,
) -> list[Verdict]:
    """Run a campaign; what a ``record`` of it knows is not asked again.

    Raises
    ------
    RuntimeError
        When a tool fails, or a check notices something of the gateware without any mutant.
    InputError
        When there is no C++ compiler.
    """
    tell = progress or (lambda what, done, total: None)
    config = campaign.config
    tell("building", 0, 1)
    netlist = prepare(convert(config))
    mutants = sample(netlist, campaign.count, campaign.seed)
    library = build(config, selectable(netlist, mutants))
    checks = Checks(library, config, campaign.seed, campaign.operations, campaign.cycles)
    known = Record(record, _digest(netlist, mutants, checks))
    left = [mutant.number for mutant in mutants if mutant.number not in known.noticed]
    with ProcessPoolExecutor(campaign.jobs, initializer=_begin, initargs=(checks,)) as pool:
        if healthy := pool.submit(_notice, 0).result():
            raise RuntimeError(f"the gateware itself is noticed: {healthy}")
        for number, noticed in zip(left, pool.map(_notice, left), strict=True):
            known.notice(number, noticed)
            tell("mutants", len(known.noticed), len(mutants))
    if campaign.prove:
        _judge(netlist, mutants, known, tell)
    return [Verdict(m, known.noticed[m.number], known.judged.get(m.number)) for m in mutants]


def _digest(netlist: str, mutants: Sequence[Mutant], checks: Checks) -> str:
    """Return a hash of all that decides what a campaign finds."""
    return sha256(repr((netlist, mutants, checks.stimulus)).encode()).hexdigest()


def _judge(
    netlist: str, mutants: Sequence[Mutant], known: Record, tell: Callable[[str, int, int], None]
) -> None:
    unnoticed = [mutant for mutant in mutants if not known.noticed[mutant.number]]
    left = [mutant for mutant in unnoticed if mutant.number not in known.judged]

    def told(number: int, equivalence: Equivalence) -> None:
        known.judge(number, equivalence)
        tell("proofs", len(known.judged), len(unnoticed))

    judge(netlist, left, told)


def score(verdicts: Iterable[Verdict]) -> tuple[int, int]:
    """Return how many mutants were noticed, of how many that are not equivalent."""
    counts = Counter("noticed" if v.noticed else "survives" if v.survives else "equivalent" for v in verdicts)
    return counts["noticed"], counts["noticed"] + counts["survives"]


def first_check(verdict: Verdict) -> str:
    """Return the first check that notices a mutant; empty if none does."""
    return next((name for name in CHECKS if name in verdict.noticed), "")
