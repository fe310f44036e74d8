"""Wave presets: dumps of every engine are read, and GTKWave gets words for them."""

import gzip
import json
import re
import shutil
from pathlib import Path

import pytest

from hw.config import GicConfig
from hw.errors import InputError
from hw.registers import MISR_BITS, REGISTERS, LRState, Space, lookup
from sim.port import Access
from tb.cli import main
from tb.runner import run_job
from tb.waves.fst import end_time, read_fst
from tb.waves.gtkwave import Mark, find_moments, read_variables, write_save_file
from tb.waves.layout import GROUPS, LIST_REGISTER
from tb.waves.variable import Variable
from tb.waves.vcd import first_nonzero, period, read_vcd
from tb.waves.words import WORDS, flag_words

#: The demo's hardware, so that one compiled simulation serves both tests.
DEMO_BUILD = GicConfig.from_vtr(0x90B8_0003)

VCD = """$timescale 1 ps $end
$scope module top $end
 $scope module pe0 $end
  $var wire 1 ! clk $end
  $var wire 32 " probe_hcr [31:0] $end
  $var wire 5 # probe_eoicount [4:0] $end
  $var wire 1 $ probe_maintenance $end
  $var wire 10 % probe_hcr_enables $end
  $scope module lr0 $end
   $var string 1 & state $end
   $var reg 32 ' vintid [31:0] $end
   $var wire 8 ( \\priority [7:0] $end
  $upscope $end
 $upscope $end
$upscope $end
$enddefinitions $end
#0
0!
0$
b0 "
b00000 #
sINVALID &
#5
1!
#10
0!
1$
#15
1!
b00010 #
"""


@pytest.fixture
def dump(tmp_path) -> Path:
    path = tmp_path / "small.vcd"
    path.write_text(VCD)
    return path


async def overflow(ports):
    """Fill the list registers, acknowledge one, end one that has none (EOIcount), run into a trap."""
    for name, el, value in (
        ("ICH_HCR_EL2", 2, 0x0F),
        ("ICH_VMCR_EL2", 2, 0xFF4C_0002),
        ("ICH_LR0_EL2", 2, 0x50A0_0000_0000_0020),
        ("ICC_IAR1_EL1", 1, None),
        ("ICC_EOIR1_EL1", 1, 0x21),
        ("ICH_HCR_EL2", 2, 0x1000),
        ("ICC_EOIR1_EL1", 1, 0x21),
        ("ICH_VTR_EL2", 2, None),
    ):
        await ports[0].access(Access(el, lookup(name), value is not None, value or 0))


def test_vcd_declarations(dump):
    variables = {variable.name: variable for variable in read_vcd(dump)}
    assert variables["probe_hcr"].path == "top.pe0.probe_hcr[31:0]"
    assert variables["probe_hcr_enables"].path == "top.pe0.probe_hcr_enables[9:0]"
    assert variables["clk"].path == "top.pe0.clk"
    assert variables["state"].string
    assert variables["state"].path == "top.pe0.lr0.state"
    assert variables["priority"].path == "top.pe0.lr0.priority[7:0]"


def test_vcd_times(dump):
    assert first_nonzero(dump, ["$", "#", '"']) == {"$": 10, "#": 15}
    assert period(dump, "!") == 10
    assert period(dump, "$") is None


def test_moments_become_markers(dump):
    marks = find_moments(dump, read_vcd(dump))
    assert marks == [Mark(10, "first maintenance"), Mark(15, "first EOIcount")]
    text = write_save_file(dump).read_text()
    assert "[markername] Afirst maintenance\n[markername] Bfirst EOIcount\n" in text
    assert re.search(r"^\*-[\d.]+ 10 10 15 -1", text, re.MULTILINE)


