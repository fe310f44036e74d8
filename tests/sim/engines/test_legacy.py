"""The GICV frame over a GICv3 interface (V2-2 to V2-4)."""

import pytest

from hw.config import GicConfig
from hw.mmio_map import MMIO_BY_NAME
from hw.registers import BY_NAME
from sim.engines.golden import GoldenPort
from sim.engines.legacy import LegacyPort
from sim.port import read as read_port
from sim.port import run
from sim.port import write as write_port
from tests.sim.pe import lr


class Frame:
    """The frame, synchronously."""

    def __init__(self, ctlr, *lrs, hcr=1):
        self.port = LegacyPort(GoldenPort(GicConfig()))
        run(self.port.reset())
        self.ich("VMCR", 0xF84C0000)
        for n, value in enumerate(lrs):
            self.ich(f"LR{n}", value)
        self.ich("HCR", hcr)
        self.write("CTLR", ctlr)

    def ich(self, name, value=None):
        """Read ICH_<name>_EL2, or write it."""
        register = BY_NAME[f"ICH_{name}_EL2"]
        if value is None:
            return run(read_port(self.port, 2, register))
        return run(write_port(self.port, 2, register, value))

    def read(self, name):
        """Read GICV_<name>."""
        return run(read_port(self.port, 1, MMIO_BY_NAME[f"GICV_{name}"]))

    def write(self, name, value):
        """Write GICV_<name>."""
        run(write_port(self.port, 1, MMIO_BY_NAME[f"GICV_{name}"], value))

    def lines(self):
        """Return vIRQ and vFIQ."""
        lines = run(self.port.lines())
        return lines.virq, lines.vfiq


def test_control_register():
    """GICV_CTLR is a view of VMCR, which stores AckCtl and FIQEn while SRE is 0."""
    frame = Frame(0x21F)
    assert frame.read("CTLR") == 0x21F
    assert frame.ich("VMCR") & 0x21F == 0x21F
    frame.ich("VMCR", 0xF84C0002)
    assert frame.read("CTLR") == 2


def test_group_1_and_ackctl():
    """V2-2: IAR gives 1022 for Group 1 without AckCtl and acknowledges nothing; AIAR does."""
    frame = Frame(3, lr("P", 40, 0x80))
    assert (frame.read("IAR"), frame.read("HPPIR"), frame.read("AHPPIR")) == (1022, 1022, 40)
    assert frame.read("AIAR") == 40
    assert frame.read("RPR") == 0x80
    frame.write("AEOIR", 40)
    assert frame.read("RPR") == 0xFF and frame.ich("ELRSR") == 0xF
    frame = Frame(7, lr("P", 40, 0x80))
    assert (frame.read("HPPIR"), frame.read("IAR"), frame.read("APR0")) == (40, 40, 1 << 16)
    frame.write("EOIR", 40)
    assert (frame.read("RPR"), frame.read("APR0")) == (0xFF, 0)


def test_nothing_pending():
    frame = Frame(3)
    assert {frame.read(name) for name in ("IAR", "AIAR", "HPPIR", "AHPPIR")} == {1023}


def test_the_source_of_an_sgi_comes_and_goes():
    """V2-3: bits 12:10 of the list register are CPUID."""
    frame = Frame(1, lr("P", 3 << 10 | 5, 0x80, group=0))
    assert frame.read("IAR") == 0xC05
    frame.write("EOIR", 0xC05)
    assert frame.ich("ELRSR") == 0xF


@pytest.mark.parametrize(("ctlr", "lines"), [(1, (True, False)), (9, (False, True))])
def test_group_0_is_an_irq_unless_fiqen(ctlr, lines):
    """V2-4."""
    assert Frame(ctlr, lr("P", 40, 0x80, group=0)).lines() == lines


def test_no_trap_bit_concerns_the_frame():
    """Memory is not trapped by HCR; EOIcount, which the trap bits share a register with, survives."""
    hcr = BY_NAME["ICH_HCR_EL2"]
    traps = sum(hcr.field(name).mask for name in ("TC", "TALL0", "TALL1", "TDIR"))
    frame = Frame(0x202, lr("A", 40, 0x80), hcr=1 | traps)
    frame.write("PMR", 0x80)
    assert frame.read("PMR") == 0x80
    frame.write("DIR", 40)
    assert frame.ich("ELRSR") == 0xF
    frame.write("DIR", 41)
    count = hcr.field("EOIcount").get(frame.ich("HCR"))
    assert (frame.ich("HCR") & traps, count) == (traps, 1)


def test_binary_points_and_identification():
    frame = Frame(3)
    frame.write("BPR", 5)
    frame.write("ABPR", 6)
    assert (frame.read("BPR"), frame.read("ABPR"), frame.read("IIDR")) == (5, 6, 0x0002043B)
