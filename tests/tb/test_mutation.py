"""Mutants: what the checks notice, and that a solver never calls one equivalent that a check has noticed."""

import re
from collections import Counter

import pytest

from hw.config import GicConfig
from hw.errors import InputError
from hw.registers import lookup
from sim.marked_page import read_page
from tb.cli import main
from tb.mutation.checks import Checks
from tb.mutation.design import convert
from tb.mutation.equivalence import CONTRACT, SAME, Equivalence, keeps_contract, same
from tb.mutation.netlist import Mutant, prepare, sample, selectable
from tb.mutation.port import build
from tb.mutation.record import Record
from tb.mutation.run import Campaign, Verdict, score
from tb.mutation.table import BEGIN, END, tables

SMALL = GicConfig(lrs=1)
MUTANTS = 10


@pytest.fixture(scope="module")
def netlist():
    return prepare(convert(SMALL))


@pytest.fixture(scope="module")
def mutants(netlist):
    return sample(netlist, MUTANTS, 1)


@pytest.fixture(scope="module")
def noticed(netlist, mutants):
    """Return what is noticed of each mutant, by number; 0 is none, the last is one that no reset reaches."""
    valid = re.search(
        r"cell \$sdff (\S+)\n(    .*\n)*?    connect \\Q \\dut.cpu__deactivate__valid\n", netlist
    )
    options = {"mode": "const0", "cell": valid[1], "port": "SRST", "portbit": "0"}
    unreset = Mutant(MUTANTS + 1, tuple(options.items()), ())
    checks = Checks(build(SMALL, selectable(netlist, [*mutants, unreset])), SMALL, 1, 1000, 3000)
    return {number: checks.notice(number) for number in range(MUTANTS + 2)}


def test_a_sample_is_distinct_and_in_the_interface(netlist, mutants):
    assert len({mutant.options for mutant in mutants}) == MUTANTS
    assert [mutant.number for mutant in mutants] == list(range(1, MUTANTS + 1))
    assert sample(netlist, MUTANTS, 1) == mutants
    assert sample(netlist, MUTANTS, 2) != mutants
    assert any(source.startswith("hw/") for mutant in mutants for source in mutant.sources)


def test_the_gateware_itself_is_not_noticed(noticed):
    assert noticed[0] == {}


def test_a_deactivation_that_outlives_a_reset_is_noticed(noticed):
    assert noticed[MUTANTS + 1] == {"stream": "deactivation: expected none, got 0"}


def test_most_mutants_are_noticed(noticed):
    assert sum(bool(noticed[number]) for number in range(1, MUTANTS + 1)) >= MUTANTS // 2


def test_what_is_noticed_is_never_called_the_same(netlist, mutants, noticed):
    """The solver is asked of one that was noticed and of those that were not."""
    seen = [mutant for mutant in mutants if noticed[mutant.number]][:1]
    unseen = [mutant for mutant in mutants if not noticed[mutant.number]]
    assert same(netlist, seen + unseen) <= {mutant.number for mutant in unseen}


def test_only_what_notices_nothing_keeps_the_contract(netlist, mutants, noticed):
    assert keeps_contract(netlist) == Equivalence(CONTRACT)
    seen = next(mutant for mutant in mutants if noticed[mutant.number])
    broken = keeps_contract(netlist, seen)
    assert not broken.what
    assert broken.failed.partition(": ")[0] in ("failed", "open")


def _flip_flops(netlist: str, block: str) -> list[tuple[str, int]]:
    """Return kind and width of the flip-flops in a block of the interface."""
    cells = re.finditer(
        rf"^  cell \$(\w*ffe?) \$flatten\\dut\.{block}\S*\n(.*\n)*?  end", netlist, re.MULTILINE
    )
    return [(cell[1], int(re.search(r"WIDTH (\d+)", cell[0])[1])) for cell in cells]


def test_enables_and_resets_are_those_of_flip_flops(netlist):
    """So a fault of a flip-flop's output is none of the way by which it holds its value."""
    kinds = Counter(kind for kind, _ in _flip_flops(netlist, ""))
    assert kinds["sdffe"] > 10 and kinds["sdff"] > 10 and not kinds["dff"]
    ports = {mutant["port"] for mutant in sample(netlist, 300, 1)}
    assert ports > {"D", "Q", "EN", "SRST", "A", "B", "Y"} and "CLK" not in ports


