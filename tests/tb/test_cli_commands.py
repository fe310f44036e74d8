"""What holds for every command: examples, exit statuses, JSON, one line for bad input, a quick start.

A new command is walked by the tests as soon as it stands in ``COMMANDS``; what it has to add here is a row
of ``BAD``, and a row of ``CHEAP`` or ``JSON_TESTED_IN`` when it reports something.
"""

import json
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import click
import pytest

from tb.cli import COMMANDS, cli, main
from tb.cli.command import Command

ROOT = Path(__file__).parents[2]
TRACES = ROOT / "tests/data/traces"
TRACE = TRACES / "7.3.4-s22_9-wfi.jsonl.gz"
SCENARIO = ROOT / "sim/scenarios/A01.scenario"

#: Commands that report nothing: their output is what was asked for.
NO_REPORT = {
    "fpga": "has subcommands that report (tests/fpga/test_boards.py, tests/tb/test_cli_fpga.py)",
    "plot": "has subcommands that report (tests/tb/plots/test_plots.py)",
    "completion": "prints a script",
}
#: An invocation of each reporting command that takes a second at most; ``{}`` is an empty directory.
CHEAP = {
    "run": [SCENARIO],
    "explore": ["resample"],
    "refine": ["--operations", "50"],
    "parts": ["--list"],
    "replay": [TRACE],
    "predict": [TRACES / "kvm-real-7.3.4-nest-eoimode0.jsonl.gz"],
    "patches": ["--no-run"],
    "cures": ["22.4"],
    "divergences": ["vcml"],
    "cost": ["--guests", "1", "--small", "0"],
    "lint": ["--elaborate-only", "--lrs", "1"],
    "registers": ["ICH_HCR_EL2", "GICH_HCR"],
    "report": [SCENARIO, "--profile", "7.3", "-o", "{}/report.html"],
    "export": ["--ports", "--lrs", "1"],
    "params": [],
    "prove": ["--list"],
    "mutate": ["--count", "2", "--no-proofs", "--operations", "100", "--cycles", "100"],
    "soak": ["--engine", "golden", "--operations", "14", "--holes", "1"],
}
#: Where the JSON of the others is tested.
JSON_TESTED_IN = {
    "doctor": "tests/tb/test_doctor.py",
    "demo": "tests/tb/test_cli_demo.py",
    "waves": "tests/tb/test_waves.py",
    "synth": "tests/fpga/test_synthesis.py",
}
#: Bad input: arguments, and what the one line has to say. ``{}`` is an empty directory.
BAD = [
    ("run", [], "SCENARIO|DIRECTORY...'; `spillway run --help` tells more"),
    (
        "run",
        [SCENARIO, "--engine", "verilator", "--lrs", "17"],
        "command line: lrs must be an integer from 1 to 16",
    ),
    ("run", ["{}/none.scenario"], "none.scenario"),
    ("run", [SCENARIO, "--engine", "silicon"], "'silicon' is not one of"),
    ("run", [SCENARIO, "--part", "gic-500"], "unknown part 'gic-500'"),
    ("prove", ["selektion"], "did you mean selection?"),
    ("prove", ["lookup", "--table", "{}/none.md"], "none.md"),
    ("refine", ["--profile", "9"], "unknown hypervisor '9'"),
    ("refine", ["--operations", "0"], "0 is not in the range"),
    ("parts", ["gic-500"], "unknown part 'gic-500'; the parts are"),
    ("parts", ["gic-500", "--list"], "unknown part 'gic-500'; the parts are"),
    ("parts", ["--profile", "9"], "unknown profile '9'"),
    ("demo", ["{}/none.jsonl"], "no such file"),
    ("demo", ["--act", "8.0"], "'8.0' is not one of"),
    ("replay", [], "TRACE"),
    ("replay", [SCENARIO], "a scenario, and no recording; `spillway run` plays it"),
    ("replay", ["{}/none.jsonl"], "no such file or directory"),
    ("replay", [TRACE, "--waves", "{}/x.vcd"], "golden has no cycles"),
    ("replay", [TRACE, "--engine", "amaranth", "--waves", "{}/none/x.vcd"], "create it first"),
    ("predict", ["{}"], "no *.jsonl"),
    ("predict", [TRACE, "--profile", "9"], "unknown profile '9'"),
    ("patches", ["v1-1"], "unexpected extra argument"),
    ("cures", ["22.99"], "no cure '22.99'; `spillway cures` lists them"),
    ("divergences", ["simics"], "no model 'simics'; known: QEMU"),
    ("cost", ["{}/none.jsonl"], "none.jsonl"),
    ("cost", ["--guests", "-1"], "-1 is not in the range"),
    ("waves", ["{}/none.vcd"], "none.vcd"),
    ("waves", [TRACE], ".vcd or .fst"),
    ("report", ["{}/none.scenario", "-o", "{}/r.html"], "none.scenario"),
    ("report", [SCENARIO, "-o", "{}/none/r.html"], "create it first"),
    ("plot", ["sizes"], "sizes"),
    ("plot", ["exits", "-o", "{}/none/x.svg"], "create it first"),
    ("export", ["vhdl"], "'vhdl' is not one of"),
    ("export", ["--lrs", "17"], "lrs must be an integer from 1 to 16, not 17"),
    ("export", ["--name", "1st"], "not a plain identifier"),
    ("export", ["--lrs", "1", "-o", "{}/none/x.v"], "create it first"),
    ("export", ["--lrs", "1", "-o", "{}"], "directory"),
    ("export", ["--spis", "33"], "spis"),
    ("export", ["--spis", "32", "--bus", "apb"], "use --bus none with --spis"),
    ("export", ["--lrs", "1", "--name", "module", "-o", "{}/x.v"], "not a plain identifier"),
    ("export", ["rtlil", "--template"], "leave out rtlil"),
    ("export", ["--template", "--ports"], "give one of --template and --ports"),
    ("export", ["--physical-bits", "6"], "comes with --spis"),
    ("export", ["--dvim"], "--no-nv4"),
    ("lint", ["--gic", "v2", "--pri-bits", "5"], "GICv2 has no parameter pri_bits; leave it out"),
    ("lint", ["--cover", "some"], "'some' is not one of"),
    ("registers", ["ICH_HCR_EL3"], "did you mean ICH_HCR_EL2?"),
    ("registers", ["GICH_LR99"], "GICH_LR99"),
    ("registers", ["ICH_HCR_EL2", "--gic", "v2"], "a GICv2 has none; leave out --gic v2"),
    ("params", ["lrs"], "unexpected extra argument"),
    ("synth", ["--speed", "5"], "speed grades (6, 7, 8), not 5"),
    ("synth", ["--gic", "v2", "--spis", "64"], "leave out --gic v2 or --spis"),
    ("fpga", ["burn"], "No such command 'burn'"),
    ("fpga", ["run", SCENARIO], "Missing option '--port'"),
    ("fpga", ["run", SCENARIO, "--port", "{}/none"], "name the board's serial device"),
    ("soak", ["--operations", "0"], "0 is not in the range"),
    ("explore", ["--profile", "9"], "unknown profile '9'"),
    ("mutate", ["--count", "0"], "0 is not in the range"),
    ("mutate", ["--table", "{}/none.md"], "none.md"),
    ("doctor", ["g++"], "unexpected extra argument"),
    ("completion", ["tcsh"], "'tcsh' is not one of"),
    ("soak", ["--gic", "v5"], "'v5' is not one of"),
]


