"""The scoreboard: a golden twin fed by the monitor alone, compared with everything the pins show."""

from __future__ import annotations

from collections import deque

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.mmio_map import find_register
from sim.engines.golden import golden_port
from sim.lockstep import describe, describe_access
from sim.port import MmioAccess, State
from sim.state_registers import state_registers
from tb.coverage import Coverage
from tb.monitor import Monitor, Settled, Transaction

__all__ = ["Scoreboard", "ScoreboardError"]

#: Transactions shown with a difference.
_HISTORY = 12


class ScoreboardError(AssertionError):
    """The gateware and golden part; the text says where and after what."""


class Scoreboard:
    """Compares one PE with golden: every response, every deactivation, lines and storage when settled.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        The build.
    coverage : Coverage or None
        Collector to feed with every system-register access.

    Attributes
    ----------
    golden : Golden or GoldenV2
        The twin; its :meth:`~sim.golden.Golden.state` is what the gateware should hold.
    compared, settled : int
        Responses and settled states compared.
    """

    def __init__(self, config: GicConfig | GicV2Config, coverage: Coverage | None = None):
        self.config = config
        self.golden = golden_port(config).golden
        self.coverage = coverage or Coverage(config)
        self.compared = 0
        self.settled = 0
        self._deactivations: deque[int] = deque()
        self._history: deque[str] = deque(maxlen=_HISTORY)

    def watch(self, monitor: Monitor) -> None:
        """Take a monitor's events."""
        monitor.on_transaction = self.transaction
        monitor.on_settled = self.at_rest
        monitor.on_deactivation = self.deactivation
        monitor.on_reset = self.reset

    def _fail(self, what: str, expected: str, got: str) -> None:
        raise ScoreboardError(
            "\n".join([f"{what}: expected {expected}, got {got}", "after:", *self._history])
        )

    def reset(self, cycle: int) -> None:
        """Follow a reset; deactivations that were on their way are gone."""
        self.golden.reset()
        self._deactivations.clear()
        self._history.append(f"  cycle {cycle}: reset")

    def transaction(self, event: Transaction) -> None:
        """Compare a response."""
        before = self.golden.state()
        access = event.access
        on_bus = isinstance(access, MmioAccess)
        expected = self.golden.mmio(access) if on_bus else self.golden.access(access)
        self._deactivations.extend(self.golden.take_deactivations())
        if isinstance(self.config, GicConfig):
            self.coverage.sample(before, access, expected)
        self._history.append(f"  cycle {event.taken}: {describe_access(access, expected)}")
        self.compared += 1
        if event.response != expected:
            self._fail(f"response in cycle {event.answered}", str(expected), str(event.response))

    def deactivation(self, pintid: int) -> None:
        """Compare a physical deactivation (HW-1)."""
        expected = self._deactivations.popleft() if self._deactivations else None
        if expected != pintid:
            self._fail("deactivation", "none" if expected is None else str(expected), str(pintid))

    def at_rest(self, event: Settled) -> None:
        """Compare lines and storage."""
        self.settled += 1
        state, lines = self.golden.state(), self.golden.lines()
        if event.state != state:
            self._compare_state(event.cycle, state, event.state)
        if event.lines != lines:
            self._fail(f"lines in cycle {event.cycle}", str(lines), str(event.lines))

    def _compare_state(self, cycle: int, expected: State, got: State) -> None:
        have = state_registers(self.golden.config, got)
        for name, want in state_registers(self.golden.config, expected).items():
            if have[name] != want:
                register = find_register(name)
                self._fail(
                    f"{name} in cycle {cycle}", describe(register, want), describe(register, have[name])
                )

    def finish(self) -> None:
        """Check at the end of a test that nothing is still owed.

        Raises
        ------
        ScoreboardError
            When golden deactivated something that the gateware did not, or nothing was compared at all.
        """
        if self._deactivations:
            self._fail("deactivations", str(list(self._deactivations)), "none")
        if not self.compared or not self.settled:
            raise ScoreboardError("nothing was compared: is the monitor running?")
