"""Traps, syndromes and UNDEFINED cases of the golden model (TRP-*)."""

import pytest

from hw.config import GicConfig
from hw.registers import REGISTERS, Register, Space, Trap, lookup
from sim.port import ESR_UNDEF, GUEST, Access, Outcome, PeContext, sysreg_esr
from tests.sim.pe import CONFIG, Pe, lr

TC, TALL0, TALL1, TDIR = 1 << 10, 1 << 11, 1 << 12, 1 << 14
EVERYTHING = [(register, write) for register in REGISTERS for write in (False, True)]
COMMON = ("CTLR", "PMR", "RPR", "DIR")
#: Registers trapped by TALL0 and TALL1; those of Group 1 by replacing the digit.
GROUP0 = ("IAR0", "EOIR0", "HPPIR0", "BPR0", "IGRPEN0", "AP0R0")
GROUP1 = ("IAR1", "EOIR1", "HPPIR1", "BPR1", "IGRPEN1", "AP1R0")
SGI = ("SGI0R", "SGI1R", "ASGI1R")


def busy(config: GicConfig = CONFIG, hcr: int = 1, vmcr: int = 0xF84C0203) -> Pe:
    """Return a PE where nearly every access has an effect: one pending, one active entry, EOImode 1."""
    pe = Pe(config)
    pe["VMCR"], pe["AP1R0"] = vmcr, 1 << 16
    pe["LR0"] = lr("P", 40, 0x20, pintid=40)
    if config.lrs > 1:
        pe["LR1"] = lr("A", 41, 0x80, pintid=41)
    pe["HCR"] = hcr
    return pe


def outcome(pe: Pe, el: int, register: Register, write: bool, context: PeContext = GUEST) -> str:
    """Execute an access with an odd operand and say what became of it, effects of a fault checked."""
    before = pe.observed()
    response = pe.golden.access(Access(el, register, write, 41, 7, context))
    if response.outcome is not Outcome.OK:
        assert pe.observed() == before, "TRP-5: a fault changes nothing"
        assert response.value == 0
        undefined = response.outcome is Outcome.UNDEF
        assert response.esr == (ESR_UNDEF if undefined else sysreg_esr(register.encoding, write, 7))
    else:
        assert response.esr == 0
    return response.outcome.name


def faults(register: Register, write: bool) -> bool:
    """Whether the access goes in a direction the register does not have."""
    return not (register.writable if write else register.readable)


# -- what each trap bit covers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bit", "names"),
    [(TC, COMMON + SGI), (TALL0, GROUP0), (TALL1, GROUP1), (TDIR, ("DIR",)), (0, ())],
    ids=["TC", "TALL0", "TALL1", "TDIR", "none"],
)
@pytest.mark.parametrize("physical", [False, True], ids=["virtual", "physical"])
def test_trp_1_2_3_what_each_bit_traps(bit: int, names: tuple[str, ...], physical: bool):
    """TRP-1..3: exactly the listed registers, both directions, with IMO=FMO=0 as well."""
    context = PeContext(imo=False, fmo=False) if physical else GUEST
    for register, write in EVERYTHING:
        if register.space is Space.ICH or not register.exists(CONFIG) or faults(register, write):
            continue
        stem = register.name.split("_")[1]
        trapped = stem in names or (stem in SGI and not physical)
        if register.min_el > 1:
            expected = "UNDEF"
        elif trapped:
            expected = "TRAP_EL2"
        else:
            expected = "UNDEF" if physical and stem != "SRE" else "OK"
        assert outcome(busy(hcr=1 | bit), 1, register, write, context) == expected, (register.name, write)


@pytest.mark.parametrize("en", [0, 1])
def test_trp_2_traps_do_not_need_en(en: int):
    """TRP-2: the trap bits work with HCR.En=0."""
    assert outcome(busy(hcr=en | TALL1), 1, lookup("ICC_IAR1_EL1"), False) == "TRAP_EL2"


