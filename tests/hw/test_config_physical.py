"""Parameters of the physical side."""

import pytest

from hw.config import ConfigError
from hw.config_physical import PhysicalConfig
from hw.registers import lookup


@pytest.mark.parametrize(
    ("pri_bits", "pri_mask", "bpr0", "bpr1", "words"),
    [(4, 0xF0, 3, 4, 1), (5, 0xF8, 2, 3, 1), (6, 0xFC, 1, 2, 2), (7, 0xFE, 0, 1, 4), (8, 0xFF, 0, 1, 4)],
)
def test_derived(pri_bits, pri_mask, bpr0, bpr1, words):
    """Spec sections 0 and 1.8: preemption bits are min(PPRI, 7)."""
    config = PhysicalConfig(pri_bits)
    assert (config.pri_mask, config.min_bpr0, config.min_bpr1, config.apr_words) == (
        pri_mask, bpr0, bpr1, words
    )  # fmt: skip


def test_the_icc_registers_take_it():
    """Spec section 1.8: resets and constants of the ICC registers come from the one table."""
    config = PhysicalConfig(pri_bits=7)
    assert lookup("ICC_CTLR_EL1").reset_value(config) == 6 << 8
    assert lookup("ICC_PMR_EL1").stored_mask(config) == 0xFE
    assert lookup("ICC_BPR1_EL1").reset_value(config) == 1
    assert lookup("ICC_AP1R3_EL1").exists(config)
    assert not lookup("ICC_AP1R1_EL1").exists(PhysicalConfig())


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"pri_bits": 3}, "physical pri_bits must be an integer from 4 to 8, not 3"),
        ({"spis": 0}, "physical spis must be an integer from 32 to 960, not 0"),
        ({"spis": 992}, "physical spis must be an integer from 32 to 960, not 992"),
        ({"spis": 40}, "physical spis must be a multiple of 32, not 40"),
        ({"spis": True}, "physical spis must be an integer from 32 to 960, not True"),
        ({"are": 1}, "physical are must be True or False, not 1"),
    ],
)
def test_refused(values, text):
    with pytest.raises(ConfigError, match=f"^{text}$"):
        PhysicalConfig(**values)
