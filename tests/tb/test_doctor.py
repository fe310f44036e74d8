"""``spillway doctor`` and ``spillway completion``."""

import json
import os
import pty
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tb import doctor
from tb.cli import COMMANDS, main
from tb.tools import find_simulator

ROOT = Path(__file__).parents[2]
START = "import sys; from tb.cli import main; main(sys.argv[1:])"


def _run(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    captured = capsys.readouterr()
    return stop.value.code or 0, captured.out, captured.err


def test_the_doctor_looks_at_every_requirement(capsys):
    """Each package of pyproject.toml and each program has a row, and the status is what the rows say."""
    status, out, _ = _run(capsys, "doctor", "--json")
    report = json.loads(out)
    rows = {row["name"]: row for row in report["results"]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {"g++", "make", "perl", "libpython", "Verilator", "Icarus Verilog", "openFPGALoader"} <= set(rows)
    for requirement in project["dependencies"]:
        name = requirement.partition(">")[0].partition("=")[0]
        assert rows[name]["needed"] == doctor.ALWAYS
        assert rows[name]["found"]
    assert all(row["remedy"].startswith(("apt-get install ", "pip install ")) for row in rows.values())
    missing = [row for row in rows.values() if row["found"] is None and row["needed"] != doctor.OPTIONAL]
    assert status == report["status"] == int(bool(missing))


def test_a_missing_program_is_status_1_and_names_its_installation(capsys, monkeypatch):
    which = shutil.which
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None if name == "gtkwave" else which(name))
    status, out, _ = _run(capsys, "doctor")
    assert status == 1
    (line,) = [line for line in out.splitlines() if " GTKWave" in line]
    assert line.startswith("MISSING") and line.endswith("for make test: apt-get install gtkwave")


def test_an_optional_program_is_no_failure(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    missing = {finding.name for finding in doctor.needed(doctor.examine())}
    assert {"g++", "make", "perl"} <= missing
    assert not {"openFPGALoader", "Icarus Verilog", "FuseSoC"} & missing


def test_the_environment_is_a_shell_where_verilator_builds(capsys):
    """As ``eval "$(spillway doctor --env)"``: the simulators' own settings, and this Python first."""
    status, out, _ = _run(capsys, "doctor", "--env")
    assert status == 0
    show = 'command -v verilator; command -v python3; echo "$MAKEFLAGS"; verilator --version'
    bare = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", out + show], env=bare, capture_output=True, text=True, check=True)
    verilator, python, flags, _ = done.stdout.splitlines()
    assert Path(python).parent == Path(sys.executable).parent
    with find_simulator("verilator").active():
        assert verilator == shutil.which("verilator")
        assert flags == os.environ.get("MAKEFLAGS", "")
    assert _run(capsys, "doctor", "--env", "--json")[0] == 2


def test_a_package_of_another_version_counts_as_missing(monkeypatch):
    monkeypatch.setattr(doctor.importlib.metadata, "version", lambda name: "0.1")
    finding = doctor._package("amaranth<0.6,>=0.5.10")
    assert finding.found is None
    assert finding.remedy == "pip install 'amaranth<0.6,>=0.5.10'"
    assert doctor._package('pytest<10,>=8.4; extra == "test"').needed == doctor.TESTS
    assert doctor._package('spillway[synth]; extra == "test"') is None


def test_colour_is_for_terminals_and_no_color_is_respected():
    """In a process with a terminal: escape sequences, none with NO_COLOR, none into a pipe."""

    def on_terminal(**variables):
        leader, follower = pty.openpty()
        environment = {**os.environ, "TERM": "xterm-256color", **variables}
        for name in ("NO_COLOR", "FORCE_COLOR"):
            if name not in variables:
                environment.pop(name, None)
        with subprocess.Popen([sys.executable, "-c", START, "doctor"], stdout=follower, env=environment):
            os.close(follower)
            parts = []
            try:
                while part := os.read(leader, 4096):
                    parts.append(part)
            except OSError:  # the other end is closed
                pass
        os.close(leader)
        return b"".join(parts)

    assert b"\x1b[3" in on_terminal()
    assert b"\x1b[3" not in on_terminal(NO_COLOR="1")
    piped = subprocess.run([sys.executable, "-c", START, "doctor"], capture_output=True, check=False).stdout
    assert b"\x1b" not in piped and b"ok " in piped


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_calls_back(capsys, shell):
    status, out, _ = _run(capsys, "completion", shell)
    assert status == 0
    assert "_SPILLWAY_COMPLETE" in out


def _completed(words: str) -> list[str]:
    """Return what bash would offer, as its script asks for it."""
    environment = {
        **os.environ,
        "_SPILLWAY_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    done = subprocess.run(
        [sys.executable, "-c", "from tb.cli import main; main()"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_options_and_values_are_completed():
    assert _completed("spillway ") == list(COMMANDS)
    assert _completed("spillway re") == [name for name in COMMANDS if name.startswith("re")]
    assert "--engine" in _completed("spillway run --e")
    assert "verilator" in _completed("spillway run --engine v")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("spillway run --profile 7", ["7.0", "7.3"]),
        ("spillway run --profile 7.3,-walk_f", ["7.3,-walk_from_tail"]),
        ("spillway run --policy b", ["bao"]),
        ("spillway run --policy ./mine", ["./mine"]),
        ("spillway run --part gic", ["gic-400"]),
        ("spillway parts gic", ["gic-400"]),
        ("spillway explore nested-", ["nested-dir"]),
        ("spillway prove selection-", ["selection-8-bits"]),
        ("spillway cures kick_after_d", ["kick_after_dir"]),
        ("spillway divergences re", ["renode"]),
        ("spillway registers ICH_HC", ["ICH_HCR_EL2"]),
        ("spillway fpga build --board ice", ["icebreaker"]),
    ],
)
def test_names_are_completed(words, offered):
    """What a command accepts and click cannot know; each name offered is one that the command finds."""
    assert _completed(words) == offered


def test_fish_completes(capsys, tmp_path):
    """The real shell asks our command, which it finds where it looks for commands."""
    _, out, _ = _run(capsys, "completion", "fish")
    fish = shutil.which("fish")
    assert fish, "fish is needed: apt-get install fish"
    command = tmp_path / "spillway"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from tb.cli import main; main()" "$@"\n')
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    environment = {name: value for name, value in environment.items() if not name.startswith("XDG_")}
    done = subprocess.run(
        [fish, "--no-config", "-c", f"{out}\ncomplete -C 'spillway run --profile 7.'"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["7.0", "7.3"], done.stderr


def test_zsh_completes_without_further_setting_up(capsys):
    """In a zsh whose ~/.zshrc is this script and nothing else."""
    _, out, _ = _run(capsys, "completion", "zsh")
    zsh = shutil.which("zsh")
    assert zsh, "zsh is needed: apt-get install zsh"
    done = subprocess.run(
        [zsh, "-f", "-c", f"{out}\necho $_comps[spillway]"], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("_spillway_completion\n", "")


def test_bash_accepts_the_script(capsys):
    _, out, _ = _run(capsys, "completion", "bash")
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{out}\ncomplete -p spillway"], capture_output=True, text=True, check=True
    )
    assert "_spillway_completion" in done.stdout
