"""Waveforms of scenarios: the run, its lanes of text, its markers, and the files that viewers open."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.errors import InputError
from sim.scenario.build import pes_needed
from sim.scenario.job import select
from tb.runner import run_job
from tb.waves.gtkwave import Mark, write_save_file
from tb.waves.lanes import lane_changes, merge_lanes
from tb.waves.surfer import write_command_file
from tb.waves.vcd import units_per_ns

__all__ = ["ENGINES", "Wave", "event_marks", "wave_scenarios"]

#: What tells the time of what happens, so that lanes and markers can be put in their places.
ENGINES = ("verilator", "icarus")
#: Clock cycles that GTKWave shows at first, before and after the moment to look at.
_CYCLES = (70, 60)
#: Kinds of events that get a marker.
_MARKED = ("entry", "exit", "step", "device")
Listener = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Wave:
    """The files of one run, and what came of it.

    ``name``: scenario, sequence and profile; ``problems``: expectations that did not hold; ``verdict``: see
    :func:`tb.record.job.record`.
    """

    name: str
    dump: Path
    save: Path
    commands: Path
    verdict: str
    problems: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        files = {"dump": str(self.dump), "save": str(self.save), "surfer": str(self.commands)}
        return {"name": self.name, **files, "verdict": self.verdict, "problems": self.problems}


def wave_scenarios(
    paths: Sequence[Path],
    directory: Path,
    engine: str = "verilator",
    profile: str | None = None,
    overrides: str = "",
    fst: bool = False,
    listener: Listener | None = None,
) -> list[Wave]:
    """Play scenarios on the gateware and leave a waveform of each run in a directory, which is made.

    Parameters
    ----------
    paths, profile, overrides
        See :func:`sim.scenario.job.select`.
    directory : Path
        For ``NAME-SEQUENCE-PROFILE.vcd`` (or ``.fst``), ``.gtkw``, ``.words`` and ``.sucl``.
    engine : str
        One of :data:`ENGINES`.
    fst : bool
        Convert the dump to FST, with the ``vcd2fst`` that comes with GTKWave.
    listener : callable or None
        Called with (what, done, total).

    Raises
    ------
    InputError
        For anything wrong with the files, the options or the tools, and when nothing is left to play.
    """
    if engine not in ENGINES:
        raise InputError(f"{engine} does not tell the time of what happens; choose {' or '.join(ENGINES)}")
    converter = _converter() if fst else None
    tasks, opened = select(paths, profile, overrides)
    if not tasks:
        reason = opened[0].reason if opened else "no steps"
        raise InputError(f"{paths[0]}: nothing to play: {reason}")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{directory}: {error.strerror}; give a directory for the waveforms") from None
    waves = []
    for number, (task, spec) in enumerate(tasks):
        name = f"{Path(task.file).stem}-{task.sequence + 1}-{Path(task.profile).name}"
        if listener is not None:
            listener(name, number, len(tasks))
        dump = directory / f"{name}.vcd"
        pes = pes_needed(spec)
        arguments = {"tasks": [task.as_dict()], "accesses": True}
        job = "tb.record.job:record"
        [recording] = run_job(job, arguments, engine=engine, config=spec.config, pes=pes, waves=dump)
        merge_lanes(dump, lane_changes(recording), pes)
        marks = event_marks(recording, units_per_ns(dump))
        save = write_save_file(dump, marks=marks, cycles=_CYCLES)
        if converter is not None:
            dump = _convert(converter, dump)
            save.write_text(
                save.read_text().replace(str(dump.with_suffix(".vcd").resolve()), str(dump.resolve()))
            )
        commands = write_command_file(dump, marks)
        waves.append(Wave(name, dump, save, commands, recording["verdict"], recording["problems"]))
    return waves


def event_marks(recording: dict[str, Any], unit: int) -> list[Mark]:
    """Return a marker for every entry, exit, arrival and judged expectation of a recording.

    The focus is the first thing that went wrong, else the first maintenance interrupt. ``unit``: the dump's
    units of time in a nanosecond. Of several at one time the last counts.
    """
    marks: dict[int, Mark] = {}
    focus: int | None = None
    second: int | None = None
    for number, event in enumerate(recording["events"]):
        time = event["ns"] * unit
        if event["kind"] in _MARKED and not event["text"].startswith(("RUN", "ENTER")):
            marks[time] = Mark(time, _mark_text(event))
        if focus is None and (event.get("bad") or number == recording["loop"] or _is_wrong(event)):
            focus = time
        if second is None and event.get("misr"):
            second = time
        for one in event.get("expects", []):
            failed = one["found"] is not None
            marks[time] = Mark(time, f"{'FAILS ' if failed else ''}{one['text']}")
            if failed and focus is None:
                focus = time
    focus = second if focus is None else focus
    if focus is not None:
        text = marks[focus].text if focus in marks else "here"
        marks[focus] = Mark(focus, text, True)
    return sorted(marks.values())


def _is_wrong(event: dict[str, Any]) -> bool:
    return any(weight == "wrong" for view in event["views"].values() for _, weight in view.get("diff", []))


def _mark_text(event: dict[str, Any]) -> str:
    if event["kind"] == "exit":
        return f"exit {'MI ' if event.get('misr') else ''}{event['text']}"
    return f"enter {event['text']}" if event["kind"] == "entry" else event["text"]


def _converter() -> str:
    found = shutil.which("vcd2fst")
    if found is None:
        raise InputError("vcd2fst is not installed; it comes with GTKWave: apt-get install gtkwave")
    return found


def _convert(converter: str, dump: Path) -> Path:
    fst = dump.with_suffix(".fst")
    done = subprocess.run([converter, str(dump), str(fst)], capture_output=True, text=True, check=False)
    if done.returncode or not fst.exists():
        raise RuntimeError(f"{converter} failed on {dump}: {done.stderr.strip()}")
    dump.unlink()
    return fst