def test_save_file_shows_what_there_is_and_nothing_else(dump):
    text = write_save_file(dump).read_text()
    rows = re.findall(r"^(?:\+\{(.*)\} )(\S+)$", text, re.MULTILINE)
    assert rows == [
        ("maintenance interrupt", "top.pe0.probe_maintenance"),
        ("HCR enables", "top.pe0.probe_hcr_enables[9:0]"),
        ("LR0 state", "top.pe0.lr0.state"),
        ("LR0 vINTID", "top.pe0.lr0.vintid[31:0]"),
        ("LR0 priority", "top.pe0.lr0.priority[7:0]"),
        ("EOIcount", "top.pe0.probe_eoicount[4:0]"),
    ]


def test_every_filter_named_in_a_save_file_exists(dump, tmp_path):
    text = write_save_file(dump, tmp_path / "elsewhere.gtkw").read_text()
    filters = re.findall(r"^\^\d+ (.*)$", text, re.MULTILINE)
    assert filters
    for path in filters:
        assert Path(path).parent == tmp_path / "elsewhere.words"
        assert Path(path).read_text()


@pytest.mark.parametrize(
    ("kind", "value", "word"),
    [
        ("state", 3, "PENDING_ACTIVE"),
        ("misr", 0b1010, "U+NP"),
        ("misr", 0, "-"),
        ("hcr_enables", 0b1111, "En+UIE+LRENPIE+NPIE"),
        ("hcr_traps", 0b10100, "TALL1+TDIR"),
        # VFIQEn is constant: in the value, not in the words.
        ("vmcr_flags", 0b10_0000_1010, "VENG1+VEOIM"),
        ("register", lookup("ICC_IAR1_EL1").encoding, "ICC_IAR1_EL1"),
        ("outcome", 3, "TRAP_EL2"),
    ],
)
def test_values_have_words(kind, value, word):
    assert WORDS[kind][value].name == word


def test_words_come_from_the_register_table():
    assert [WORDS["state"][state].name for state in LRState] == [state.name for state in LRState]
    assert [WORDS["misr"][1 << bit].name for bit in range(8)] == list(MISR_BITS)
    for register in REGISTERS:
        if register.space is not Space.ICV:
            assert WORDS["register"][register.encoding].name == register.name
    with pytest.raises(InputError):
        flag_words("ICH_NONE_EL2", 0, 8)


def test_filters_have_as_many_digits_as_the_display(dump):
    """GTKWave compares texts: a filter line with a digit too few or too many never matches."""
    write_save_file(dump)
    first = {path.stem: path.read_text().split()[0] for path in dump.with_suffix(".words").iterdir()}
    assert {kind: len(digits) for kind, digits in first.items()} == {
        "state": 1, "level": 1, "outcome": 1, "misr": 2, "hcr_enables": 3, "hcr_traps": 2,
        "vmcr_flags": 3, "register": 4,
    }  # fmt: skip


def _engines() -> list[str]:
    dumps = ["amaranth.vcd", "verilator.vcd"]
    return [*dumps, "icarus.vcd", "icarus.fst"] if shutil.which("iverilog") else dumps


@pytest.mark.parametrize("file", _engines())
def test_every_engine_names_every_row(tmp_path, file):
    """The whole layout is found, under the same names and without brackets, whatever wrote the dump."""
    dump = tmp_path / file
    run_job("tests.tb.test_waves:overflow", engine=dump.stem, config=DEMO_BUILD, pes=2, waves=dump)
    variables = read_variables(dump)
    shown = re.findall(r"^\+\{.*\} (\S+)$", write_save_file(dump).read_text(), re.MULTILINE)
    rows = [row for rows in GROUPS.values() for row in rows if not row.lane]
    assert len(shown) == 2 * (len(rows) + DEMO_BUILD.lrs * len(LIST_REGISTER))
    assert not [v.path for v in variables if "[" in v.name]
    # Widths must be those the words are made for.
    widths = {v.name: v.width for v in variables}
    assert (widths["probe_hcr_enables"], widths["probe_hcr_traps"], widths["probe_vmcr_flags"]) == (10, 6, 10)
    if dump.suffix == ".vcd":
        texts = {mark.text for mark in find_moments(dump, variables)}
        assert texts == {"first pe0 maintenance", "first pe0 EOIcount", "first pe0 trap"}
        assert period(dump, next(v.code for v in variables if v.name == "clk"))
    else:
        assert end_time(dump) > 0


