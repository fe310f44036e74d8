"""``spillway replay``: exit statuses, the report, and one line for everything that is wrong with a file."""

import json
import subprocess
import sys

import pytest

from tb.cli import main
from tests.sim.recording import DATA, TRACES, edited, lines_of, write_trace

NEST = TRACES / "kvm-real-7.3.4-nest-eoimode0.jsonl.gz"
DIRECTED = TRACES / "qemu-gicv3-directed.jsonl.gz"


def _run(capsys, *arguments):
    with pytest.raises(SystemExit) as exit_:
        main(["replay", *map(str, arguments)])
    captured = capsys.readouterr()
    return exit_.value.code, captured.out, captured.err


def _alter_acknowledge(lines):
    line = next(line for line in lines if line.get("reg") == "ICV_IAR1_EL1")
    line["val"] = "0x29"


def test_agreement_is_status_0(capsys):
    status, out, err = _run(capsys, NEST, DIRECTED)
    assert (status, err) == (0, "")
    assert "kvm-real-7.3.4-nest-eoimode0.jsonl.gz" in out
    assert "2 files on golden: 2,197 operations, 100.00% compared in full" in out
    assert "0 unexplained differences" in out
    assert "D3 (MNT-7): MISR.VGrp0D tests VENG1: 2 reads, 1 state in 1 sequence" in out


def test_an_altered_value_is_status_1(capsys, tmp_path):
    path = edited(NEST, tmp_path / "altered.jsonl.gz", _alter_acknowledge)
    status, out, err = _run(capsys, path)
    assert (status, err) == (1, "")
    assert "first difference of altered.jsonl.gz:" in out
    assert "value of ICV_IAR1_EL1: expected 0x29, got 0x" in out
    assert "INTID  expected 0x29, got 0x" in out
    assert "operations before it:" in out
    assert "ICH_VMCR_EL2" in out


def test_the_report_as_json(capsys, tmp_path):
    path = edited(NEST, tmp_path / "a.jsonl.gz", _alter_acknowledge)
    status, out, _ = _run(capsys, path, DIRECTED, "--json")
    data = json.loads(out)
    assert (status, data["status"]) == (1, 1)
    assert data["engine"] == "golden"
    assert data["differences"] == 1
    assert data["share"] == 1.0
    assert [file["path"] for file in data["results"]] == [path, str(DIRECTED)]
    assert data["results"][0]["first"]["what"] == "value of ICV_IAR1_EL1"
    assert data["results"][0]["first"]["place"].startswith(path + ":")
    assert data["explained"]["D2"]["rule"].startswith("D2 (EOI-7)")


def test_the_same_replay_gives_the_same_report(capsys):
    assert _run(capsys, DIRECTED, "--json") == _run(capsys, DIRECTED, "--json")


def test_a_directory_is_replayed_whole(capsys, tmp_path):
    for source in (NEST, DIRECTED):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    status, out, _ = _run(capsys, tmp_path)
    assert status == 0
    assert "2 files on golden" in out


def _truncated(path):
    content = NEST.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _text(text):
    return lambda path: path.write_bytes(text)


def _changed(change):
    def make(path):
        lines = lines_of(NEST)
        change(lines)
        write_trace(path, lines)

    return make


MALFORMED = {
    "truncated gzip": (_truncated, "ends too early"),
    "empty": (_text(b""), "empty"),
    "not JSON": (_text(b'{"meta": {"vtr": "0x90b80003"}}\n{"cpu": 0,'), ":2: not JSON"),
    "unknown register": (_changed(lambda lines: lines[1].update(reg="ICH_XYZ_EL2")), ":2: unknown register"),
    "bad value": (_changed(lambda lines: lines[1].update(val="0xgg")), ":2: val '0xgg' is not"),
    "missing key": (_changed(lambda lines: lines[1].pop("val")), ":2: key 'val' is missing"),
    "no meta": (_changed(lambda lines: lines.pop(0)), ":1: the first line must be"),
    "meta alone": (_changed(lambda lines: lines.__delitem__(slice(1, None))), "nothing after the meta line"),
    "impossible vtr": (_changed(lambda lines: lines[0]["meta"].update(vtr="0x10b80003")), "meta.vtr"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_one_line_and_status_2(capsys, tmp_path, name):
    make, text = MALFORMED[name]
    path = tmp_path / "bad.jsonl.gz"
    make(path)
    status, out, err = _run(capsys, path)
    assert (status, out) == (2, "")
    assert err.startswith(f"spillway: {path}")
    assert err.count("\n") == 1
    assert text in err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nowhere.jsonl.gz"], "nowhere.jsonl.gz: no such file or directory"),
        ([], "TRACE"),
        ([NEST, "--engine", "abacus"], "abacus"),
        ([NEST, "--waves", "x.vcd"], "golden"),
        ([DATA / "not_replayable" / "7.3.4-s22_10-timer-exceptions.jsonl.gz"], "meta has no vtr"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(capsys, arguments, text):
    status, out, err = _run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("spillway: ")
    assert err.count("\n") == 1
    assert text in err


def test_good_files_are_replayed_beside_bad_ones(capsys, tmp_path):
    bad = tmp_path / "bad.jsonl.gz"
    bad.write_bytes(b"")
    status, out, err = _run(capsys, NEST, bad)
    assert status == 2
    assert "1 files on golden" in out
    assert err.count("\n") == 1
    report = json.loads(_run(capsys, NEST, bad, "--json")[1])
    assert report["errors"] == [err.removeprefix("spillway: ").strip()]
    assert (report["status"], len(report["results"])) == (2, 1)


def test_waves_of_several_builds_are_refused(capsys, tmp_path):
    other = TRACES / "kvm-real-7.3.4-nest-eoimode0-2lr.jsonl.gz"
    status, _, err = _run(capsys, NEST, other, "--engine", "amaranth", "--waves", tmp_path / "x.vcd")
    assert status == 2
    assert "2 different builds" in err


def test_no_traceback_in_a_process_of_its_own(tmp_path):
    path = tmp_path / "bad.jsonl.gz"
    _truncated(path)
    done = subprocess.run(
        [sys.executable, "-c", "from tb.cli import main; main()", "replay", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
