"""``spillway predict``: what it prints, exit statuses, JSON; the closed loop on the gateware."""

import json

import pytest

from tb.cli import main
from tb.cli.predict import command as predict_command
from tb.predict import predict_traces
from tests.sim.recording import TRACES, lines_of, write_trace

NEST = str(TRACES / "kvm-real-7.3.4-nest-eoimode0.jsonl.gz")


def predict(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        main(["predict", *arguments])
    captured = capsys.readouterr()
    return exit_.value.code or 0, captured.out, captured.err


def test_all_equal(capsys):
    status, out, err = predict(capsys, NEST)
    assert (status, err) == (0, "")
    assert "150 entries    150 equal    0 different" in out
    assert "150 entries compared, 150 equal, 0 different; 1,086 ICH accesses in order" in out


def test_examples_can_be_predicted():
    """Their files are recordings with a stimulus, which those of the replay alone are not."""
    words = [word for line in predict_command.examples for word in line.split()]
    named = [word for word in words if word.endswith(".jsonl.gz")]
    assert named
    for word in named:
        assert "stimulus" in lines_of(TRACES / word.rpartition("/")[2])[0]["meta"], word


def test_all_equal_as_json(capsys):
    status, out, _ = predict(capsys, NEST, "--json")
    report = json.loads(out)
    assert (status, report["status"], report["errors"]) == (0, 0, [])
    assert (report["entries"], report["equal"], report["results"][0]["profile"]) == (150, 150, "7.3")


def test_a_difference_is_shown_in_full(capsys):
    status, out, _ = predict(capsys, NEST, "--profile", "7.3,-pending_first")
    assert status == 1
    assert out.startswith("differs ")
    assert "first difference of kvm-real-7.3.4-nest-eoimode0.jsonl.gz: line 547, entry 65: ICH_LR0_EL2" in out
    assert "write ICH_LR0_EL2 0x50d0000000000024 (State PENDING, Group, Priority 0xd0, vINTID 0x24)" in out
    assert "ours:" in out


def test_a_placed_event_is_named(capsys):
    status, out, _ = predict(capsys, str(TRACES / "kvm-real-6.19.14-xvcpu-dir.jsonl.gz"))
    assert status == 0
    assert "line 979: the summary of the flush after this exit takes effect before line" in out
    assert "approximate: " in out


def test_a_directory_skips_what_holds_no_stimulus(capsys, tmp_path):
    for name in ("kvm-real-7.3.4-nest-eoimode0", "qemu-gicv3-directed", "7.3.4-a08-fastmi"):
        (tmp_path / f"{name}.jsonl.gz").write_bytes((TRACES / f"{name}.jsonl.gz").read_bytes())
    status, out, _ = predict(capsys, str(tmp_path))
    assert status == 0
    assert "2 files hold no stimulus and were skipped" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([str(TRACES / "qemu-gicv3-directed.jsonl.gz")], "no 'stimulus'"),
        ([str(TRACES)[:-1]], "no such file or directory"),
        ([NEST, "--profile", "9.9"], "unknown profile '9.9'"),
        ([NEST, "--profile", "7.3,-magic"], "no switch 'magic'"),
        ([NEST, "--engine", "magic"], "--engine"),
        ([], "TRACE"),
    ],
)
def test_bad_input(capsys, arguments, said):
    status, out, err = predict(capsys, *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_a_good_file_beside_a_bad_one(capsys, tmp_path):
    """The good one's result is kept, the status is 2."""
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes((TRACES / "kvm-real-7.3.4-nest-eoimode0.jsonl.gz").read_bytes()[:2000])
    status, out, err = predict(capsys, NEST, str(cut))
    assert status == 2
    assert "150 equal" in out
    assert "cut.jsonl.gz" in err and "copy it again" in err


def test_a_directory_without_any_stimulus(capsys, tmp_path):
    write_trace(tmp_path / "x.jsonl.gz", lines_of(TRACES / "7.3.4-a08-fastmi.jsonl.gz"))
    status, _, err = predict(capsys, str(tmp_path))
    assert status == 2
    assert "nothing to predict" in err


def test_the_closed_loop_on_the_gateware():
    """Our RTL runs guest and hypervisor; what it hands back feeds the vgic; every entry is the kernel's."""
    names = (
        "kvm-real-6.1.0-groups",
        "kvm-real-6.12.107-manyactive-eoimode1",
        "kvm-real-6.18.15-nest-eoimode0",
        "kvm-real-6.19.14-manyactive-shuffle-reinject-lifo",
        "kvm-real-7.3.4-nest-eoimode0",
        "kvm-real-7.3.4-manyactive-eoimode1",
        "kvm-real-7.3.4-timer-hw-level",
    )
    result = predict_traces([TRACES / f"{name}.jsonl.gz" for name in names], engine="verilator")
    assert result.status == 0
    assert result.equal == result.entries > 1000
    assert all(report.engine == "verilator" and report.engine_reads for report in result.reports)
    assert all(report.explained == {} for report in result.reports)
