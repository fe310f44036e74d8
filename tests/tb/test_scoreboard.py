"""The scoreboard notices every kind of difference; what the monitor would tell it is made up here."""

import pytest

from hw.config import GicConfig
from hw.registers import lookup
from sim.golden import Golden
from sim.port import Access, Lines, Outcome, Response
from tb.monitor import Settled, Transaction
from tb.scoreboard import Scoreboard, ScoreboardError

CONFIG = GicConfig(lrs=2)
HW_PENDING = 0x7080_0030_0000_0028  # vINTID 40, pINTID 48, HW, Group 1, priority 0x80, pending


class Pins:
    """What flawless gateware would show: a golden of its own."""

    def __init__(self):
        self.scoreboard = Scoreboard(CONFIG)
        self.golden = Golden(CONFIG)
        self.cycle = 0

    def access(self, el, name, value=None):
        """Make one access; return its deactivations."""
        access = Access(el, lookup(name), value is not None, value or 0)
        response = self.golden.access(access)
        self.cycle += 14
        self.scoreboard.transaction(Transaction(access, response, self.cycle - 6, self.cycle))
        return self.golden.take_deactivations()

    def rest(self, state=None, lines=None):
        """Settle, showing golden's lines and storage or others."""
        self.scoreboard.at_rest(
            Settled(lines or self.golden.lines(), state or self.golden.state(), self.cycle)
        )

    def completed(self):
        """Take a HW interrupt to its end; return the deactivations that are due."""
        self.access(2, "ICH_VMCR_EL2", 0xF84C_0003)
        self.access(2, "ICH_HCR_EL2", 1)
        self.access(2, "ICH_LR0_EL2", HW_PENDING)
        self.rest()
        self.access(1, "ICC_IAR1_EL1")
        return self.access(1, "ICC_EOIR1_EL1", 40)


def test_equal_pins_pass():
    pins = Pins()
    assert pins.completed() == [48]
    pins.scoreboard.deactivation(48)
    pins.rest()
    pins.scoreboard.finish()
    assert (pins.scoreboard.compared, pins.scoreboard.settled) == (5, 2)


def test_a_wrong_response_names_the_cycle_and_the_history():
    pins = Pins()
    pins.access(2, "ICH_HCR_EL2", 1)
    access = Access(1, lookup("ICC_IAR1_EL1"))
    with pytest.raises(ScoreboardError, match=r"response in cycle 20: expected .*value=1023") as caught:
        pins.scoreboard.transaction(Transaction(access, Response(Outcome.OK, 40), 14, 20))
    assert "cycle 8: EL2 ICH_HCR_EL2 := 0x1 (En=1)" in str(caught.value)


def test_wrong_storage_names_the_register_and_its_fields():
    pins = Pins()
    pins.access(2, "ICH_LR1_EL2", HW_PENDING)
    state = pins.golden.state()
    state.lr[1] ^= 3 << 62
    with pytest.raises(ScoreboardError, match=r"ICH_LR1_EL2 in cycle 14: expected .*PENDING.* got .*ACTIVE"):
        pins.rest(state=state)


def test_a_wrong_line_is_noticed_sig6():
    pins = Pins()
    pins.access(2, "ICH_HCR_EL2", 1)
    with pytest.raises(ScoreboardError, match=r"lines in cycle 14: expected .*virq=False.* got .*virq=True"):
        pins.rest(lines=Lines(True, False, False))


@pytest.mark.parametrize(("got", "text"), ((49, "expected 48, got 49"), (48, None)))
def test_deactivations_are_compared_in_order_hw1(got, text):
    pins = Pins()
    pins.completed()
    if text is None:
        pins.scoreboard.deactivation(got)
        with pytest.raises(ScoreboardError, match="expected none, got 48"):
            pins.scoreboard.deactivation(got)
    else:
        with pytest.raises(ScoreboardError, match=text):
            pins.scoreboard.deactivation(got)


def test_a_missing_deactivation_is_noticed_at_the_end():
    pins = Pins()
    pins.completed()
    pins.rest()
    with pytest.raises(ScoreboardError, match=r"deactivations: expected \[48\], got none"):
        pins.scoreboard.finish()


def test_reset_is_followed_rule_reg13():
    pins = Pins()
    pins.completed()
    pins.scoreboard.reset(99)
    pins.golden.reset()
    pins.rest()
    pins.scoreboard.finish()


def test_a_scoreboard_that_compared_nothing_is_no_pass():
    with pytest.raises(ScoreboardError, match="nothing was compared"):
        Scoreboard(CONFIG).finish()
