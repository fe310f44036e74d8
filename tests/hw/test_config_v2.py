"""Parameters of GICv2: what is legal, what is refused, and the round trip through GICH_VTR (REG-1)."""

import pytest

from hw.config import ConfigError
from hw.config_v2 import GicV2Config


def test_vtr_round_trip():
    """REG-1, G01: every number of list registers is recovered from the GICH_VTR value it shows."""
    for lrs in range(1, 65):
        assert GicV2Config.from_vtr(GicV2Config(lrs).vtr) == GicV2Config(lrs)
    assert GicV2Config(4).vtr == 0x90000003
    assert GicV2Config(64).vtr == 0x9000003F


def test_priorities_have_five_bits():
    """Spec section 1.9: PMR and RPR implement [7:3]; minimum BPR 2, minimum ABPR 3; one APR."""
    config = GicV2Config()
    assert (config.pri_mask, config.min_bpr0, config.min_bpr1, config.apr_words) == (0xF8, 2, 3, 1)
    assert config.id_mask == 0x3FF


@pytest.mark.parametrize("lrs", [0, 65, True, "4", None])
def test_refused(lrs):
    with pytest.raises(ConfigError, match="GICv2 lrs must be an integer from 1 to 64"):
        GicV2Config(lrs)


@pytest.mark.parametrize("vtr", [0x90B80003, 0x90000043, 0xB0000003, 1 << 32, -1])
def test_vtr_of_no_gicv2(vtr):
    """A GICv3 VTR, reserved bits and other priority widths are refused."""
    with pytest.raises(ConfigError, match=r"GICH_VTR .* must be 0x90000000 plus"):
        GicV2Config.from_vtr(vtr)
