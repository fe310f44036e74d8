"""The ports of exported modules are as documented, and the documentation is what the signatures say."""

import re
from pathlib import Path

import pytest

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.export import BUSES, exported_ports, to_verilog
from tb.port_pages import ports_page

PAGE = Path(__file__).parents[2] / "docs" / "ports.md"


def test_the_page_is_what_the_signatures_say():
    """A port that changes its name, width or fields shows here: others have built on it.

    If it must change: ``python -m tb.port_pages > docs/ports.md``, and say so in the changelog.
    """
    assert PAGE.read_text() == ports_page()


@pytest.mark.parametrize("bus", BUSES)
@pytest.mark.parametrize("config", [GicConfig(lrs=1), GicV2Config(1)], ids=["v3", "v2"])
def test_the_verilog_has_these_ports(config, bus):
    """Name, direction and width of each, and no other."""
    _check(to_verilog(config, bus=bus), exported_ports(config, bus=bus))


def test_the_verilog_of_a_system_has_these_ports():
    config, physical = GicConfig(lrs=1), PhysicalConfig(5, 32)
    _check(to_verilog(config, 2, physical=physical), exported_ports(config, 2, "none", physical))


def test_the_verilog_of_a_system_behind_a_bus_has_these_ports():
    config, physical = GicV2Config(1), PhysicalConfig(5, 32, are=False)
    verilog = to_verilog(config, 2, bus="wishbone", physical=physical)
    _check(verilog, exported_ports(config, 2, "wishbone", physical))


def _check(verilog, ports):
    top = verilog[verilog.index("module cluster(") :].partition("endmodule")[0]
    found = {
        (name, kind, int(high or 0) + 1)
        for kind, high, name in re.findall(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", top, re.MULTILINE)
    }
    assert found == {(port.name, "input" if port.input else "output", port.width) for port in ports}


def test_fields_fill_their_port():
    """Every bit of a structure belongs to one field."""
    for port in exported_ports(GicConfig(), 1, "none", PhysicalConfig(5, 64)):
        bits = [bit for part in port.parts for bit in range(part.lsb, part.lsb + part.width)]
        assert not port.parts or sorted(bits) == list(range(port.width)), port.name
