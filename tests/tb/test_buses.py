"""Standard buses in front of the gateware: APB4, AXI4-Lite, Wishbone; GICv2's frames and GICv3's window."""

from functools import cache

import pytest

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.export import BUSES, to_verilog
from tb.cli import export
from tb.lint import lint_verilog
from tb.runner import run_bench
from tests.simulators import PRESENT

V2, V3 = GicV2Config(lrs=2), GicConfig(lrs=2)
STANDARD = BUSES[1:]
#: Benches for one bus alone, with the number of tests in each.
OWN = {"axi4lite": 4, "wishbone": 5}

_verilog = cache(to_verilog)


@pytest.mark.parametrize("bus", STANDARD)
@pytest.mark.parametrize("engine", PRESENT)
def test_a_bus_reaches_both_frames_and_refuses_bad_accesses(engine, bus):
    """G02 over a bus; unmapped and partial accesses; REG-8."""
    text = _verilog(V2, bus=bus)
    assert run_bench("tb.benches.bus_frames", engine=engine, config=V2, verilog=text).tests == 3


@pytest.mark.parametrize("bus", STANDARD)
def test_a_bus_reaches_the_system_registers(bus):
    """An interrupt listed at EL2 and taken at EL1; traps and UNDEFINED; 64 bits through 32."""
    text = _verilog(V3, bus=bus)
    assert run_bench("tb.benches.bus_window", engine=PRESENT[-1], config=V3, verilog=text).tests == 4


@pytest.mark.parametrize("bus", OWN)
@pytest.mark.parametrize("engine", PRESENT)
def test_what_a_bus_has_of_its_own(engine, bus):
    result = run_bench(f"tb.benches.{bus}", engine=engine, config=V2, verilog=_verilog(V2, bus=bus))
    assert result.tests == OWN[bus]


@pytest.mark.parametrize("bus", STANDARD)
@pytest.mark.parametrize("config", [V2, V3], ids=["v2", "v3"])
def test_a_bus_exports_and_lints_for_several_pes(config, bus):
    text = to_verilog(config, 2, "pair", bus=bus)
    assert "pe1__deactivate__ready" in text
    assert lint_verilog(text, "pair") == []


def test_a_bus_that_a_build_does_not_have():
    with pytest.raises(InputError, match="unknown bus 'ahb'; one of none, apb, axi4lite, wishbone"):
        to_verilog(V2, bus="ahb")
    with pytest.raises(InputError, match="has ports only, no bus 'apb': use --bus none with --spis"):
        to_verilog(V3, bus="apb", physical=PhysicalConfig(5, 32))


def test_the_command_names_the_buses_there_are():
    assert export.BUSES == BUSES
