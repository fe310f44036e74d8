"""Every switch: its checks pass with it on, and fail with it off."""

import pytest

from sim.kvm.ap_list import VgicCorruptionError
from sim.kvm.host import HotplugHangError
from sim.kvm.profile import CURES, SWITCHES
from tests.sim.kvm import shows_fixes, shows_series, shows_v2
from tests.sim.kvm.shows import CHECKS

#: How a missing behaviour shows: a failed assertion, or the model's own alarm.
ALARMS = (AssertionError, VgicCorruptionError, HotplugHangError)

_ALL = [
    pytest.param(check, id=f"{switch}-{check.function.__name__}")
    for switch, checks in sorted(CHECKS.items())
    for check in checks
]


@pytest.mark.parametrize("check", _ALL)
def test_on(check):
    """The behaviour is there with the switch on."""
    check.run(True)


@pytest.mark.parametrize("check", _ALL)
def test_off(check):
    """The check notices that the switch is off."""
    with pytest.raises(ALARMS):
        check.run(False)


def test_every_switch_has_a_check():
    """None is left out: the checks of these modules cover the switches that some kernel has.

    The cures have their own tests (test_cures.py).
    """
    assert shows_fixes and shows_series and shows_v2
    unchecked = set(SWITCHES) - set(CHECKS) - set(CURES)
    assert unchecked == {"nested_no_phys", "vmcr_before_aprs"}
