"""``spillway demo``: the summary, the waveform, the save file; and how it fails."""

import gzip
import json
import re
from pathlib import Path

import pytest

from tb.cli import main
from tb.cli.demo import DEMO_TRACE

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


def test_the_demo_as_make_runs_it(capsys, tmp_path):
    """The recorded Linux 7.3 guest under cocotb and Verilator: no mismatch, a waveform in words."""
    status, out, err = _run(capsys, "-o", tmp_path)
    assert (status, err) == (0, "")
    assert _row(out, "mismatches") == "0"
    assert _row(out, "compared") == "100.0%"
    assert _row(out, "peak") == "20"
    assert _row(out, "list registers") == "4"
    assert _row(out, "accesses") == "2,999"
    assert "Linux 7.3" in out
    assert "maintenance interrupt" in out
    save = tmp_path / "demo-verilator.gtkw"
    assert f"open with  gtkwave {save}" in out
    text = save.read_text()
    assert f'[dumpfile] "{tmp_path / "demo-verilator.vcd"}"' in text
    assert re.search(r"\[markername\] .all .*list registers active", text)
    assert re.search(r"\^\d+ .*state\.txt\n\+\{LR3 state\}", text)


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