def test_what_is_not_implemented_is_no_flip_flop(netlist):
    """Bits that are constant, by proof, are no mutants: REG-7."""
    stored = lookup("ICH_LR0_EL2").stored_mask(SMALL)
    assert sum(width for _, width in _flip_flops(netlist, r"\\lr0")) == stored.bit_count()


def _mutant(number: int, cell: str) -> Mutant:
    options = (("mode", "cnot1"), ("cell", f"$flatten\\dut.{cell}"), ("port", "A"), ("portbit", "2"),
               ("ctrlbit", "5"))  # fmt: skip
    return Mutant(number, options, ("hw/core.py:1",))


def test_a_mutant_in_words():
    mutant = _mutant(1, "\\lr12.$7")
    assert mutant.block == "lr"
    assert mutant.text == "lr12.$7 port A bit 2 inverted while bit 5 is 1"
    assert _mutant(1, "$7").block == "interface"


@pytest.mark.parametrize("content", [b"mine\n", b"mine", b"\x7fELF\xd0\xff"])
def test_a_file_that_is_no_record_is_left_as_it_is(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"notes\.txt: not a record of mutants; name another file"):
        Record(path, "one")
    assert path.read_bytes() == content


@pytest.mark.parametrize("line", ["mine", "[]", '{"number": 3}', '{"judged": 1, "number": 2}'])
def test_a_line_of_a_record_that_is_no_answer_is_named(tmp_path, line):
    path = tmp_path / "record.jsonl"
    Record(path, "one").notice(1, {"lockstep": "a difference"})
    path.write_text(text := path.read_text() + line + "\n")
    with pytest.raises(InputError, match=r"record\.jsonl:3: not an answer about a mutant; remove the line"):
        Record(path, "one")
    assert path.read_text() == text


def test_a_campaign_that_is_cut_goes_on(tmp_path):
    """A line that was cut does not count, and a record of another campaign is begun anew."""
    path = tmp_path / "build" / "record.jsonl"
    record = Record(path, "one")
    record.notice(1, {"sweep": "access 3"})
    record.notice(2, {})
    record.judge(2, Equivalence(SAME))
    path.write_text(path.read_text() + '{"number": 3, "noti')
    again = Record(path, "one")
    assert again.noticed == {1: {"sweep": "access 3"}, 2: {}}
    assert again.judged == {2: Equivalence(SAME)}
    again.notice(3, {})
    assert Record(path, "one").noticed.keys() == {1, 2, 3}
    assert not Record(path, "another").noticed
    assert len(path.read_text().splitlines()) == 1


def test_equivalent_mutants_do_not_count_and_survivors_are_listed():
    verdicts = [
        Verdict(_mutant(1, "$1"), {"directed": "T01, operation 1", "random": "operation 3"}),
        Verdict(_mutant(2, "$2"), {"stream": "lines"}),
        Verdict(_mutant(3, "$3"), {}, Equivalence(SAME)),
        Verdict(_mutant(4, "$4"), {}, Equivalence(CONTRACT)),
        Verdict(_mutant(5, "$5"), {}, Equivalence(failed="open: the lines")),
    ]
    assert score(verdicts) == (2, 3)
    text = tables(Campaign(5, 7), verdicts)
    assert "| **all** | 5 | 2 | 1 | 1 | 0 | 1 | 1 | 1 | 1 | 66.7 % |" in text
    assert "seed 7" in text
    rows = [line for line in text.splitlines() if "`hw/core.py:1`" in line]
    assert rows == ["| 5: `$5 port A bit 2 inverted while bit 5 is 1` | `hw/core.py:1` | open: the lines |"]


def test_a_page_needs_its_marks(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("no marks")
    with pytest.raises(SystemExit) as exit_:
        main(["mutate", "--count", "1", "--table", str(page)])
    assert exit_.value.code == 2
    assert "have to stand there once each" in capsys.readouterr().err
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert read_page(page, BEGIN, END) == (f"before\n{BEGIN}", "\nold\n", f"{END}\nafter\n")