@cache
def _command(name: str) -> click.Command:
    return cli.get_command(click.Context(cli), name)


def _run(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return stop.value.code or 0, captured.out, captured.err


def _placed(arguments: list, directory: Path) -> list[str]:
    return [str(word).replace("{}", str(directory)) for word in arguments]


def _reports(name: str) -> bool:
    return any("--json" in parameter.opts for parameter in _command(name).params)


def _examples(command: Command) -> list[list[str]]:
    """Return the words of each example up to a pipe or redirection."""
    words = [shlex.split(line, comments=True) for line in command.examples]
    return [line[: next((n for n, word in enumerate(line) if word in "|>"), None)] for line in words]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_examples_and_exit_statuses(capsys, name):
    status, out, _ = _run(capsys, name, "--help")
    assert status == 0
    assert out.startswith(f"Usage: spillway {name}")
    examples = _command(name).examples
    assert examples
    for line in examples:
        assert f"\n  {line}\n" in out
    assert re.search(r"Exit status: 0\b", out), "the help says nothing of the exit status"
    for parameter in _command(name).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.opts} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_are_accepted(name):
    """Each example is parsed, not run: its options exist and take these values, its files are there."""
    for program, subcommand, *arguments in _examples(_command(name)):
        if program == "eval":
            continue
        assert (program, subcommand) == ("spillway", name)
        _command(name).make_context(name, arguments)
        for word in arguments:
            if word.startswith(("tests/", "sim/")):
                assert (ROOT / word).exists(), word


