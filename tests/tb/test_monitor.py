"""The monitor holds a port to its contract; the pins here are set by hand, cycle by cycle."""

from types import SimpleNamespace

import pytest

from hw.config import GicConfig
from hw.core import settling
from hw.interface import LATENCY
from hw.registers import lookup
from sim.engines.codec import PortCodec
from sim.port import Access, Lines, Outcome, Response, State
from tb.monitor import Monitor, Settled, Transaction

CONFIG = GicConfig(lrs=1)
READ = PortCodec(CONFIG).request(Access(2, lookup("ICH_VTR_EL2")))
REST = {
    "request__valid": 0, "request__ready": 1, "request__payload": 0, "response__valid": 0,
    "response__payload": 0, "virq": 0, "vfiq": 0, "maintenance": 0, "settled": 1, "deactivate__valid": 0,
    "deactivate__ready": 1, "deactivate__payload": 0, "observe": 0,
}  # fmt: skip
BUSY = {"request__ready": 0, "settled": 0}


class Pins:
    """A port whose pins a test sets, and the events that the monitor makes of them."""

    def __init__(self):
        self.dut = SimpleNamespace(**{f"pe0__{name}": SimpleNamespace(value=0) for name in REST})
        self.events = []
        add = self.events.append
        self.monitor = Monitor(self.dut, 0, CONFIG, add, add, add)

    def cycle(self, **changes):
        """Show one cycle: every pin at rest but the given ones."""
        for name, value in {**REST, **changes}.items():
            getattr(self.dut, f"pe0__{name}").value = value
        self.monitor.look()
        self.monitor.cycle += 1

    def take(self):
        """Show a cycle in which a request is taken, and the next, up to the response's."""
        self.cycle(request__valid=1, request__payload=READ)
        for _ in range(LATENCY - 1):
            self.cycle(**BUSY)


def test_an_access_and_its_rest_become_events():
    pins = Pins()
    pins.cycle()
    pins.take()
    pins.cycle(**BUSY, response__valid=1, response__payload=7 << 2)
    for _ in range(settling(CONFIG)):
        pins.cycle(settled=0)
    pins.cycle(maintenance=1, observe=5)
    pins.cycle(maintenance=1, observe=6)
    transaction, settled = pins.events
    assert transaction == Transaction(
        Access(2, lookup("ICH_VTR_EL2")), Response(Outcome.OK, 7), 1, 1 + LATENCY
    )
    assert settled == Settled(
        Lines(False, False, True), State(hcr=5, ap0r=[0], ap1r=[0], lr=[0]), 2 + LATENCY + settling(CONFIG)
    )


def test_a_deactivation_counts_when_it_is_taken():
    pins = Pins()
    for ready in (0, 0, 1):
        pins.cycle(request__ready=0, deactivate__valid=1, deactivate__payload=48, deactivate__ready=ready)
    assert pins.events == [48]


@pytest.mark.parametrize(
    ("rule", "cycles"),
    (
        ("a response must come exactly the latency", [{"response__valid": 1}]),
        ("settled fell without an access", [{}, {"settled": 0}]),
        ("a line moved at another time", [
            {"request__valid": 1, "request__payload": READ}, BUSY | {"virq": 1},
        ]),
        ("a request was withdrawn", [{"request__valid": 1, "request__ready": 0}, {}]),
        ("an offered request changed", [
            {"request__valid": 1, "request__ready": 0, "request__payload": READ},
            {"request__valid": 1, "request__ready": 0, "request__payload": READ ^ 1},
        ]),
        ("a request was taken while one is in flight", [{"request__valid": 1, "request__payload": READ}] * 2),
        ("a request was taken while a deactivation waits", [
            {"request__valid": 1, "request__payload": READ, "deactivate__valid": 1},
        ]),
        ("a deactivation was withdrawn", [{"deactivate__valid": 1, "deactivate__ready": 0}, {}]),
        ("a waiting deactivation changed", [
            {"deactivate__valid": 1, "deactivate__ready": 0, "deactivate__payload": 1},
            {"deactivate__valid": 1, "deactivate__ready": 1, "deactivate__payload": 2},
        ]),
        ("settled while an access is in flight", [{"request__valid": 1, "request__payload": READ}, {}]),
        ("vIRQ and vFIQ at once", [{"virq": 1, "vfiq": 1}]),
        ("a line moved while the port was settled", [{}, {"virq": 1}]),
    ),
)  # fmt: skip
def test_every_breach_of_the_contract_is_noticed(rule, cycles):
    pins = Pins()
    for changes in cycles[:-1]:
        pins.cycle(**changes)
    with pytest.raises(AssertionError, match=f"pe0, cycle {len(cycles) - 1}: {rule}"):
        pins.cycle(**cycles[-1])
