"""Parameters: what is legal, what is refused, and the round trip through ICH_VTR_EL2 (REG-1)."""

import itertools

import pytest

from hw.config import ConfigError, GicConfig


def legal_configurations():
    """Yield every legal combination of the parameters that ICH_VTR_EL2 shows."""
    flags = ("tds", "seis", "a3v", "nv4", "dvim")
    for lrs, pri, pre, ids in itertools.product(range(1, 17), range(5, 9), range(5, 8), (16, 24)):
        for values in itertools.product((False, True), repeat=len(flags)):
            settings = dict(zip(flags, values, strict=True))
            if pre <= pri and not (settings["dvim"] and settings["nv4"]):
                yield GicConfig(lrs=lrs, pri_bits=pri, pre_bits=pre, id_bits=ids, **settings)


def test_vtr_round_trip():
    """REG-1: every legal configuration is recovered from the ICH_VTR_EL2 value it shows."""
    count = 0
    for config in legal_configurations():
        assert GicConfig.from_vtr(config.vtr) == config
        count += 1
    assert count == 16 * 9 * 2 * 24


@pytest.mark.parametrize(
    ("vtr", "lrs", "pri", "pre", "ids", "tds"),
    [
        (0x90B80003, 4, 5, 5, 24, True),
        (0xD830000F, 16, 7, 7, 16, False),  # P01
        (0xD4B80007, 8, 7, 6, 24, True),  # P06
        (0xF8B8000F, 16, 8, 7, 24, True),
    ],
)
def test_known_vtr_values(vtr, lrs, pri, pre, ids, tds):
    """Values seen on real and emulated parts."""
    config = GicConfig.from_vtr(vtr)
    assert (config.lrs, config.pri_bits, config.pre_bits, config.id_bits) == (lrs, pri, pre, ids)
    assert config.tds is tds
    assert config.vtr == vtr


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"lrs": 0}, "lrs must be an integer from 1 to 16, not 0"),
        ({"lrs": 17}, "lrs must be"),
        ({"lrs": True}, "lrs must be"),
        ({"lrs": "4"}, "lrs must be"),
        ({"pri_bits": 4}, "pri_bits must be"),
        ({"pri_bits": 9}, "pri_bits must be"),
        ({"pri_bits": 8, "pre_bits": 8}, "pre_bits must be"),
        ({"pri_bits": 5, "pre_bits": 6}, r"pre_bits \(6\) must not exceed pri_bits \(5\)"),
        ({"id_bits": 20}, "id_bits must be 16 or 24"),
        ({"tds": 1}, "tds must be True or False"),
        ({"dvim": True}, "dvim needs nv4=False"),
    ],
)
def test_refused(settings, complaint):
    with pytest.raises(ConfigError, match=complaint):
        GicConfig(**settings)


@pytest.mark.parametrize(
    ("vtr", "complaint"),
    [
        (1 << 32, "does not fit in 32 bits"),
        (0x91380003, "IDbits 2 is reserved"),
        (0x90B80023, r"bits \[17:5\] are RES0"),
        (0x90B80010, "lrs must be"),
        (0x00B80003, "pri_bits must be"),
        (0x90BC0003, "dvim needs"),
    ],
)
def test_vtr_of_no_gic(vtr, complaint):
    with pytest.raises(ConfigError, match=complaint):
        GicConfig.from_vtr(vtr)


def test_minimum_binary_points_and_words():
    """REG-2, REG-9: the minimums and the number of words follow the preemption bits."""
    shown = {
        pre: (config.min_bpr0, config.min_bpr1, config.apr_words)
        for pre in (5, 6, 7)
        for config in [GicConfig(pri_bits=7, pre_bits=pre)]
    }
    assert shown == {5: (2, 3, 1), 6: (1, 2, 2), 7: (0, 1, 4)}