def test_the_help_of_a_build_for_a_board_names_its_own_default(capsys):
    """How many list registers is the board's to say, unless the option does."""
    _, board, _ = _run(capsys, "fpga", "build", "--help")
    _, export, _ = _run(capsys, "export", "--help")
    assert "[default: (the board's)]" in board
    assert "the board's)" not in export


@pytest.mark.parametrize("name", _command("fpga").commands)
def test_help_of_a_subcommand_shows_examples_and_exit_statuses(capsys, name):
    command = _command("fpga").commands[name]
    status, out, _ = _run(capsys, "fpga", name, "--help")
    assert status == 0
    assert re.search(r"Exit status: 0\b", out)
    assert command.examples
    for words in _examples(command):
        assert words[:3] == ["spillway", "fpga", name]
        command.make_context(name, words[3:])


def test_the_overview_has_examples(capsys):
    _, out, _ = _run(capsys, "--help")
    for line in cli.examples:
        assert line in out
    for words in _examples(cli):
        assert words[1] in COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_reports_takes_json(name):
    assert _reports(name) != (name in NO_REPORT)
    if _reports(name):
        assert (name in CHEAP) != (name in JSON_TESTED_IN), "say where its JSON is tested"
    if name in JSON_TESTED_IN:
        assert "json" in (ROOT / JSON_TESTED_IN[name]).read_text()


@pytest.mark.parametrize("name", CHEAP)
def test_json_is_one_object_of_the_one_shape(capsys, tmp_path, name):
    status, out, err = _run(capsys, name, *_placed(CHEAP[name], tmp_path), "--json")
    report = json.loads(out)
    assert list(report)[:2] == ["command", "status"]
    assert list(report)[-1] == "results"
    assert (report["command"], report["status"], err) == (name, status, "")
    assert report["results"] and all(isinstance(result, dict) for result in report["results"])


@pytest.mark.parametrize(("name", "arguments", "text"), BAD, ids=lambda value: str(value)[:20])
def test_bad_input_is_one_line_and_status_2(capsys, tmp_path, monkeypatch, name, arguments, text):
    """No traceback, nothing on standard output, nothing written."""
    monkeypatch.chdir(tmp_path)
    status, out, err = _run(capsys, name, *_placed(arguments, tmp_path))
    assert (status, out) == (2, "")
    assert err.startswith("spillway: ")
    assert err.count("\n") == 1
    assert text in err
    assert list(tmp_path.iterdir()) == []


def test_every_command_has_bad_input():
    assert {name for name, _, _ in BAD} == set(COMMANDS)


@pytest.mark.parametrize(
    "arguments", [["parts", "gic-500"], ["run", "nowhere.scenario"], ["soak", "--operations", "x"]]
)
def test_bad_input_as_json(capsys, arguments):
    """Standard output stays JSON, and says what standard error says."""
    status, out, err = _run(capsys, *arguments, "--json")
    report = json.loads(out)
    assert (status, report["status"], report["command"], report["results"]) == (2, 2, arguments[0], [])
    assert err == f"spillway: {report['errors'][0]}\n"


@pytest.mark.parametrize(
    ("word", "text"), [("repaly", "did you mean replay?"), ("zzz", "`spillway --help` lists them")]
)
def test_an_unknown_command(capsys, word, text):
    status, out, err = _run(capsys, word)
    assert (status, out) == (2, "")
    assert err == f"spillway: no command {word!r}; {text}\n"


def test_help_imports_nothing_slow():
    """The start of every command is quick: what takes long is imported when it is used.

    Measured on a modest machine: 0.1 s for the help of a command, against 1.5 s with these.
    """
    slow = ("amaranth", "cocotb", "cocotb_tools", "unicorn", "rich", "hypothesis", "pytest", "vcd")
    code = (
        "import contextlib, io, sys\n"
        "from tb.cli import COMMANDS, main\n"
        "for name in COMMANDS:\n"
        "    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "        main([name, '--help'])\n"
        f"    found = [module for module in {slow!r} if module in sys.modules]\n"
        "    assert not found, f'{name} --help imports {found}'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_output_to_a_closed_pipe_is_no_traceback():
    done = subprocess.run(
        f"{shlex.quote(sys.executable)} -c 'from tb.cli import main; main()' registers --markdown | head -1",
        shell=True, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
