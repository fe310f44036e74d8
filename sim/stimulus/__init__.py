"""Constrained-random register accesses, biased to the states where bugs live.

One generator serves Hypothesis, the cocotb benches, the soak and the coverage run: it is pure Python,
decides everything through :class:`~sim.stimulus.choices.Choices`, and aims with the storage that the
interface holds at the moment (any model's :class:`sim.port.State`), never with a model of its own.

>>> from hw.config import GicConfig
>>> from sim.golden import Golden
>>> config = GicConfig()
>>> golden, stimulus = Golden(config), Stimulus(config, RandomChoices(seed=1))
>>> for _ in range(3):
...     response = golden.access(stimulus.next(golden.state()))
"""

from __future__ import annotations

from typing import Any

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.registers import lookup
from sim.port import Access, MmioAccess, State
from sim.stimulus import operations_v2
from sim.stimulus.choices import Choices, ListChoices, RandomChoices
from sim.stimulus.operations import OPERATIONS
from sim.stimulus.values import Values
from sim.stimulus.values_v2 import ValuesV2

__all__ = ["MOODS", "MOODS_V2", "Choices", "ListChoices", "RandomChoices", "Stimulus"]

_GUEST = {"acknowledge": 10, "end": 8, "end_absent": 2, "name_any": 2, "deactivate": 4, "pending_id": 2,
          "guest_read": 2}  # fmt: skip
_HOST = {"fill": 10, "change_state": 2, "empty": 1, "host_read": 2}

#: Mood -> operation -> weight. The first operation of the first mood is the simplest.
MOODS: dict[str, dict[str, int]] = {
    # A guest that acknowledges and completes, and a hypervisor that keeps the LRs full.
    "service": {**_GUEST, **_HOST, "mask": 1, "active_priorities": 1},
    # Far more active interrupts than LRs: completions find none, EOIcount moves and wraps.
    "overflow": {**_GUEST, **_HOST, "end_absent": 10, "deactivate": 8, "active_priorities": 8,
                 "configure": 2},
    # Nested preemption, ties, every binary point.
    "priorities": {**_GUEST, **_HOST, "binary_point": 3, "mask": 3, "control": 2, "copy": 2, "guest_read": 4},
    # One interrupt after the other preempts, at every level of both groups.
    "nesting": {**_GUEST, **_HOST, "acknowledge": 16, "preempt": 16, "fill": 3, "active_priorities": 2,
                "end_absent": 4},
    # Entries that look alike.
    "aliases": {**_GUEST, **_HOST, "copy": 8, "change_state": 4},
    "control": {**_GUEST, **_HOST, "enable": 4, "control": 4, "machine_control": 2, "toggle_hcr": 2,
                "guest_read": 6},
    "traps": {**_GUEST, **_HOST, "trap": 4, "name_any": 30, "look_any": 16, "guest_read": 8,
              "generate_sgi": 2, "mask": 1, "anything": 6, "toggle_hcr": 2, "empty": 8, "binary_point": 1,
              "enable": 1, "control": 1, "active_priorities": 6},
    "status": {**_GUEST, **_HOST, "configure": 4, "empty": 8, "host_read": 6},
    # No rule of good behaviour at all.
    "garbage": dict.fromkeys(OPERATIONS, 1)
    | {"preempt": 0, "garbage_lr": 6, "garbage_control": 2, "anything": 6},
}  # fmt: skip
_GUEST_V2 = {"acknowledge": 10, "end": 8, "end_absent": 2, "name_any": 2, "deactivate": 4, "pending_id": 2,
             "guest_read": 2}  # fmt: skip

