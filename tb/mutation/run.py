"""A campaign: a sample of mutants, every check on each, and a judgement on those that nothing has noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

from hw.config import GicConfig
from tb.mutation.checks import CHECKS, Checks
from tb.mutation.design import convert
from tb.mutation.equivalence import Equivalence, judge
from tb.mutation.netlist import Mutant, prepare, sample, selectable
from tb.mutation.port import build

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


def survey(campaign: Campaign, progress: Callable[[str, int, int], None] | None = None) -> list[Verdict]:
    """Run a campaign.

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
    verdicts = []
    with ProcessPoolExecutor(campaign.jobs, initializer=_begin, initargs=(checks,)) as pool:
        if healthy := pool.submit(_notice, 0).result():
            raise RuntimeError(f"the gateware itself is noticed: {healthy}")
        answers = pool.map(_notice, [mutant.number for mutant in mutants])
        for mutant, noticed in zip(mutants, answers, strict=True):
            verdicts.append(Verdict(mutant, noticed))
            tell("mutants", len(verdicts), len(mutants))
    return _judged(netlist, verdicts, tell) if campaign.prove else verdicts


def _judged(netlist: str, verdicts: list[Verdict], tell: Callable[[str, int, int], None]) -> list[Verdict]:
    left = [verdict.mutant for verdict in verdicts if not verdict.noticed]
    known: dict[int, Equivalence] = {}

    def told(number: int, equivalence: Equivalence) -> None:
        known[number] = equivalence
        tell("proofs", len(known), len(left))

    judge(netlist, left, told)
    return [replace(verdict, equivalence=known.get(verdict.mutant.number)) for verdict in verdicts]


def score(verdicts: Iterable[Verdict]) -> tuple[int, int]:
    """Return how many mutants were noticed, of how many that are not equivalent."""
    counts = Counter("noticed" if v.noticed else "survives" if v.survives else "equivalent" for v in verdicts)
    return counts["noticed"], counts["noticed"] + counts["survives"]


def first_check(verdict: Verdict) -> str:
    """Return the first check that notices a mutant; empty if none does."""
    return next((name for name in CHECKS if name in verdict.noticed), "")