def test_trp_2_covers_every_apr_word():
    """TRP-2: all four words of each group where they exist."""
    config = GicConfig(pri_bits=7, pre_bits=7)
    for n in range(4):
        for group, bit in ((0, TALL0), (1, TALL1)):
            register = lookup(f"ICC_AP{group}R{n}_EL1")
            assert outcome(busy(config, 1 | bit), 1, register, True) == "TRAP_EL2"
            assert outcome(busy(config, 1 | (TALL0 ^ TALL1 ^ bit)), 1, register, True) == "OK"


def test_trp_7_tsei_traps_nothing():
    """TRP-7: no SError is generated, so TSEI, where it can be stored, changes no access."""
    tsei = lookup("ICH_HCR_EL2").field("TSEI").mask
    config = GicConfig(seis=True)
    pe = busy(config, 1 | tsei)
    for name in ("ICC_IAR1_EL1", "ICC_HPPIR0_EL1", "ICC_RPR_EL1", "ICC_PMR_EL1", "ICC_CTLR_EL1"):
        assert outcome(pe, 1, lookup(name), False) == "OK"
    assert outcome(pe, 1, lookup("ICC_DIR_EL1"), True) == "OK"


def test_trp_3_without_tds_only_tc_traps_dir():
    """TRP-3: TDIR is RES0 with TDS=0."""
    config = GicConfig(tds=False)
    register = lookup("ICC_DIR_EL1")
    assert outcome(busy(config, 1 | TDIR), 1, register, True) == "OK"
    assert outcome(busy(config, 1 | TC), 1, register, True) == "TRAP_EL2"


@pytest.mark.parametrize("name", SGI)
@pytest.mark.parametrize(
    ("imo", "fmo", "hcr", "expected"),
    [(1, 0, 0, "TRAP_EL2"), (0, 1, 0, "TRAP_EL2"), (0, 0, TC, "TRAP_EL2"), (0, 0, TALL0 | TALL1, "UNDEF")],
)
def test_trp_4_sgi_registers(name: str, imo: int, fmo: int, hcr: int, expected: str):
    """TRP-4: an EL1 SGI traps when IMO, FMO or TC is 1; otherwise it is physical, which is not here."""
    context = PeContext(imo=bool(imo), fmo=bool(fmo))
    assert outcome(busy(hcr=hcr), 1, lookup(f"ICC_{name}_EL1"), True, context) == expected


@pytest.mark.parametrize(("register", "write"), EVERYTHING, ids=lambda x: getattr(x, "name", "RW"[x is True]))
def test_trp_5_no_fault_has_an_effect(register: Register, write: bool):
    """TRP-5: whatever faults, under all traps, changes nothing; EL0 and EL3 get no answer."""
    pe = busy(hcr=1 | TC | TALL0 | TALL1 | TDIR)
    for el in (0, 3):
        assert outcome(pe, el, register, write) == "UNDEF"
    if register.space is not Space.ICH and register.name != "ICC_SRE_EL1":
        assert outcome(pe, 1, register, write) in ("TRAP_EL2", "UNDEF")


# -- order of the checks ----------------------------------------------------------------------------


def test_trp_6_missing_apr_word_is_undefined_before_everything():
    """TRP-6: UNDEFINED before SRE, TALLx and NV."""
    context = GUEST._replace(sre_el1=False, nv=True)
    for name in ("ICC_AP0R1_EL1", "ICC_AP1R3_EL1", "ICC_NMIAR1_EL1"):
        assert outcome(busy(hcr=1 | TALL0 | TALL1), 1, lookup(name), False, context) == "UNDEF"


def test_trp_6_wrong_direction_is_undefined_before_everything():
    """TRP-6: a write of a read-only or a read of a write-only register never traps."""
    context = GUEST._replace(sre_el1=False, sre_el2=False, nv=True, hfgrtr_igrpen=True, hfgwtr_igrpen=True)
    wrong = [(register, write) for register, write in EVERYTHING if faults(register, write)]
    assert len(wrong) > 20
    for register, write in wrong:
        for el in (1, 2):
            assert outcome(busy(hcr=1 | TC | TALL0 | TALL1 | TDIR), el, register, write, context) == "UNDEF"