#: The same for GICv2, where traps are a matter of stage 2 and so none of the interface's.
MOODS_V2: dict[str, dict[str, int]] = {
    "service": {**_GUEST_V2, **_HOST, "mask": 1, "active_priorities": 1},
    "overflow": {**_GUEST_V2, **_HOST, "end_absent": 10, "deactivate": 8, "active_priorities": 8,
                 "configure": 2},
    "priorities": {**_GUEST_V2, **_HOST, "binary_point": 3, "mask": 3, "control": 2, "copy": 2,
                   "guest_read": 4},
    "nesting": {**_GUEST_V2, **_HOST, "acknowledge": 16, "preempt": 16, "fill": 3, "active_priorities": 2,
                "end_absent": 4},
    "aliases": {**_GUEST_V2, **_HOST, "copy": 8, "change_state": 4},
    "control": {**_GUEST_V2, **_HOST, "control": 8, "machine_control": 2, "toggle_hcr": 2, "guest_read": 6},
    "status": {**_GUEST_V2, **_HOST, "configure": 4, "empty": 8, "host_read": 6},
    "garbage": dict.fromkeys(operations_v2.OPERATIONS, 1)
    | {"preempt": 0, "garbage_lr": 6, "garbage_control": 2, "anything": 6, "bus": 6},
}  # fmt: skip
#: Operations a mood lasts, at least; at most twice as many.
_MOOD_LENGTH = 48


def _tables(moods: dict[str, dict[str, int]], operations: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {
        mood: tuple(operations[name] for name, weight in weights.items() for _ in range(weight))
        for mood, weights in moods.items()
    }


_TABLES = _tables(MOODS, OPERATIONS)
_TABLES_V2 = _tables(MOODS_V2, operations_v2.OPERATIONS)


class Stimulus:
    """An endless stream of accesses for one configuration.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        The build under test; a GICv2 one gets loads and stores, bad ones on the bus among them.
    choices : Choices
        Source of all decisions. It may be replaced between two calls.
    mood : str or None
        One of :data:`MOODS` (or :data:`MOODS_V2`) to stay in; None changes it every now and then.

    Raises
    ------
    InputError
        For an unknown mood.
    """

    def __init__(self, config: GicConfig | GicV2Config, choices: Choices, mood: str | None = None):
        v2 = isinstance(config, GicV2Config)
        self._tables = _TABLES_V2 if v2 else _TABLES
        if mood is not None and mood not in self._tables:
            raise InputError(f"unknown mood {mood!r}; one of {', '.join(self._tables)}")
        self._values: Any = ValuesV2(config, choices) if v2 else Values(config, choices)
        self._prepare = operations_v2.prepare if v2 else _prepare
        self._fixed = mood
        self._mood = mood or next(iter(self._tables))
        self._left = 0
        self._setup: list[Access] = []

    @property
    def choices(self) -> Choices:
        """Where decisions come from."""
        return self._values.choices

    @choices.setter
    def choices(self, choices: Choices) -> None:
        self._values.choices = choices

    def next(self, state: State) -> Access | MmioAccess:
        """Return the next access for an interface that holds ``state``."""
        if self._setup:
            return self._setup.pop()
        if not self._left:
            self._change_mood(state)
            return self._setup.pop()
        self._left -= 1
        table = self._tables[self._mood]
        return table[self._values.choices.below(len(table))](self._values, state)

    def _change_mood(self, state: State) -> None:
        """Take another mood, other hot values, and put the interface into a state where things happen."""
        values = self._values
        choices = values.choices
        self._mood = self._fixed or choices.among(tuple(self._tables))
        self._left = _MOOD_LENGTH + choices.below(_MOOD_LENGTH)
        values.refresh()
        self._setup = self._prepare(values, state, self._mood)


def _prepare(values: Values, state: State, mood: str) -> list[Access]:
    """Return what puts the interface into a state where things happen, the last access first."""
    setup = [
        Access(2, lookup("ICH_HCR_EL2"), True, values.hcr(traps=mood == "traps")),
        Access(2, lookup("ICH_VMCR_EL2"), True, values.vmcr()),
    ]
    # Stuck active priorities would keep everything masked.
    for group in (0, 1):
        for word in range(len(state.ap0r)):
            setup.append(Access(2, lookup(f"ICH_AP{group}R{word}_EL2"), True, 0))
    return setup
