"""What is done to a mutant cycle by cycle, under the monitor and the scoreboard of the cocotb benches."""

from __future__ import annotations

from types import SimpleNamespace

from hw.config import GicConfig
from hw.core import interval, settling
from hw.registers import LRState, lookup
from sim.engines.codec import PortCodec
from sim.port import Access, State
from sim.stimulus import Choices, Stimulus
from tb.monitor import Monitor
from tb.mutation.port import HungError, Pins
from tb.scoreboard import Scoreboard

__all__ = ["Watched", "every_reset", "stream"]

#: Longest pause between two accesses and longest stall of a deactivation, in cycles.
_LONGEST = 12
#: A reset comes after so many cycles, on average, wherever an access is at the moment.
_BETWEEN_RESETS = 200
_VINTID = 40


class _Pin:
    """An output, as cocotb shows one."""

    def __init__(self, pins: Pins, name: str):
        self._pins, self._name = pins, name

    @property
    def value(self) -> int:
        return self._pins[self._name]


class _Dut:
    """The pins as a cocotb bench has them."""

    def __init__(self, pins: Pins):
        inputs = ("request__valid", "request__payload", "deactivate__ready")
        self.__dict__ |= {f"pe0__{name}": SimpleNamespace(value=0) for name in inputs}
        self._pins = pins

    def __getattr__(self, name: str) -> _Pin:
        return _Pin(self._pins, name.removeprefix("pe0__"))


class Watched:
    """A mutant under monitor and scoreboard, which raise AssertionError."""

    def __init__(self, pins: Pins, config: GicConfig):
        self.config = config
        self.pins = pins
        self._codec = PortCodec(config)
        self._dut = _Dut(pins)
        self._monitor, self._scoreboard = Monitor(self._dut, 0, config), Scoreboard(config)
        self._scoreboard.watch(self._monitor)
        self._scoreboard.reset(0)

    @property
    def state(self) -> State:
        """What storage has to be."""
        return self._scoreboard.golden.state()

    def cycle(self, access: Access | None = None, ready: bool = True, reset: bool = False) -> bool:
        """Let a cycle pass in which an access is offered; return whether it was taken.

        ``ready``: a physical deactivation is taken.
        """
        offered, packed = access is not None, self._codec.request(access) if access else 0
        self.pins.cycle(offered, packed, ready, reset)
        self._dut.pe0__request__valid.value = offered
        self._dut.pe0__request__payload.value = packed
        self._dut.pe0__deactivate__ready.value = ready
        self._monitor.forget() if reset else self._monitor.look()
        self._monitor.cycle += 1
        return bool(offered and not reset and self.pins["request__ready"])

    def make(self, access: Access) -> None:
        """Offer an access until it is taken, and take no deactivation meanwhile."""
        for _ in range(2 * interval(self.config)):
            if self.cycle(access, ready=False):
                return
        raise HungError("a request is not taken")


def stream(watched: Watched, choices: Choices, cycles: int) -> None:
    """Make random accesses, some one right after the other, and resets; take deactivations late."""
    stimulus = Stimulus(watched.config, choices)
    access, ready, pause, stall = None, True, 0, 0
    for _ in range(cycles):
        if access is None and not pause:
            access = stimulus.next(watched.state)
        if not stall:
            ready, stall = not ready, 1 + choices.below(_LONGEST)
        reset = choices.one_in(_BETWEEN_RESETS)
        taken = watched.cycle(access, ready, reset)
        pause, stall = max(pause - 1, 0), stall - 1
        if reset:
            # Another stimulus begins by enabling the interface again.
            access, pause, stimulus = None, choices.below(2), Stimulus(watched.config, choices)
        elif taken:
            access, pause = None, choices.among((0, 0, 1, choices.below(3 * _LONGEST)))


def every_reset(watched: Watched) -> None:
    """Reset in every cycle of an access, with all storage and lines stirred and a deactivation refused.

    Nothing of it is seen afterwards: no response, no deactivation, no line; storage is as reset leaves it
    (REG-13).
    """
    lr, vmcr, hcr = (lookup(f"ICH_{name}_EL2") for name in ("LR0", "VMCR", "HCR"))
    state = lr.field("State")
    one = 1 << 60 | 0x80 << 48 | _VINTID
    running = state.put(1 << 61 | _VINTID << 32 | one, LRState.ACTIVE)
    waiting = state.put(1 << 60 | 0x40 << 48 | _VINTID + 1, LRState.PENDING)
    stir = [
        Access(2, vmcr, True, 0xF84C_0003), Access(2, hcr, True, 0xF800_00FF),
        Access(2, lookup("ICH_AP0R0_EL2"), True, 1 << 31), Access(2, lookup("ICH_AP1R0_EL2"), True, 1 << 16),
        Access(2, lr, True, running), Access(2, lookup("ICH_LR1_EL2"), True, waiting),
    ]  # fmt: skip
    last = [
        Access(1, lookup("ICC_EOIR1_EL1"), True, _VINTID), Access(1, lookup("ICC_IAR1_EL1")),
        Access(2, lr, True, one), Access(2, vmcr), Access(0, vmcr),
        Access(2, hcr, True, 1), Access(2, lookup("ICH_AP0R0_EL2"), True, 1),
    ]  # fmt: skip
    for access in last:
        for after in range(interval(watched.config) + settling(watched.config) + 2):
            for each in (*stir, access):
                watched.make(each)
            for _ in range(after):
                watched.cycle(ready=False)
            watched.cycle(ready=False, reset=True)
            for _ in range(2 * interval(watched.config)):
                watched.cycle()
