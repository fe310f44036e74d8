"""The front door: exit statuses, one-line errors, the small subcommands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hw.registers import REGISTERS
from tb.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]


def _run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        main(list(arguments))
    captured = capsys.readouterr()
    return exit_.value.code, captured.out, captured.err


def test_help_lists_every_subcommand(capsys):
    status, out, _ = _run(capsys, "--help")
    assert status == 0
    for name, (_, text) in COMMANDS.items():
        assert name in out
        assert text.split()[0] in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_subcommand_has_help(capsys, name):
    status, out, _ = _run(capsys, name, "--help")
    assert status == 0
    assert out.startswith(f"Usage: spillway {name}")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nonsense"], "nonsense"),
        (["registers", "--nonsense"], "--nonsense"),
        (["registers", "--lrs", "x"], "--lrs"),
        (["registers", "--lrs", "17"], "lrs must be an integer from 1 to 16, not 17"),
        (["registers", "--pre-bits", "7"], "pre_bits (7) must not exceed pri_bits (5)"),
        (["registers", "ICH_LR16_EL2"], "ICH_LR16_EL2"),
        (["registers", "ICH_HCR_EL3"], "did you mean ICH_HCR_EL2?"),
        (["export", "--gic", "v2", "--lrs", "65"], "GICv2 lrs must be an integer from 1 to 64, not 65"),
        (["export", "--gic", "v2", "--pri-bits", "5"], "GICv2 has no parameter pri_bits; leave it out"),
        (["export", "--spis", "64", "--bus", "apb"], "has ports only, no bus 'apb'"),
        (["export", "--gic", "v2", "--bus", "axi"], "'axi' is not one of"),
    ],
)
def test_bad_input_is_one_line_and_status_2(capsys, arguments, text):
    status, out, err = _run(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert err.startswith("spillway: ")
    assert err.count("\n") == 1
    assert text in err


def test_the_installed_command_answers():
    """The entry point itself, in a process of its own: status and no traceback."""
    done = subprocess.run(
        [sys.executable, "-c", "from tb.cli import main; main()", "registers", "ICH_NONE_EL2"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_register_overview_and_pages_cover_the_table(capsys):
    status, out, _ = _run(capsys, "registers", "--markdown")
    assert status == 0
    for register in REGISTERS:
        assert f"| {register.name} |" in out
        assert f"### {register.name}\n" in out
        for field in register.fields:
            assert f"| {field.name} |" in out


def test_the_register_overview_cuts_no_name(capsys):
    """In 80 columns, which is what there is without a terminal."""
    _, out, _ = _run(capsys, "registers")
    words = out.split()
    assert all(register.name in words for register in REGISTERS)
    assert "…" not in out


def test_registers_of_a_gicv2_are_its_frames(capsys):
    status, out, _ = _run(capsys, "registers", "--gic", "v2", "--lrs", "41")
    assert status == 0
    words = out.split()
    assert {"GICH_LR40", "GICV_IAR", "GICC_IAR", "GICD_ITARGETSR8"} <= set(words)
    assert not {"GICH_LR41", "ICH_HCR_EL2", "GICD_IROUTER32", "GICR_WAKER"} & set(words)


def test_a_register_page_tells_the_address_behind_a_bus(capsys):
    """As in ``docs/ports.md``: ICH_HCR_EL2 at EL2 is 0x532c0; GICH stands at 0x4000."""
    _, out, _ = _run(capsys, "registers", "ICH_HCR_EL2", "ICC_IAR1_EL1", "GICH_LR2", "--markdown")
    assert "with a bus: 0x532c0 at EL2.\n" in out
    assert "with a bus: 0x23300 at EL1 and 0x43300 at EL2.\n" in out
    assert "with a bus: 0x4108.\n" in out


def test_register_page_follows_the_build(capsys):
    _, small, _ = _run(capsys, "registers", "ICH_LR0_EL2", "--markdown", "--pri-bits", "5")
    _, large, _ = _run(capsys, "registers", "ICH_LR0_EL2", "--markdown", "--pri-bits", "7")
    assert "| [55:48] | Priority | RW | 0xf8 |" in small
    assert "| [55:48] | Priority | RW | 0xfe |" in large
    assert "3 PENDING_ACTIVE" in small


def test_register_page_tells_encoding_trap_and_redirection(capsys):
    _, out, _ = _run(capsys, "registers", "icc_iar1_el1", "--markdown")
    assert "S3_0_C12_C12_0" in out
    assert "ICH_HCR_EL2.TALL1" in out
    assert "ICV_IAR1_EL1 while HCR_EL2.IMO is 1" in out
    assert "destructive" in out


def test_missing_register_is_marked_undefined(capsys):
    _, out, _ = _run(capsys, "registers", "ICH_LR4_EL2", "--markdown")
    assert "UNDEFINED" in out


def test_params_prints_the_table(capsys):
    status, out, _ = _run(capsys, "params", "--markdown")
    assert status == 0
    assert "| `lrs` | 1..16 | 4 |" in out


def _process(*arguments: str, **how) -> subprocess.Popen:
    program = [sys.executable, "-c", "from tb.cli import main; main()", *arguments]
    return subprocess.Popen(program, stderr=subprocess.PIPE, text=True, **how)


def test_a_reader_that_has_seen_enough_ends_a_command_quietly():
    """`| head`: no traceback, and a status that is not that of a run with differences."""
    read, write = os.pipe()
    os.close(read)
    process = _process("run", "sim/scenarios/A08.scenario", stdout=write, cwd=ROOT)
    os.close(write)
    _, error = process.communicate()
    assert (process.returncode, error) == (141, "")


@pytest.mark.parametrize("arguments", [["params"], ["export", "--lrs", "1"], ["export", "-o", "/dev/full"]])
def test_a_full_disk_is_one_line(arguments):
    """Whether the output is flushed at once or at the end; and a device that is named is not replaced."""
    with open("/dev/full", "w") as full:
        process = _process(*arguments, stdout=full)
    _, error = process.communicate()
    assert process.returncode == 2
    assert error.count("\n") == 1
    assert "cannot be written: No space left on device" in error
    assert not Path("/dev/full").is_file()
