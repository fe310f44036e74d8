"""The APB wrapper of GICv2, with the bus functional model of another project."""

import pytest

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.export import to_verilog
from tb.lint import lint_verilog
from tb.runner import run_bench
from tests.simulators import PRESENT

CONFIG = GicV2Config(lrs=2)


@pytest.mark.parametrize("engine", PRESENT)
def test_apb_reaches_both_frames_and_refuses_bad_transfers(engine):
    """G02 over APB; unmapped, unaligned and partial accesses; REG-8."""
    result = run_bench("tb.benches.apb", engine=engine, config=CONFIG, verilog=to_verilog(CONFIG, bus="apb"))
    assert result.tests == 3


def test_apb_exports_and_lints_for_several_pes():
    text = to_verilog(CONFIG, 2, "pair", bus="apb")
    assert "pe1__pslverr" in text
    assert lint_verilog(text, "pair") == []


def test_a_bus_that_a_build_does_not_have():
    with pytest.raises(InputError, match="GICv3 does not have; use GICv2"):
        to_verilog(GicConfig(), bus="apb")
    with pytest.raises(InputError, match="unknown bus 'axi'; one of port, apb"):
        to_verilog(CONFIG, bus="axi")