def test_trp_6_sre_el1_comes_before_the_el2_traps():
    """TRP-6 (b): with ICC_SRE_EL1.SRE=0 every ICC access but ICC_SRE_EL1 itself traps to EL1."""
    context = GUEST._replace(sre_el1=False, hfgrtr_igrpen=True, hfgwtr_igrpen=True)
    for register, write in EVERYTHING:
        if register.space is Space.ICH or register.min_el > 1 or not register.exists(CONFIG):
            continue
        if not faults(register, write):
            expected = "OK" if register.name == "ICC_SRE_EL1" else "TRAP_EL1"
            got = outcome(busy(hcr=1 | TC | TALL0 | TALL1 | TDIR), 1, register, write, context)
            assert got == expected, register.name


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("trapped", ["hfgrtr_igrpen", "hfgwtr_igrpen"])
def test_trp_6_fine_grained_traps(write: bool, trapped: str):
    """TRP-6 (c): HFGRTR traps reads and HFGWTR writes of IGRPEN0/1 and nothing else, even physical."""
    for imo in (True, False):
        context = GUEST._replace(**{trapped: True}, imo=imo, fmo=imo)
        hit = write == (trapped == "hfgwtr_igrpen")
        for name in ("IGRPEN0", "IGRPEN1"):
            expected = "TRAP_EL2" if hit else "OK" if imo else "UNDEF"
            assert outcome(busy(), 1, lookup(f"ICC_{name}_EL1"), write, context) == expected
        assert outcome(busy(), 1, lookup("ICC_PMR_EL1"), write, context) == ("OK" if imo else "UNDEF")


def test_trp_8_ich_at_el1():
    """TRP-8: UNDEFINED at EL1; with HCR_EL2.NV a trap to EL2, ICC_SRE_EL2 included."""
    for register, write in EVERYTHING:
        if register.min_el != 2 or faults(register, write):
            continue
        exists = register.exists(CONFIG)
        assert outcome(busy(), 1, register, write) == "UNDEF"
        nested = outcome(busy(), 1, register, write, GUEST._replace(nv=True))
        assert nested == ("TRAP_EL2" if exists else "UNDEF"), register.name


def test_trp_8_nv_leaves_the_guests_own_registers_alone():
    """TRP-8: NV concerns EL2 registers only."""
    for name in (*COMMON, *GROUP0, *GROUP1):
        register = lookup(f"ICC_{name}_EL1")
        write = not register.readable
        assert outcome(busy(), 1, register, write, GUEST._replace(nv=True)) == "OK", name


def test_trp_8_sre_el2():
    """TRP-8: with ICC_SRE_EL2.SRE=0 an EL2 access traps to EL2; the SRE registers themselves answer."""
    context = GUEST._replace(sre_el2=False)
    for register, write in EVERYTHING:
        if register.space is Space.ICV or register.min_el > 2 or faults(register, write):
            continue
        if not register.exists(CONFIG):
            expected = "UNDEF"
        else:
            expected = "OK" if register.name in ("ICC_SRE_EL1", "ICC_SRE_EL2") else "TRAP_EL2"
        assert outcome(busy(), 2, register, write, context) == expected, register.name


