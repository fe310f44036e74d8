"""The golden engine: a CPU port that never suspends."""

import pytest

from hw.config import GicConfig
from hw.registers import lookup
from sim.deviations import Deviations
from sim.engines.golden import GoldenPort
from sim.port import Access, Lines, Outcome, read, run, write
from tests.sim.pe import lr


async def _story(port):
    """Acknowledge and complete one HW interrupt; return everything the port lets see."""
    await write(port, 2, lookup("ICH_VMCR_EL2"), 0xF84C0003)
    await write(port, 2, lookup("ICH_LR0_EL2"), lr("P", 40, 0x80, pintid=34))
    await write(port, 2, lookup("ICH_HCR_EL2"), 3)
    lines = await port.lines()
    intid = await read(port, 1, lookup("ICC_IAR1_EL1"))
    await write(port, 1, lookup("ICC_EOIR1_EL1"), intid)
    return intid, lines, await port.lines(), await port.deactivations(), await port.deactivations()


def test_a_guest_on_the_port():
    """The protocol's methods are the model's, and plain code can run them (HW-1, MNT-4)."""
    port = GoldenPort(GicConfig())
    intid, before, after, requests, again = run(_story(port))
    assert (intid, before, after) == (40, Lines(True, False, True), Lines(False, False, True))
    assert (requests, again) == ([34], [])
    assert run(port.state()) == port.golden.state()
    run(port.reset())
    assert run(port.state()).elrsr == 0xF
    assert run(port.lines()) == Lines(False, False, False)


def test_faults_reach_the_caller():
    """A fault is an answer of access() and an error of the helpers."""
    port = GoldenPort(GicConfig(lrs=1))
    register = lookup("ICH_LR1_EL2")
    assert run(port.access(Access(2, register))).outcome is Outcome.UNDEF
    with pytest.raises(RuntimeError, match="EL2 read of ICH_LR1_EL2: UNDEF"):
        run(read(port, 2, register))


def test_deviations_are_passed_on():
    """A replay can run the port with switches."""
    port = GoldenPort(GicConfig(), Deviations(d1_vmcr_keeps_pmr=True))
    run(write(port, 2, lookup("ICH_VMCR_EL2"), 0xFF000000))
    assert run(read(port, 1, lookup("ICC_PMR_EL1"))) == 0xFF
