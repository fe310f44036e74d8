"""The glossary has every word that a log, a report or the demo prints without explaining it."""

import re
from pathlib import Path

from hw.registers import REGISTERS
from sim.kvm.profile import PROFILES
from sim.machine.runner import Exit
from sim.policy.names import POLICIES
from tb.record.job import MISR_MEANINGS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "glossary.md").read_text()


def _has(word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", TEXT) is not None


def test_causes_of_exits():
    """Bits of ICH_MISR_EL2, and the other causes that an exit is documented to have."""
    others = re.search(r"or (KICK[^)]*)\)", " ".join(Exit.__doc__.split()))[1].split(", ")
    assert len(others) >= 6
    for word in [*MISR_MEANINGS, *others]:
        assert f"`{word}`" in TEXT, word


def test_what_the_readme_promises_is_there():
    promised = re.search(
        r"\[The words\]\(docs/glossary\.md\): (.*?)\.", (ROOT / "README.md").read_text(), re.S
    )[1]
    for word in promised.split(","):
        assert re.search(rf"^\| [^|]*{word.strip()}[^|]* \|", TEXT, re.MULTILINE), word


def test_hypervisors():
    for name in [*PROFILES, *POLICIES]:
        assert f"`{name}`" in TEXT, name


def test_bits_that_ask_for_maintenance():
    """UIE and the others; those of groups stand for each other."""
    (hcr,) = [register for register in REGISTERS if register.name == "ICH_HCR_EL2"]
    bits = [
        field.name for field in hcr.fields if field.name.endswith("IE") and not field.name.startswith("VGrp")
    ]
    assert bits == ["UIE", "LRENPIE", "NPIE"]
    assert all(_has(bit) for bit in bits)
