"""Systems of gateware at the level of cycles, and with single rules broken."""

from unittest import mock

import pytest

from hw import (
    decode,
    distributor_registers,
    distributor_scan,
    physical_control,
    physical_interface,
)
from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.distributor import Distributor
from hw.errors import InputError
from hw.export import to_verilog
from hw.mmio_map import lookup_mmio
from hw.registers import lookup
from hw.system import SystemV2
from sim.directed_physical import load_physical, run_physical
from sim.engines.amaranth_system import AmaranthSystemEngine
from sim.port import Access, PeContext, read, write
from sim.system_port import System

HOST = PeContext(imo=False, fmo=False)


def _highest(word):
    return [word[n] & ~word[n + 1 :].any() for n in range(len(word) - 1)] + [word[-1]]


#: Rule -> module or class, what to replace in it, by what, and the directed test that must fail.
BREAKAGES = {
    "ties go to the largest INTID (DIST-12)": (
        distributor_scan, "_lowest", _highest, "DIST-12a",
    ),
    "SGIs can be made level (DIST-9)": (distributor_registers, "_SGIS", 0, "DIST-9"),
    "BPR goes below its minimum (PHY-8)": (
        physical_control, "at_least", lambda value, minimum: value, "PHY-8",
    ),
    "EOIR looks at more than 16 bits (PHY-5)": (physical_interface, "_OPERAND_BITS", 24, "PHY-5e"),
    "the virtual side's APR words (PHY-11)": (
        decode.Decoder, "_is_physical",
        lambda self, register: decode._needs_sre(register) and register.exists(self._config), "PHY-15",
    ),
    "an acknowledge keeps the source (DIST-26)": (
        Distributor, "_change_sources", lambda self, m, bit, activates: None, "DIST-25",
    ),
    "PE 0's private interrupts are everybody's (DIST-29)": (
        SystemV2, "_accessor", lambda self, arbiter: 0, "DIST-29",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_broken_rule_fails_its_directed_test(name):
    owner, attribute, replacement, number = BREAKAGES[name]
    test = next(test for test in load_physical() if test.number == number)
    profile = test.profile
    with mock.patch.object(owner, attribute, replacement):
        config = profile.config or GicV2Config()
        engine = AmaranthSystemEngine(config, profile.physical, profile.pes)
        assert engine.run(run_physical, {"test": test}) != []


def run_on_one_pe(job):
    """Run ``await job(system)`` on a small system of gateware."""
    return AmaranthSystemEngine(GicConfig(lrs=1), PhysicalConfig(), 1).run(job, {})


async def open_group_1(system: System) -> None:
    """Forward Group 1 to PE 0, with every SPI in it and enabled."""
    port = system.ports[0]
    for name, value in (("GICD_CTLR", 2), ("GICR_WAKER", 0), ("GICD_IGROUPR1", -1), ("GICD_ISENABLER1", -1)):
        await write(port, 2, lookup_mmio(name), value & 0xFFFF_FFFF)
    await write(port, 2, lookup("ICC_PMR_EL1"), 0xFF, HOST)
    await write(port, 2, lookup("ICC_IGRPEN1_EL1"), 1, HOST)


def test_a_pulse_of_one_cycle_is_an_edge():
    """DIST-2: while the distributor is at other work, too."""

    async def job(system):
        port, pins = system.ports[0], system.pins
        await write(port, 2, lookup_mmio("GICD_ICFGR2"), 0xAAAA_AAAA)
        for bit in (0, 1, 15):
            pins.set("spi", 1 << bit)
            await pins.cycles(1)
        pins.set("spi", 0)
        system.disturb()
        await system.settle()
        return await read(port, 2, lookup_mmio("GICD_ISPENDR1"))

    assert run_on_one_pe(job) == 0x8003


def test_restless_inputs_hold_nobody_off():
    """An input that changes in every cycle makes no access wait longer than two searches and its work."""

    async def job(system):
        await open_group_1(system)
        pins, port = system.pins, system.ports[0]
        passed = 0
        calm = pins.cycles

        async def restless(count):
            nonlocal passed
            for _ in range(count):
                passed += 1
                pins.set("spi", 1 << 8 | passed % 2)
                await calm(1)

        await restless(20)
        pins.cycles = restless
        took = []
        accesses = [
            Access(2, lookup("ICC_IAR1_EL1"), context=HOST),
            Access(2, lookup_mmio("GICD_ISACTIVER1")),
        ]
        accesses.append(Access(2, lookup("ICC_EOIR1_EL1"), True, 32, context=HOST))
        answers = []
        for access in accesses:
            before = passed
            answers.append((await port.access(access)).value)
            took.append(passed - before)
        return answers, took

    answers, took = run_on_one_pe(job)
    assert answers[0] in (32, 40)
    assert answers[1] == 1 << answers[0] - 32
    assert max(took) < 64


def test_reset_forgets_and_keeps_the_lines():
    """DIST-36: a line that is high at reset is no edge, and pending as a level."""

    async def job(system):
        port = system.ports[0]
        await write(port, 2, lookup_mmio("GICD_ICFGR2"), 0xAAAA_AAAA)
        await system.drive(40, True)
        before = await read(port, 2, lookup_mmio("GICD_ISPENDR1"))
        await system.reset()
        assert await read(port, 2, lookup_mmio("GICR_ICFGR0")) == 0xAAAA_AAAA
        level = await read(port, 2, lookup_mmio("GICD_ISPENDR1"))
        await write(port, 2, lookup_mmio("GICD_ICFGR2"), 0xAAAA_AAAA)
        return before, level, await read(port, 2, lookup_mmio("GICD_ISPENDR1"))

    assert run_on_one_pe(job) == (0x100, 0x100, 0)


def test_inputs_that_are_not_there():
    async def job(system):
        await system.drive(64, True)

    with pytest.raises(InputError, match="interrupt 64 has no input; PPIs and SPIs are 16 to 63"):
        run_on_one_pe(job)


def test_systems_that_cannot_be_made():
    with pytest.raises(InputError, match="a cluster has 1 to 8 PEs, not 9"):
        to_verilog(GicConfig(), 9, physical=PhysicalConfig())
    with pytest.raises(InputError, match="a GICv3 system has affinity routing; take"):
        to_verilog(GicConfig(), 1, physical=PhysicalConfig(are=False))
    with pytest.raises(InputError, match="a GICv2 system has no affinity routing"):
        to_verilog(GicV2Config(), 1, physical=PhysicalConfig())