@pytest.mark.parametrize(("imo", "fmo"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_trp_9_redirection(imo: int, fmo: int):
    """TRP-9: names with 0 by FMO, names with 1 by IMO, common ones by either; else physical, UNDEFINED."""
    context = PeContext(imo=bool(imo), fmo=bool(fmo))
    redirected = {
        **dict.fromkeys(GROUP0, fmo),
        **dict.fromkeys(GROUP1, imo),
        **dict.fromkeys(COMMON, imo or fmo),
    }
    for name, answers in redirected.items():
        register = lookup(f"ICC_{name}_EL1")
        write = not register.readable
        assert outcome(busy(), 1, register, write, context) == ("OK" if answers else "UNDEF"), name


def test_trp_9_an_icv_name_stands_for_its_encoding():
    """TRP-9: there are no ICV encodings; the name gives the ICC register's answer."""
    assert outcome(busy(), 1, lookup("ICV_IAR1_EL1"), False) == "OK"
    assert outcome(busy(hcr=1 | TALL1), 1, lookup("ICV_IAR1_EL1"), False) == "TRAP_EL2"
    assert outcome(busy(), 1, lookup("ICV_IAR1_EL1"), False, PeContext(imo=False)) == "UNDEF"


# -- syndromes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "write", "rt", "hcr", "esr"),
    [
        ("ICC_IAR1_EL1", False, 0, TALL1, 0x62303019),
        ("ICC_DIR_EL1", True, 1, TDIR, 0x62323036),
        ("ICC_DIR_EL1", True, 1, TC, 0x62323036),
        ("ICC_SGI1R_EL1", True, 0, 0, 0x623A3016),
        ("ICC_PMR_EL1", False, 31, TC, 0x6230_1000 | 31 << 5 | 6 << 1 | 1),
    ],
)
def test_trp_10_syndrome(name: str, write: bool, rt: int, hcr: int, esr: int):
    """TRP-10: recorded values, and Rt in its place."""
    response = busy(hcr=1 | hcr).golden.access(Access(1, lookup(name), write, 0, rt))
    assert (response.outcome, f"{response.esr:#x}") == (Outcome.TRAP_EL2, f"{esr:#x}")


# -- UNDEFINED cases --------------------------------------------------------------------------------


def test_reg_8_9_missing_registers():
    """REG-8, REG-9: exactly the LRs and APR words of the build answer, at EL2 and under both names."""
    for config in (
        GicConfig(lrs=1),
        GicConfig(lrs=5, pri_bits=6, pre_bits=6),
        GicConfig(lrs=16, pri_bits=7, pre_bits=7),
    ):
        for n in range(16):
            got = outcome(busy(config), 2, lookup(f"ICH_LR{n}_EL2"), True)
            assert got == ("OK" if n < config.lrs else "UNDEF")
        for group in (0, 1):
            for n in range(4):
                expected = "OK" if n < config.apr_words else "UNDEF"
                assert outcome(busy(config), 2, lookup(f"ICH_AP{group}R{n}_EL2"), False) == expected
                assert outcome(busy(config), 1, lookup(f"ICC_AP{group}R{n}_EL1"), True) == expected


def test_physical_registers_at_el2_are_undefined():
    """These builds have no physical interface: every ICC register at EL2 but the SRE ones."""
    for register, write in EVERYTHING:
        if register.space is not Space.ICH and not register.name.startswith("ICC_SRE"):
            assert outcome(busy(), 2, register, write) == "UNDEF", register.name


@pytest.mark.parametrize("el", [1, 2])
@pytest.mark.parametrize("name", ["ICC_CTLR_EL3", "ICC_SRE_EL3", "ICC_IGRPEN1_EL3", "ICC_NMIAR1_EL1"])
def test_registers_of_absent_parts_are_undefined(el: int, name: str):
    """EL3 registers and FEAT_GICv3_NMI do not exist here, with NV neither."""
    for context in (GUEST, GUEST._replace(nv=True)):
        for write in (False, True):
            assert outcome(busy(), el, lookup(name), write, context) == "UNDEF"


@pytest.mark.parametrize("el", [0, 1, 2, 3])
def test_unknown_encodings_are_undefined(el: int):
    """An encoding outside the table is UNDEFINED at every level."""
    like = lookup("ICC_PMR_EL1")
    unknown = Register("ICC_UNKNOWN_EL1", Space.ICC, like.encoding ^ 1, like.access, 32, (), "", Trap.NONE)
    for write in (False, True):
        assert outcome(busy(), el, unknown, write, GUEST._replace(nv=True)) == "UNDEF"


@pytest.mark.parametrize(
    ("el", "name", "value"), [(1, "ICC_SRE_EL1", 7), (2, "ICC_SRE_EL1", 7), (2, "ICC_SRE_EL2", 15)]
)
def test_sre_registers_are_fixed(el: int, name: str, value: int):
    """Section 1.8: a system-register-only build reads 0x7 and 0xF, and writes are ignored."""
    pe = busy(hcr=1 | TC | TALL0 | TALL1)
    before = pe.observed()
    assert pe.access(el, name, 0).outcome is Outcome.OK
    assert (pe.access(el, name).value, pe.observed()) == (value, before)