@pytest.mark.parametrize("kind", [4, 6, 7])
def test_fst_hierarchy_however_it_is_packed(tmp_path, kind):
    """Gzip, LZ4 and LZ4 twice; the LZ4 here is literals and one overlapping back reference."""
    hierarchy = (
        b"\xfe\x00top\0\0\xfe\x00pe0\0\0\xfc\x00\x00note\0\x05\xfd"
        b"\x10\x00probe_hcr [31:0]\0\x20\x00\x15\x00state\0\x01\x00\xff\xff" + b"\xfd" * 40
    )

    def lz4(data: bytes) -> bytes:
        head, token = data[:-40], bytes([0xFF])
        first = head + b"\xfd"
        repeat = 39 - 4 - 15 - 5
        return (
            token + bytes([len(first) - 15]) + first + b"\x01\x00" + bytes([repeat])
            + bytes([5 << 4]) + b"\xfd" * 5
        )  # fmt: skip

    def stored(data: bytes) -> bytes:
        return bytes([0xF0, len(data) - 15]) + data

    size = len(hierarchy).to_bytes(8)
    once = lz4(hierarchy)
    body = {
        4: size + gzip.compress(hierarchy),
        6: size + once,
        7: size + len(once).to_bytes(8) + stored(once),
    }[kind]
    header = bytes(8) + (77).to_bytes(8) + bytes(304)
    blocks = [(0, header), (5, b"values"), (kind, body)]
    path = tmp_path / "made.fst"
    path.write_bytes(b"".join(bytes([k]) + (len(b) + 8).to_bytes(8) + b for k, b in blocks))
    assert read_fst(path) == [
        Variable(("top", "pe0"), "probe_hcr", "[31:0]", 32, False),
        Variable(("top", "pe0"), "state", "", 1, True),
    ]
    assert end_time(path) == 77


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("none.vcd", None, "no such file"),
        ("a.txt", b"x", "expected a .vcd or .fst file"),
        ("cut.vcd", VCD[:300].encode(), "not a complete VCD dump"),
        ("empty.vcd", b"", "not a complete VCD dump"),
        ("binary.vcd", bytes(range(256)), "not a complete VCD dump"),
        ("empty.fst", b"", "not a complete FST dump"),
        ("cut.fst", bytes([0]) + (329).to_bytes(8) + bytes(100), "not a complete FST dump"),
        ("bad.fst", b"\x06" + (9).to_bytes(8) + b"\0", "not a complete FST dump"),
        ("other.vcd", VCD.replace("probe_hcr ", "other ").encode(), "no CPU interface in this dump"),
    ],
)
def test_a_bad_dump_is_one_line_and_leaves_nothing(tmp_path, capsys, name, content, text):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SystemExit) as exit_:
        main(["waves", str(path)])
    err = capsys.readouterr().err
    assert exit_.value.code == 2
    assert err.startswith(f"spillway: {path}: ")
    assert text in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_the_command_says_how_to_open_it(dump, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["waves", str(dump), "-o", str(dump.parent / "view.gtkw")])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"open with: gtkwave {dump.parent / 'view.gtkw'}\n"
    assert (dump.parent / "view.gtkw").exists()


def test_the_command_says_it_as_json(dump, capsys):
    save = dump.parent / "as_json.gtkw"
    with pytest.raises(SystemExit):
        main(["waves", str(dump), "-o", str(save), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["results"] == [{"dump": str(dump), "save": str(save)}]
