"""``spillway demo``: the summary, the waveform, the save file; and how it fails."""

import functools
import gzip
import json
import re
from pathlib import Path

import pytest

from tb.cli import main
from tb.cli.demo import ACT_NAMES, DEMO_TRACE
from tb.story.acts import ACTS, STORY, play_act
from tb.waves.gtkwave import read_variables

TRACES = Path(__file__).parents[1] / "data/traces"
#: Small: a quarter of the demo's.
SMALL = TRACES / "kvm-real-7.3.4-manyactive-eoimode1.jsonl.gz"


def _run(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        main(["demo", *map(str, arguments)])
    captured = capsys.readouterr()
    return exit_.value.code, captured.out, captured.err


def _row(out: str, name: str) -> str:
    match = re.search(rf"^\s*{name}\s+(\S+)", out, re.MULTILINE)
    assert match, out
    return match[1]


def _marks(save: Path) -> list[tuple[str, int]]:
    """Return the markers of a save file, as names and times in picoseconds."""
    text = save.read_text()
    times = re.search(r"^\*\S+ \S+ (.*)$", text, re.MULTILINE)[1].split()
    names = re.findall(r"\[markername\] [A-Z](.*)", text)
    return list(zip(names, map(int, times), strict=False))


def test_the_demo_as_make_runs_it(capsys, tmp_path):
    """All four acts under cocotb and Verilator, each as told, and a waveform in words of each."""
    status, out, err = _run(capsys, "-o", tmp_path)
    assert (status, err) == (0, "")
    for verdict in ("live-lock: 36", "the wrong one", "correct", "0 mismatches"):
        assert re.search(rf"^ [1-4] .*{verdict}", out, re.MULTILINE), out
    assert "Live-lock found: after guest operation 8" in out
    assert "deactivates 37: WRONG" in out
    # The recorded Linux 7.3 guest.
    assert _row(out, "mismatches") == "0"
    assert _row(out, "compared") == "100.0%"
    assert _row(out, "peak") == "20"
    assert _row(out, "list registers") == "4"
    assert _row(out, "accesses") == "2,999"
    assert "Linux 7.3" in out
    assert "maintenance interrupt" in out
    for act in ("legacy", "6.19", "7.3", "recorded"):
        save = tmp_path / f"demo-{act}-verilator.gtkw"
        assert f"  gtkwave {save}\n" in out
        text = save.read_text()
        assert f'[dumpfile] "{save.with_suffix(".vcd")}"' in text
        assert re.search(r"\^\d+ .*state\.txt\n\+\{LR3 state\}", text)
    assert re.search(r"\[markername\] .all .*list registers active", text)
    _check_moments(tmp_path)


def _check_moments(directory: Path) -> None:
    """Markers stand where the dump shows what they say."""
    assert "live-lock entered" in dict(_marks(directory / "demo-legacy-verilator.gtkw"))
    for act, walk in (("6.19", "wrong deactivation: 37"), ("7.3", "33 32 deactivated")):
        marks = dict(_marks(directory / f"demo-{act}-verilator.gtkw"))
        order = [marks[name] for name in ("37 arrives", "maintenance interrupt", "exit: MI (U LRENP)", walk)]
        assert order == sorted(order)
        # Three guest operations lie between the interrupt and the exit, ten cycles of 8 ns each.
        assert marks["exit: MI (U LRENP)"] - marks["maintenance interrupt"] == 3 * 80_000
        dump = directory / f"demo-{act}-verilator.vcd"
        rises = _rises(dump, "probe_maintenance")
        assert any(0 <= marks["maintenance interrupt"] - rise <= 16_000 for rise in rises)


def _rises(dump: Path, signal: str) -> list[int]:
    """Return when a bit of PE 0 rises."""
    code = next(v.code for v in read_variables(dump) if v.name == signal and v.scope[-1] == "pe0")
    now, times = 0, []
    for line in dump.read_text().splitlines():
        if line.startswith("#"):
            now = int(line[1:])
        elif line == f"1{code}":
            times.append(now)
    return times


def test_an_act_that_does_not_end_as_told_is_status_1(capsys, tmp_path, monkeypatch):
    """With a punctual maintenance interrupt 6.19 makes no mistake, so the act has failed."""
    story = tmp_path / "story.scenario"
    story.write_text(STORY.read_text().replace("mi 3", "mi 2"))
    monkeypatch.setattr("tb.cli.acts.play_act", functools.partial(play_act, scenario=story))
    status, out, _ = _run(capsys, "-o", tmp_path, "--act", "6.19", "--engine", "amaranth")
    assert status == 1
    assert "NOT AS TOLD" in out
    assert "This is not how the act must end." in out
    assert "story.scenario:" in "".join(out.split())  # a long path is broken over lines
    assert (tmp_path / "demo-6.19-amaranth.gtkw").is_file()


def test_a_difference_is_shown_and_is_status_1(capsys, tmp_path):
    """One recorded acknowledge is altered; the gateware answers what was recorded before."""
    lines = gzip.decompress(SMALL.read_bytes()).decode().splitlines()
    at = next(n for n, line in enumerate(lines) if '"ICV_IAR1_EL1"' in line and '"val":"0x2' in line)
    event = json.loads(lines[at])
    event["val"] = "0x3e"
    lines[at] = json.dumps(event)
    altered = tmp_path / "altered.jsonl"
    altered.write_text("\n".join(lines) + "\n")
    status, out, _ = _run(capsys, altered, "-o", tmp_path, "--engine", "amaranth")
    assert status == 1
    assert int(_row(out, "mismatches")) > 0
    assert f"altered.jsonl:{at + 1}" in out.replace("\n", "")
    assert "ICV_IAR1_EL1" in out


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda d: [d / "none.jsonl"], "no such file"),
        (lambda d: [TRACES / "qemu-gicv3-directed.jsonl.gz"], "sequences of single operations"),
        (lambda d: [_written(d / "cut.jsonl.gz", SMALL.read_bytes()[:900])], "cut.jsonl.gz"),
        (lambda d: [SMALL, "-o", _written(d / "file", b"") / "under"], "cannot be made"),
        (lambda d: [SMALL, "--engine", "golden"], "golden"),
        (lambda d: [SMALL, "--act", "legacy"], "--act recorded"),
    ],
)
def test_bad_input_is_one_line_and_status_2(capsys, tmp_path, make, text):
    arguments = make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    status, out, err = _run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert text in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_the_demo_trace_is_in_the_checkout():
    assert DEMO_TRACE.is_file()


def test_the_command_names_the_acts_there_are():
    assert tuple(ACTS) == ACT_NAMES


def test_the_acts_as_json(capsys, tmp_path):
    status, out, _ = _run(capsys, "--json", "-o", tmp_path, "--act", "7.3", "--engine", "amaranth")
    report = json.loads(out)
    assert (status, report["status"], report["engine"]) == (0, 0, "amaranth")
    (act,) = report["results"]
    assert (act["act"], act["verdict"]) == ("7.3", "correct")
    assert Path(act["save"]).is_file()


def test_the_demo_on_the_compiled_bench_is_the_same_without_waveforms(capsys, tmp_path):
    status, out, err = _run(capsys, "--act", "legacy", "--engine", "bench-compiled", "-o", tmp_path)
    assert (status, err) == (0, "")
    assert "Live-lock found: after guest operation 8" in out
    assert out.endswith("\nno waveforms: bench-compiled writes none\n")
    assert list(tmp_path.iterdir()) == []
