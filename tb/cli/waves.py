"""``spillway waves``: the waveform of a scenario, or the save file of a dump."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click

from hw.errors import InputError
from tb.cli.command import Command, json_option
from tb.cli.output import Bar, print_json

__all__ = ["command"]

#: Those that have cycles and can be watched.
_ENGINES = ("verilator", "icarus")


@click.command(
    "waves",
    cls=Command,
    examples=[
        "spillway waves sim/scenarios/A08.scenario --profile 7.3 --open",
        "spillway waves my.scenario --engine icarus --format fst -o build/my",
        "spillway waves nest.vcd -o nest.gtkw",
    ],
)
@click.argument("source", type=click.Path(path_type=Path), metavar="SCENARIO|DUMP")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Directory for the files of a SCENARIO "
              "[default: waves], or the save file of a DUMP [default: DUMP with .gtkw].")  # fmt: skip
@click.option("--engine", type=click.Choice(_ENGINES), default="verilator", show_default=True,
              help="What plays a SCENARIO.")  # fmt: skip
@click.option("--profile", metavar="NAME", help="Play a SCENARIO under this profile only.")
@click.option("--lrs", type=click.IntRange(1, 64), help="Another number of list registers.")
@click.option("--mi-latency", metavar="K|Kcycles|slow", help="Another latency of the maintenance interrupt.")
@click.option("--format", "kind", type=click.Choice(["vcd", "fst"]), default="vcd", show_default=True,
              help="Kind of dump of a SCENARIO.")  # fmt: skip
@click.option("--open", "opens", is_flag=True, help="Open GTKWave.")
@json_option
def command(
    source: Path,
    output: Path | None,
    engine: str,
    profile: str | None,
    lrs: int | None,
    mi_latency: str | None,
    kind: str,
    opens: bool,
    as_json: bool,
) -> int:
    """Make the waveform of a SCENARIO, or show a DUMP (.vcd or .fst, of any engine), in words.

    A scenario is played on the gateware; one dump for each of its sequences and profiles. Beside the signals
    it has lanes of text: guest operations, accesses of the hypervisor, causes of exits, what an ideal GIC
    would signal and where that differs, steps and expectations. Each dump gets a GTKWave save file, which
    shows it in groups with markers at entries, exits and expectations, and a command file for Surfer.

    In both list-register states, ICH_HCR_EL2 and ICH_MISR_EL2 bits, register names and outcomes are spelled
    out by filters made from the register table; they are kept in a directory beside the save file.

    Exit status: 0 made, 1 an expectation of the scenario did not hold, 2 a file, option or tool is wrong.
    """
    viewer = _gtkwave() if opens else None
    if source.suffix != ".scenario" and not source.is_dir():
        made, status = [_show_dump(source, output)], 0
    else:
        made, status = _play(
            source, output or Path("waves"), engine, profile, _settings(lrs, mi_latency), kind
        )
    if viewer is not None:
        for one in made:
            subprocess.Popen([viewer, one["save"]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if as_json:
        return print_json("waves", status, made)
    for one in made:
        _print(one)
    return status


def _print(made: dict[str, Any]) -> None:
    """Tell what came of a run, and how to look at it."""
    if "surfer" not in made:
        click.echo(f"open with: gtkwave {shlex.quote(made['save'])}")
        return
    click.echo(f"{made['name']}: {made['verdict']}")
    for problem in made["problems"]:
        click.echo(f"  {problem}")
    click.echo(f"  gtkwave {shlex.quote(made['save'])}")
    click.echo(f"  surfer -c {shlex.quote(made['surfer'])} {shlex.quote(made['dump'])}")


def _settings(lrs: int | None, mi_latency: str | None) -> str:
    if mi_latency is not None and not re.fullmatch(r"fast|slow|\d{1,5}(cycles)?", mi_latency):
        raise InputError(
            f"--mi-latency {mi_latency}: give fast, slow, a number of guest operations, or 40cycles"
        )
    words = [] if lrs is None else [f"lrs {lrs}"]
    return ", ".join([*words, *([] if mi_latency is None else [f"mi {mi_latency}"])])


def _show_dump(dump: Path, output: Path | None) -> dict[str, Any]:
    from tb.waves.gtkwave import write_save_file

    return {"dump": str(dump), "save": str(write_save_file(dump, output))}


def _play(
    source: Path, directory: Path, engine: str, profile: str | None, settings: str, kind: str
) -> tuple[list[dict[str, Any]], int]:
    from tb.waves.scenario import wave_scenarios

    if not source.exists():
        raise InputError(f"{source}: no such file; give a scenario, or a .vcd or .fst dump")
    with Bar(engine) as bar:
        waves = wave_scenarios([source], directory, engine, profile, settings, kind == "fst", bar)
    return [wave.as_dict() for wave in waves], int(any(wave.problems for wave in waves))


def _gtkwave() -> str:
    found = shutil.which("gtkwave")
    if found is None:
        raise InputError("gtkwave is not installed; apt-get install gtkwave")
    return found
