"""Waveforms of scenarios: lanes of text, markers, and what viewers are told."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tb.cli import main
from tb.story.acts import STORY
from tb.waves.gtkwave import read_variables
from tb.waves.lanes import Change, merge_lanes
from tb.waves.scenario import event_marks, wave_scenarios

_ENGINE = "icarus" if shutil.which("iverilog") else "verilator"
VCD = """$timescale 1 ps $end
$scope module top $end
$var wire 1 ~0 clk $end
$upscope $end
$enddefinitions $end
#0
0~0
#8000
1~0
#16000
0~0
"""


@pytest.fixture(scope="module")
def wave(tmp_path_factory):
    """Play the story's act of Linux 6.19 on the gateware."""
    directory = tmp_path_factory.mktemp("waves")
    [made] = wave_scenarios([STORY], directory, _ENGINE, "6.19")
    return made


def _strings(dump) -> dict[str, list[str]]:
    """Return the texts of each lane, in order."""
    codes = {one.code: one.name for one in read_variables(dump) if "story" in one.scope}
    found: dict[str, list[str]] = {name: [] for name in codes.values()}
    for line in dump.read_text().splitlines():
        if line.startswith("s") and line.split()[-1] in codes:
            found[codes[line.split()[-1]]].append(line[1:].rpartition(" ")[0].replace("\\040", " "))
    return found


def test_lanes_tell_the_story(wave):
    lanes = _strings(wave.dump)
    operations = [text for text in lanes["operation"] if text]
    assert operations[:9] == [
        "IAR1 -> 32", "IAR1 -> 33", "IAR1 -> 34", "IAR1 -> 35", "IAR1 -> 36",
        "EOIR1 36", "EOIR1 35", "EOIR1 34", "EOIR1 33",
    ]  # fmt: skip
    assert "exit: MI (U LRENP), deactivates 37 33" in lanes["hypervisor"]
    assert "guest runs with 37P 36A 35A 34A" in lanes["hypervisor"]
    assert "ICH_LR0_EL2 := 37P priority c0" in lanes["hypervisor_access"]
    assert "inj 36" in lanes["device"]
    assert "E: 37P 36A 35A 34A | LRENPIE UIE TDIR ok" in lanes["expectation"]
    assert "37" in lanes["ideal_signals"]
    assert any("32 has ended, but the hypervisor keeps it active" in text for text in lanes["difference"])


def test_times_of_a_merged_dump_rise(wave):
    times = [int(line[1:]) for line in wave.dump.read_text().splitlines() if re.fullmatch(r"#\d+", line)]
    assert times == sorted(times)


def test_gtkwave_gets_groups_words_and_markers(wave):
    text = wave.save.read_text()
    for group in (
        "Scenario",
        "Lines",
        "Guest access",
        "Hypervisor access",
        "List registers",
        "Maintenance",
        "EOIcount",
    ):
        assert f"\n-{group}\n" in text
    assert "+{guest operation} story.pe0.operation" in text
    assert re.search(r"\^\d+ .*state\.txt\n\+\{LR0 state\}", text)
    marks = re.findall(r"^\[markername\] ([A-Z])(.*)$", text, re.MULTILINE)
    assert ("A", "inj 32") in marks
    assert {"enter 37P 36A 35A 34A", "exit MI LRENP U"} & {name for _, name in marks} == {"exit MI LRENP U"}
    assert any(name.startswith("E: ") for _, name in marks)


def test_surfer_is_told_names_that_are_there(wave):
    lines = [line.split() for line in wave.commands.read_text().splitlines()]
    names = {".".join((*one.scope, one.name)) for one in read_variables(wave.dump)}
    added = [words[1] for words in lines if words[0] == "variable_add"]
    assert "story.pe0.operation" in added
    assert set(added) <= names
    assert all(len(words) == {"zoom_fit": 1, "marker_set": 3}.get(words[0], 2) for words in lines)
    assert ["divider_add", "pe0_list_registers"] in lines
    assert lines[-1][0] == "cursor_set"


