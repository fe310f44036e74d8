"""The memory-mapped registers of GICv2: consistent, and equal to the architecture's numbers (spec 1.9)."""

import pytest

from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from hw.fields import Access, LRState
from hw.layouts import layout_of
from hw.mmio import Frame
from hw.mmio_map import MMIO_BY_NAME, MMIO_REGISTERS, find_register, lookup_mmio, register_on
from hw.registers import lookup
from hw.registers_v2 import LR_CPUID, LR_EOI, REGISTERS_V2


def test_names_and_places_are_unique():
    assert len(MMIO_BY_NAME) == len(MMIO_REGISTERS)
    words = [(r.frame, r.offset + byte) for r in MMIO_REGISTERS for byte in range(0, r.width // 8, 4)]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("register", REGISTERS_V2, ids=lambda register: register.name)
def test_fields_do_not_overlap(register):
    seen = 0
    for field in register.fields:
        assert not seen & field.mask, f"{field.name} overlaps"
        assert field.lsb + field.width <= register.width
        seen |= field.mask


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("GICH_HCR", 0x00), ("GICH_VTR", 0x04), ("GICH_VMCR", 0x08), ("GICH_MISR", 0x10),
        ("GICH_EISR0", 0x20), ("GICH_EISR1", 0x24), ("GICH_ELRSR0", 0x30), ("GICH_ELRSR1", 0x34),
        ("GICH_APR", 0xF0), ("GICH_LR0", 0x100), ("GICH_LR63", 0x1FC),
        ("GICV_CTLR", 0x00), ("GICV_PMR", 0x04), ("GICV_BPR", 0x08), ("GICV_IAR", 0x0C),
        ("GICV_EOIR", 0x10), ("GICV_RPR", 0x14), ("GICV_HPPIR", 0x18), ("GICV_ABPR", 0x1C),
        ("GICV_AIAR", 0x20), ("GICV_AEOIR", 0x24), ("GICV_AHPPIR", 0x28), ("GICV_APR3", 0xDC),
        ("GICV_IIDR", 0xFC), ("GICV_DIR", 0x1000),
        ("GICC_AIAR", 0x20), ("GICC_APR0", 0xD0), ("GICC_NSAPR3", 0xEC), ("GICC_DIR", 0x1000),
    ],
)  # fmt: skip
def test_offsets(name, offset):
    """Spec section 1.9."""
    register = lookup_mmio(name)
    assert register.offset == offset
    assert register_on(register.frame, offset + 2) is register
    assert find_register(name) is register


def test_nothing_else_is_mapped():
    """A hole has no register, nor has the byte after a frame's last one."""
    assert register_on(Frame.GICH, 0x0C) is None
    assert register_on(Frame.GICH, 0x200) is None
    assert register_on(Frame.GICV, 0xE0) is None
    assert register_on(Frame.GICV, 0x1004) is None


def test_accesses_of_other_sizes_are_not_taken():
    """A register of GICv2 takes aligned words only."""
    for register in REGISTERS_V2:
        at = register.offset
        assert register.takes(at, 4)
        assert not any(
            register.takes(at + shift, size) for shift, size in ((0, 1), (0, 2), (2, 2), (2, 4), (0, 8))
        )


def test_access_types():
    """Spec section 1.9: what is read-only, what is write-only, what is destructive to read."""
    names = {access: {r.name for r in REGISTERS_V2 if r.access is access} for access in Access}
    frames = ("GICV", "GICC")
    assert names[Access.WO] == {f"{f}_{n}" for f in frames for n in ("EOIR", "AEOIR", "DIR")}
    read_only = {f"{f}_{n}" for f in frames for n in ("IAR", "RPR", "HPPIR", "AIAR", "AHPPIR", "IIDR")}
    status = {f"GICH_{n}" for n in ("VTR", "MISR", "EISR0", "EISR1", "ELRSR0", "ELRSR1")}
    assert names[Access.RO] == read_only | status
    assert {r.name for r in REGISTERS_V2 if r.read_effect} == {
        f"{f}_{n}" for f in frames for n in ("IAR", "AIAR")
    }


def test_fields_are_the_architectures():
    """Spec section 1.9: the LR of G02 and the VMCR of G01, field by field."""
    lr = lookup_mmio("GICH_LR0")
    assert lr.decode(0x9400_A028) == {
        "VirtualID": 40, "PhysicalID": 40, "Priority": 8, "State": LRState.PENDING, "Grp1": 0, "HW": 1
    }  # fmt: skip
    assert LR_EOI.mask == 1 << 19
    assert LR_CPUID.get(0xC05) == 3
    for config in (GicV2Config(), GicV2Config(64)):
        assert lookup_mmio("GICH_VMCR").reset_value(config) == 0x004C0000
        assert lookup_mmio("GICH_VTR").reset_value(config) == config.vtr
        assert lookup_mmio("GICH_HCR").stored_mask(config) == 0xF80000FF
        assert lookup_mmio("GICV_PMR").stored_mask(config) == 0xF8
    assert lookup_mmio("GICV_IIDR").reset_value(GicV2Config()) == 0x0002043B
    assert lookup_mmio("GICC_ABPR").reset_value(PhysicalConfig(pri_bits=4)) == 4


def test_missing_list_registers_and_words():
    """REG-8, V2-1: LRs beyond the build and APR words beyond the first do not exist."""
    config = GicV2Config(lrs=5)
    assert [n for n in range(64) if lookup_mmio(f"GICH_LR{n}").exists(config)] == [0, 1, 2, 3, 4]
    assert [n for n in range(4) if lookup_mmio(f"GICV_APR{n}").exists(config)] == [0]
    assert [n for n in range(4) if lookup_mmio(f"GICC_APR{n}").exists(PhysicalConfig(pri_bits=6))] == [0, 1]


def test_layouts_follow_the_tables():
    assert layout_of("GICH_LR0")["State"].offset == 28
    assert layout_of("GICH_LR0").size == 32


def test_the_fields_of_both_generations_agree():
    """GICv3 kept the GICv2 positions of the maintenance enables and of MISR."""
    for new, old in (("ICH_HCR_EL2", "GICH_HCR"), ("ICH_MISR_EL2", "GICH_MISR")):
        fields = {field.name.lower(): field.mask for field in lookup(new).fields}
        for field in lookup_mmio(old).fields:
            assert fields[field.name.lower()] == field.mask


def test_unknown_register_is_named():
    with pytest.raises(InputError, match=r"unknown register 'GICH_HRC'; did you mean GICH_HCR\?"):
        find_register("GICH_HRC")
    with pytest.raises(InputError, match="unknown register 'ICH_HRC_EL2'"):
        find_register("ICH_HRC_EL2")
