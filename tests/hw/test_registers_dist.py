"""The register table of the distributor: consistent, and equal to the architecture's numbers."""

import pytest

from hw.config_physical import PhysicalConfig
from hw.fields import Access
from hw.mmio import Frame
from hw.mmio_map import lookup_mmio, register_on
from hw.registers_dist import GICR_STRIDE, REGISTERS_DIST


def test_fields_do_not_overlap():
    for register in REGISTERS_DIST:
        seen = 0
        for field in register.fields:
            assert not seen & field.mask, f"{register.name}.{field.name} overlaps"
            assert field.lsb + field.width <= register.width, register.name
            seen |= field.mask


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("GICD_CTLR", 0x0), ("GICD_TYPER", 0x4), ("GICD_IIDR", 0x8), ("GICD_IGROUPR1", 0x84),
        ("GICD_ISENABLER0", 0x100), ("GICD_ICENABLER30", 0x1F8), ("GICD_ISPENDR1", 0x204),
        ("GICD_ICPENDR1", 0x284), ("GICD_ISACTIVER1", 0x304), ("GICD_ICACTIVER1", 0x384),
        ("GICD_IPRIORITYR8", 0x420), ("GICD_ITARGETSR8", 0x820), ("GICD_ICFGR2", 0xC08),
        ("GICD_SGIR", 0xF00), ("GICD_CPENDSGIR3", 0xF1C), ("GICD_SPENDSGIR0", 0xF20),
        ("GICD_ICPIDR2", 0xFE8), ("GICD_IROUTER32", 0x6100), ("GICD_IROUTER991", 0x7EF8),
        ("GICD_PIDR2", 0xFFE8),
        ("GICR_CTLR", 0x0), ("GICR_IIDR", 0x4), ("GICR_TYPER", 0x8), ("GICR_WAKER", 0x14),
        ("GICR_PIDR2", 0xFFE8), ("GICR_IGROUPR0", 0x10080), ("GICR_ISENABLER0", 0x10100),
        ("GICR_ICENABLER0", 0x10180), ("GICR_ISPENDR0", 0x10200), ("GICR_ICPENDR0", 0x10280),
        ("GICR_ISACTIVER0", 0x10300), ("GICR_ICACTIVER0", 0x10380), ("GICR_IPRIORITYR7", 0x1041C),
        ("GICR_ICFGR0", 0x10C00), ("GICR_ICFGR1", 0x10C04),
    ],
)  # fmt: skip
def test_offsets(name, offset):
    register = lookup_mmio(name)
    assert register.offset == offset < GICR_STRIDE
    assert register_on(register.frame, offset) is register


def test_sizes():
    """DIST-30: words everywhere, bytes in four kinds, doublewords in two registers."""
    by_sizes = {}
    for register in REGISTERS_DIST:
        by_sizes.setdefault(register.sizes, set()).add(register.name.rstrip("0123456789"))
    assert by_sizes.pop((4, 8)) == {"GICD_IROUTER", "GICR_TYPER"}
    assert by_sizes.pop((1, 4)) == {"GICD_IPRIORITYR", "GICR_IPRIORITYR", "GICD_ITARGETSR",
                                    "GICD_CPENDSGIR", "GICD_SPENDSGIR"}  # fmt: skip
    assert set(by_sizes) == {(4,)}
    assert lookup_mmio("GICD_IROUTER40").takes(0x6144, 4)
    assert not lookup_mmio("GICD_IROUTER40").takes(0x6144, 8)


@pytest.mark.parametrize(("spis", "words"), [(32, 2), (64, 3), (960, 31)])
def test_what_exists(spis, words):
    """DIST-32: a register exists in a build that has its interrupts."""
    config = PhysicalConfig(spis=spis)
    for name, count in (("ISENABLER", words), ("IPRIORITYR", 8 * words), ("ICFGR", 2 * words)):
        found = [r for r in REGISTERS_DIST if r.name.startswith(f"GICD_{name}") and r.exists(config)]
        assert len(found) == count
    routers = [r.index for r in REGISTERS_DIST if r.name.startswith("GICD_IROUTER") and r.exists(config)]
    assert routers == list(range(32, config.intids))


def test_what_exists_in_either_version():
    """DIST-32: a GICv2 has no IROUTER and no GICR; the version is in PIDR2."""
    gicv2, gicv3 = PhysicalConfig(are=False), PhysicalConfig()
    assert not any(r.exists(gicv2) for r in REGISTERS_DIST if r.frame is Frame.GICR or "IROUTER" in r.name)
    assert lookup_mmio("GICD_ICPIDR2").reset_value(gicv2) == 0x20
    assert lookup_mmio("GICD_PIDR2").reset_value(gicv3) == 0x30
    assert not lookup_mmio("GICD_PIDR2").exists(gicv2)
    assert not lookup_mmio("GICD_ICPIDR2").exists(gicv3)


def test_resets():
    """DIST-35, DIST-36."""
    config = PhysicalConfig(spis=64)
    assert lookup_mmio("GICD_CTLR").reset_value(config) == 0x50
    assert lookup_mmio("GICD_TYPER").reset_value(config) == 0x00780002
    assert lookup_mmio("GICR_WAKER").reset_value(config) == 0x6
    assert lookup_mmio("GICD_IPRIORITYR8").stored_mask(config) == 0xF8F8F8F8
    assert lookup_mmio("GICD_IROUTER32").stored_mask(config) == 0x8000000F
    assert lookup_mmio("GICR_ICFGR0").access is Access.RO
