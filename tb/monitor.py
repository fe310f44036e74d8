"""A passive monitor of one PE's port: it looks at the pins every cycle and drives none.

It turns cycles into transactions for whoever listens, and holds the port to its contract (:mod:`hw.port`):
one access in flight, the response a constant number of cycles after the request, nothing withdrawn,
nothing taken while a deactivation waits, ``settled`` high until an access is taken, lines that move once an
access, a constant number of cycles after its response.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cocotb.triggers import Timer

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.core import latency, settling
from sim.engines.codec_v2 import codec_of
from sim.port import Access, Lines, MmioAccess, MmioResponse, Response, State
from tb.driver import PERIOD

__all__ = ["Monitor", "Settled", "Transaction"]


@dataclass(frozen=True)
class Transaction:
    """One access: ``taken`` and ``answered`` are cycles since the monitor started.

    On a GICv2 port an access that is not to a whole register is a bus access, with the answer of the bus.
    """

    access: Access | MmioAccess
    response: Response | MmioResponse
    taken: int
    answered: int


@dataclass(frozen=True)
class Settled:
    """What the port shows once the effects of the last access are visible."""

    lines: Lines
    state: State
    cycle: int


def _nothing(event: object) -> None:
    """Ignore an event."""


@dataclass
class Monitor:
    """Watches one PE of a running cluster; start it with ``cocotb.start_soon(monitor.run())``.

    Parameters
    ----------
    dut : cocotb handle
        The cluster.
    index : int
        Number of the PE.
    config : GicConfig or GicV2Config
        What it was made from.
    on_transaction, on_settled, on_deactivation, on_reset : callable
        Called with a :class:`Transaction`, a :class:`Settled` (once after every access, unless the next
        one came first), a physical INTID, and the cycle number of every cycle of reset. An exception they
        raise fails the cocotb test.

    Attributes
    ----------
    cycle : int
        Cycles watched.
    transactions : int
        Accesses seen.
    """

    dut: object
    index: int
    config: GicConfig | GicV2Config
    on_transaction: Callable[[Transaction], None] = _nothing
    on_settled: Callable[[Settled], None] = _nothing
    on_deactivation: Callable[[int], None] = _nothing
    on_reset: Callable[[int], None] = _nothing
    cycle: int = 0
    transactions: int = 0
    _pending: tuple[int, Access] | None = field(default=None, init=False)
    _unsettled: bool = field(default=False, init=False)
    _offered: int | None = field(default=None, init=False)
    _waiting: int | None = field(default=None, init=False)
    _resting: tuple | None = field(default=None, init=False)
    _lines: tuple | None = field(default=None, init=False)
    _answered: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._codec = codec_of(self.config)
        self._latency = latency(self.config)
        self._settling = settling(self.config) + 1
        names = (
            "request__valid", "request__ready", "request__payload", "response__valid", "response__payload",
            "virq", "vfiq", "maintenance", "settled", "deactivate__valid", "deactivate__ready",
            "deactivate__payload", "observe",
        )  # fmt: skip
        self._pins = {name: getattr(self.dut, f"pe{self.index}__{name}") for name in names}

    def _read(self, name: str) -> int:
        return int(self._pins[name].value)

    def _require(self, condition: object, rule: str) -> None:
        if not condition:
            raise AssertionError(f"pe{self.index}, cycle {self.cycle}: {rule}")

    async def run(self) -> None:
        """Watch for ever. Start half a period after a rising edge, when the reset is over."""
        # A quarter of a period after the driver, a quarter before the edge: everything is at rest.
        await Timer(PERIOD // 4, "ns")
        cycle = Timer(PERIOD, "ns")
        while True:
            if self.dut.rst.value:
                self.forget()
            else:
                self.look()
            await cycle
            self.cycle += 1

    def forget(self) -> None:
        """Follow a reset: nothing is owed any more, and storage is to be looked at again."""
        self._pending = self._offered = self._waiting = self._resting = self._lines = None
        self._unsettled = True
        self.on_reset(self.cycle)

    def look(self) -> None:
        """Take the values of one cycle; :meth:`run` does so in every one that is not reset."""
        self._look_at_response()
        waiting = self._look_at_deactivation()
        self._look_at_request(waiting)
        self._look_at_lines()

    def _look_at_response(self) -> None:
        due = self._pending is not None and self.cycle - self._pending[0] == self._latency
        valid = self._read("response__valid")
        self._require(valid == due, "a response must come exactly the latency after its request")
        if not valid:
            return
        taken, access = self._pending
        self._pending = None
        self._answered = self.cycle
        self._unsettled = True
        self.transactions += 1
        response = self._codec.answer(access, self._read("response__payload"))
        self.on_transaction(Transaction(access, response, taken, self.cycle))

    def _look_at_deactivation(self) -> bool:
        """Return whether a deactivation is on offer."""
        if not self._read("deactivate__valid"):
            self._require(self._waiting is None, "a deactivation was withdrawn")
            return False
        pintid = self._read("deactivate__payload")
        self._require(self._waiting in (None, pintid), "a waiting deactivation changed")
        if self._read("deactivate__ready"):
            self._waiting = None
            self.on_deactivation(pintid)
        else:
            self._waiting = pintid
        return True

    def _look_at_request(self, deactivation: bool) -> None:
        if not self._read("request__valid"):
            self._require(self._offered is None, "a request was withdrawn")
            return
        packed = self._read("request__payload")
        self._require(self._offered in (None, packed), "an offered request changed")
        if not self._read("request__ready"):
            self._offered = packed
            return
        self._offered = None
        self._require(self._pending is None, "a request was taken while one is in flight")
        self._require(not deactivation, "a request was taken while a deactivation waits")
        self._pending = (self.cycle, self._codec.access(packed))

    def _look_at_lines(self) -> None:
        settled = self._read("settled")
        in_flight = self._pending is not None and self._pending[0] != self.cycle
        self._require(not (settled and in_flight), "settled while an access is in flight")
        lines = tuple(self._read(name) for name in ("virq", "vfiq", "maintenance"))
        self._require(not (lines[0] and lines[1]), "vIRQ and vFIQ at once (SIG-6)")
        self._require(
            not settled or self._resting in (None, lines), "a line moved while the port was settled"
        )
        due = self.cycle - self._answered == self._settling
        self._require(due or self._lines in (None, lines), "a line moved at another time than its own")
        self._lines = lines
        if not settled:
            self._require(self._resting is None or in_flight, "settled fell without an access")
            self._resting = None
            return
        self._resting = lines
        if self._unsettled:
            self._unsettled = False
            state = self._codec.state(self._read("observe"))
            self.on_settled(Settled(Lines(*map(bool, lines)), state, self.cycle))
