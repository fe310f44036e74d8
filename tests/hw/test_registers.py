"""The register table: consistent in itself, and equal to the architecture's numbers."""

import pytest

from hw.config import GicConfig
from hw.errors import InputError
from hw.registers import BY_ENCODING, BY_NAME, REGISTERS, Access, Redirect, Space, Trap, lookup, sys_reg


def test_names_are_unique():
    assert len(BY_NAME) == len(REGISTERS)


def test_one_register_for_each_encoding():
    """ICV registers share the encoding of their ICC register; nothing else is shared."""
    owners = [register for register in REGISTERS if register.space is not Space.ICV]
    assert len({register.encoding for register in owners}) == len(owners) == len(BY_ENCODING)
    for register in REGISTERS:
        if register.space is Space.ICV:
            assert BY_ENCODING[register.encoding].virtual == register.name


@pytest.mark.parametrize("register", REGISTERS, ids=lambda register: register.name)
def test_fields_do_not_overlap(register):
    seen = 0
    for field in register.fields:
        assert not seen & field.mask, f"{field.name} overlaps"
        assert field.lsb + field.width <= register.width
        seen |= field.mask


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("ICH_AP0R2_EL2", (4, 12, 8, 2)),
        ("ICH_AP1R3_EL2", (4, 12, 9, 3)),
        ("ICC_SRE_EL2", (4, 12, 9, 5)),
        ("ICH_HCR_EL2", (4, 12, 11, 0)),
        ("ICH_VTR_EL2", (4, 12, 11, 1)),
        ("ICH_MISR_EL2", (4, 12, 11, 2)),
        ("ICH_EISR_EL2", (4, 12, 11, 3)),
        ("ICH_ELRSR_EL2", (4, 12, 11, 5)),
        ("ICH_VMCR_EL2", (4, 12, 11, 7)),
        ("ICH_LR7_EL2", (4, 12, 12, 7)),
        ("ICH_LR8_EL2", (4, 12, 13, 0)),
        ("ICH_LR15_EL2", (4, 12, 13, 7)),
        ("ICC_PMR_EL1", (0, 4, 6, 0)),
        ("ICC_IAR0_EL1", (0, 12, 8, 0)),
        ("ICC_AP0R3_EL1", (0, 12, 8, 7)),
        ("ICC_AP1R1_EL1", (0, 12, 9, 1)),
        ("ICC_NMIAR1_EL1", (0, 12, 9, 5)),
        ("ICC_DIR_EL1", (0, 12, 11, 1)),
        ("ICC_RPR_EL1", (0, 12, 11, 3)),
        ("ICC_SGI1R_EL1", (0, 12, 11, 5)),
        ("ICC_ASGI1R_EL1", (0, 12, 11, 6)),
        ("ICC_SGI0R_EL1", (0, 12, 11, 7)),
        ("ICC_IAR1_EL1", (0, 12, 12, 0)),
        ("ICC_BPR1_EL1", (0, 12, 12, 3)),
        ("ICC_CTLR_EL1", (0, 12, 12, 4)),
        ("ICC_SRE_EL1", (0, 12, 12, 5)),
        ("ICC_IGRPEN0_EL1", (0, 12, 12, 6)),
        ("ICC_IGRPEN1_EL1", (0, 12, 12, 7)),
        ("ICC_CTLR_EL3", (6, 12, 12, 4)),
    ],
)
def test_encodings(name, encoding):
    """Spec section 1.1."""
    op1, crn, crm, op2 = encoding
    assert lookup(name).encoding == sys_reg(3, op1, crn, crm, op2)


def test_trap_classes():
    """TRP-1, TRP-2, TRP-3: exactly the architecture's lists."""
    by_trap = {trap: set() for trap in Trap}
    for register in BY_ENCODING.values():
        by_trap[register.trap].add(register.name.removeprefix("ICC_").removesuffix("_EL1"))
    assert by_trap[Trap.COMMON] == {"CTLR", "PMR", "RPR"}
    assert by_trap[Trap.DIR] == {"DIR"}
    assert by_trap[Trap.SGI] == {"SGI0R", "SGI1R", "ASGI1R"}
    for group, trap in ((0, Trap.GROUP0), (1, Trap.GROUP1)):
        names = {f"{name}{group}" for name in ("IAR", "EOIR", "HPPIR", "BPR", "IGRPEN")}
        assert by_trap[trap] == names | {f"AP{group}R{n}" for n in range(4)}


def test_redirection_classes():
    """TRP-9: names with 0 follow FMO, names with 1 follow IMO, the common ones either."""
    for register in REGISTERS:
        if register.space is Space.ICV:
            name = register.name.split("_")[1]
            digit = name[2] if name.startswith("AP") else name[-1]
            expected = {"0": Redirect.FMO, "1": Redirect.IMO}.get(digit, Redirect.EITHER)
            assert register.redirect is expected, register.name


def test_access_types():
    """Spec section 1.1: the read-only and the write-only registers, and the destructive reads."""
    icv = [register for register in REGISTERS if register.space is Space.ICV]
    assert {r.name for r in icv if r.access is Access.WO} == {
        "ICV_DIR_EL1", "ICV_EOIR0_EL1", "ICV_EOIR1_EL1"
    }  # fmt: skip
    assert {r.name for r in REGISTERS if r.read_effect} == {
        f"{space}_IAR{group}_EL1" for space in ("ICC", "ICV") for group in (0, 1)
    }
    read_only = {"VTR", "MISR", "EISR", "ELRSR"}
    for name in read_only:
        assert not lookup(f"ICH_{name}_EL2").writable


def test_hcr_filter():
    """Spec section 1.2: TDIR needs TDS, TSEI needs SEIS, vSGIEOICount needs direct injection."""
    hcr = lookup("ICH_HCR_EL2")
    assert hcr.stored_mask(GicConfig()) == 0xF8005CFF
    assert hcr.stored_mask(GicConfig(tds=False)) == 0xF8001CFF
    assert hcr.stored_mask(GicConfig(seis=True)) == 0xF8007CFF
    assert hcr.stored_mask(GicConfig(nv4=False)) == 0xF8005DFF
    assert hcr.stored_mask(GicConfig(nv4=False, dvim=True)) == 0xF800DDFF


def test_resets():
    """REG-13, spec section 1.4."""
    config = GicConfig(id_bits=24)
    assert lookup("ICH_VMCR_EL2").reset_value(config) == 0x004C0008
    assert lookup("ICH_VTR_EL2").reset_value(config) == 0x90B80003
    assert lookup("ICV_CTLR_EL1").reset_value(config) == 0x8C00
    assert lookup("ICC_SRE_EL1").reset_value(config) == 0x7
    assert lookup("ICC_SRE_EL2").reset_value(config) == 0xF


def test_unknown_register_is_named():
    with pytest.raises(InputError, match=r"unknown register 'ICH_HRC_EL2'; did you mean ICH_HCR_EL2\?"):
        lookup("ICH_HRC_EL2")


def test_field_access():
    """A field extracts and replaces its own bits only."""
    field = lookup("ICH_HCR_EL2").field("EOIcount")
    assert field.get(0xF8000001) == 31
    assert field.put(0xF8000001, 2) == 0x10000001
    with pytest.raises(KeyError, match="ICH_HCR_EL2 has no field EOICount"):
        lookup("ICH_HCR_EL2").field("EOICount")
