"""The checks that have to notice a mutant: those of the test suite, on the port of a compiled mutant.

``directed``: the directed tests. ``random``: the lockstep with golden under the soak's stimulus. ``sweep``:
every register in every context, every level, INTIDs one bit apart, in lockstep. ``stream``: the random
stimulus cycle by cycle, with pauses, resets and physical deactivations that are taken late, under the monitor
and the scoreboard of the cocotb benches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from hw.config import GicConfig
from hw.registers import lookup
from sim.directed import DirectedTest, load_directed, run_directed
from sim.engines.codec import PortCodec
from sim.lockstep import apply, random_job
from sim.port import Access, run
from sim.stimulus import RandomChoices
from sim.stimulus.sweep import sweep
from tb.mutation.port import HungError, MutantPort, Pins
from tb.mutation.watched import Watched, every_reset, stream

__all__ = ["CHECKS", "Checks"]

#: In the order in which they are made; the last two only where those before have noticed nothing.
CHECKS = ("directed", "random", "sweep", "stream")
#: Random accesses are made in runs of this length, each from reset.
_RUN = 5000


class Step(NamedTuple):
    """One access and all that lockstep compares after it."""

    request: int
    response: int
    settled: tuple[int, ...]
    deactivations: tuple[int, ...]


def _step(pins: Pins, request: int) -> Step:
    pins.access(request)
    response = pins["response__payload"]
    pins.settle()
    settled = tuple(pins[name] for name in ("observe", "virq", "vfiq", "maintenance"))
    return Step(request, response, settled, tuple(pins.deactivations()))


def _first_difference(pins: Pins, steps: Sequence[Step]) -> int | None:
    pins.reset()
    return next((n for n, step in enumerate(steps) if _step(pins, step.request) != step), None)


@dataclass(frozen=True)
class Checks:
    """The checks of one build.

    Parameters
    ----------
    library : Path
        What :func:`tb.mutation.port.build` has made of ``config``.
    seed : int
        Of all random stimulus.
    operations, cycles : int
        Random accesses of ``random``; cycles of ``stream``.
    """

    library: Path
    config: GicConfig
    seed: int
    operations: int
    cycles: int

    @cached_property
    def _tests(self) -> list[DirectedTest]:
        """Return the directed tests of this build."""
        return [test for test in load_directed() if test.config == self.config]

    @cached_property
    def _recorded(self) -> list[list[Step]]:
        """Return random runs, recorded on the gateware itself in lockstep with golden."""
        runs = []
        for first in range(0, self.operations, _RUN):
            runs.append(self._record(self.seed + first, min(_RUN, self.operations - first)))
        return runs

    @cached_property
    def _swept(self) -> list[Step]:
        """Return the sweep, recorded in the same way."""
        pins, accesses = Pins(self.library, self.config), list(sweep(self.config))
        difference = run(apply(MutantPort(pins, self.config), accesses))
        if difference:
            raise RuntimeError(f"the gateware itself differs from golden: {difference.report}")
        return self._steps(pins, accesses)

    @property
    def stimulus(self) -> object:
        """What the checks do, for telling them from others; the stream's follows from its seed and length."""
        return self._tests, self._recorded, self._swept, self.seed, self.cycles

    def _record(self, seed: int, operations: int) -> list[Step]:
        pins, accesses = Pins(self.library, self.config), [Access(2, lookup("ICH_HCR_EL2"))]
        job = random_job(
            [MutantPort(pins, self.config)], operations, seed,
            observe=lambda _, access, __: accesses.append(access),
        )  # fmt: skip
        result = run(job)
        if result["difference"]:
            raise RuntimeError(f"the gateware itself differs from golden: {result['difference']['report']}")
        return self._steps(pins, accesses)

    def _steps(self, pins: Pins, accesses: Sequence[Access]) -> list[Step]:
        """Make accesses that lockstep was content with once more, from reset, and keep what the pins show."""
        codec = PortCodec(self.config)
        pins.reset()
        steps = [_step(pins, codec.request(access)) for access in accesses]
        pins.close()
        return steps

    def notice(self, number: int, only: Sequence[str] = CHECKS) -> dict[str, str]:
        """Return which checks notice a mutant, and where; number 0 is none."""
        found: dict[str, str] = {}
        for name in only:
            if found and name in CHECKS[2:]:
                continue
            pins = Pins(self.library, self.config, number)
            try:
                where = getattr(self, f"_{name}")(pins)
            except HungError as error:
                where = str(error)
            except AssertionError as error:
                where = str(error).partition("\n")[0]
            finally:
                pins.close()
            if where:
                found[name] = where
        return found

    def _directed(self, pins: Pins) -> str:
        port = MutantPort(pins, self.config)
        for test in self._tests:
            mismatches = run(run_directed(port, test))
            if mismatches:
                return f"{test.number}, operation {mismatches[0].place}"
        return ""

    def _random(self, pins: Pins) -> str:
        done = 0
        for steps in self._recorded:
            where = _first_difference(pins, steps)
            if where is not None:
                return f"operation {done + where}"
            done += len(steps) - 1
        return ""

    def _sweep(self, pins: Pins) -> str:
        where = _first_difference(pins, self._swept)
        return "" if where is None else f"access {where}"

    def _stream(self, pins: Pins) -> str:
        watched = Watched(pins, self.config)
        every_reset(watched)
        stream(watched, RandomChoices(self.seed), self.cycles)
        return ""