def test_the_focus_is_what_goes_wrong_first():
    def event(ns: int, kind: str, **more):
        return {"ns": ns, "kind": kind, "text": kind, "views": {}, **more}

    first = {
        "events": [event(1, "entry"), event(2, "exit", misr=["U"]), event(3, "exit", bad="x")],
        "loop": None,
    }
    assert [(mark.time, mark.text, mark.focus) for mark in event_marks(first, 10)] == [
        (10, "enter entry", False), (20, "exit MI exit", False), (30, "exit exit", True),
    ]  # fmt: skip
    failing = event(4, "op", expects=[{"text": "S: 1 idle", "found": "1 is active"}])
    marks = event_marks({"events": [event(1, "entry"), failing], "loop": None}, 1)
    assert marks[-1] == (4, "FAILS S: 1 idle", True)


def test_an_exit_without_an_access_has_its_time(tmp_path):
    """Before 6.19 an exit with nothing in the list registers touches no ICH register."""
    scenario = tmp_path / "idle.scenario"
    scenario.write_text(
        "scenario idle: a kick when idle\nSPI 32 prio 40\nsteps legacy:\nENTER\ninj 32\nIAR -> 32\n"
    )
    [made] = wave_scenarios([scenario], tmp_path / "waves", _ENGINE, "legacy")
    lanes = _strings(made.dump)
    assert lanes["hypervisor"][:3] == ["", "exit: KICK", "guest runs with 32P"]
    assert "late: 32 should be signalled; the hardware signals nothing" in lanes["difference"]


def test_lanes_are_merged_at_their_time(tmp_path):
    dump = tmp_path / "small.vcd"
    dump.write_text(VCD)
    merge_lanes(dump, [Change(4, 0, "operation", "IAR1 -> 3"), Change(8, None, "device", "inj 3")], 1)
    text = dump.read_text()
    assert "#4000\nsIAR1\\040->\\0403 ~" in text
    assert text.index("#8000\n1~0") < text.index("#8000\nsinj") < text.index("#16000")
    assert text.count(" ~0 ") == 1
    assert text.index("#0\n0~0\n#0\ns ~1\n") < text.index("#4000"), "a lane is empty until it says something"


def test_the_command_writes_fst_and_json(tmp_path, capsys):
    if not shutil.which("vcd2fst"):
        pytest.fail("vcd2fst is not installed; it comes with GTKWave: apt-get install gtkwave")
    where = ["--format", "fst", "-o", str(tmp_path / "w")]
    with pytest.raises(SystemExit) as exit_:
        main(["waves", str(STORY), "--profile", "legacy", "--engine", _ENGINE, *where, "--json"])
    assert exit_.value.code == 0
    [made] = json.loads(capsys.readouterr().out)["results"]
    assert made["verdict"] == "live-lock"
    assert made["dump"].endswith("story-1-legacy.fst")
    assert made["dump"] in Path(made["save"]).read_text()
    back = subprocess.run(["fst2vcd", made["dump"]], capture_output=True, text=True, check=True).stdout
    assert "sIAR1\\040->\\04032 " in back


def test_an_expectation_that_fails_is_status_1_and_a_marker(tmp_path, capsys):
    path = tmp_path / "fails.scenario"
    path.write_text("scenario fails: x\nmachine lrs 1\nSPI 32 prio 40\nsteps 7.3:\n    ENTER\n    E: 32P\n")
    with pytest.raises(SystemExit) as exit_:
        main(["waves", str(path), "--engine", _ENGINE, "-o", str(tmp_path)])
    assert exit_.value.code == 1
    assert "E: 32P: LRs are none, expected 32P" in capsys.readouterr().out
    assert "FAILS E: 32P\n" in (tmp_path / "fails-1-7.3.gtkw").read_text()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["none.scenario"], "none.scenario: no such file; give a scenario, or a .vcd or .fst dump"),
        ([str(STORY), "--profile", "nope"], "unknown hypervisor 'nope'"),
        ([str(STORY), "--mi-latency", "soon"], "--mi-latency soon: give fast, slow"),
    ],
)
def test_bad_input_is_one_line(tmp_path, monkeypatch, capsys, arguments, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_:
        main(["waves", *arguments])
    err = capsys.readouterr().err
    assert (exit_.value.code, err.count("\n")) == (2, 1)
    assert text in err
    assert not list(tmp_path.iterdir())


def test_a_missing_viewer_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(SystemExit) as exit_:
        main(["waves", str(STORY), "--open"])
    assert exit_.value.code == 2
    assert "gtkwave is not installed; apt-get install gtkwave" in capsys.readouterr().err


def test_an_engine_without_time_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"amaranth does not tell the time .*; choose verilator or icarus"):
        wave_scenarios([STORY], tmp_path, "amaranth", "6.19")
