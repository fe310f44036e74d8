"""The page: recordings, their explanations and the timeline, in one file without anything from outside."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from hw.errors import InputError
from sim.policy.names import command_line_name, hypervisor_named
from sim.scenario.build import pes_needed
from sim.scenario.job import select
from tb.record.job import MISR_MEANINGS
from tb.report.columns import align
from tb.report.explain import PROFILES, explain
from tb.runner import run_job

__all__ = ["DEFAULT_PROFILES", "page", "record_scenarios"]

#: What is shown side by side unless something else is asked for.
DEFAULT_PROFILES = ("legacy", "6.19", "7.3", "fixed")
Listener = Callable[[str, int, int], None]


def record_scenarios(
    paths: Sequence[Path],
    profiles: Sequence[str] = DEFAULT_PROFILES,
    engine: str = "golden",
    overrides: str = "",
    limit: int = 600,
    listener: Listener | None = None,
) -> list[list[dict[str, Any]]]:
    """Play every sequence of the scenarios under every profile, and return the recordings by sequence.

    A sequence is played under profiles it is not written for, too; its expectations are not judged then.

    Parameters
    ----------
    paths, overrides
        See :func:`sim.scenario.job.select`.
    profiles : sequence of str
        Names, as :func:`sim.policy.names.hypervisor_named` takes them.
    engine : str
        One of ``tb.runner.ENGINES`` that is no bench.
    limit : int
        How many events of a run are kept.
    listener : callable or None
        Called with (what, done, total).

    Raises
    ------
    InputError
        For anything wrong with the files or options, and when there is nothing to play.
    """
    profiles = [command_line_name(hypervisor_named(profile, Path(paths[0]).parent)) for profile in profiles]
    tasks, opened = select(paths, None, overrides)
    if not tasks:
        reason = opened[0].reason if opened else "no steps"
        raise InputError(f"{paths[0]}: nothing to play: {reason}")
    sequences = list({(task.path, task.sequence): (task, spec) for task, spec in tasks}.values())
    result = []
    for number, (task, spec) in enumerate(sequences):
        group = []
        for place, profile in enumerate(profiles):
            if listener is not None:
                name = f"{Path(task.file).stem} {profile}"
                listener(name, number * len(profiles) + place, len(sequences) * len(profiles))
            arguments = {"tasks": [task.as_dict() | {"profile": profile}], "limit": limit}
            job = "tb.record.job:record"
            group += run_job(job, arguments, engine=engine, config=spec.config, pes=pes_needed(spec))
        result.append(group)
    return result


def page(groups: Sequence[list[dict[str, Any]]], title: str = "") -> str:
    """Return the page of some recordings.

    Parameters
    ----------
    groups : sequence of list of dict
        For each sequence of steps its recordings, one a profile (:func:`record_scenarios`).
    title : str
        Of the page; by default made of the scenarios' names.
    """
    stories = [_story(number, group) for number, group in enumerate(groups)]
    names = list(dict.fromkeys(story["name"] for story in stories))
    environment = Environment(
        loader=PackageLoader("tb.report", "."), autoescape=select_autoescape(default=True),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    data = {"stories": [_data(group) for group in groups], "misr": MISR_MEANINGS}
    return environment.get_template("report.html.j2").render(
        title=title or f"Spillway: {', '.join(names)}",
        stories=stories,
        # "</" would end the script element.
        data=Markup(json.dumps(data, separators=(",", ":")).replace("</", "<\\/")),
        style=Markup(_source(environment, "style.css")),
        script=Markup(_source(environment, "report.js")),
    )


def _source(environment: Environment, name: str) -> str:
    return environment.loader.get_source(environment, name)[0]


def _story(number: int, group: list[dict[str, Any]]) -> dict[str, Any]:
    first = group[0]
    plays = []
    for recording in group:
        base = recording["profile"].split(",")[0]
        plays.append(recording | {
            "explanation": explain(recording),
            "about": PROFILES.get(base, ""),
            "exit_count": sum(recording["exits"].values()),
        })  # fmt: skip
    return {"id": f"story-{number}", "name": first["name"], "title": first["title"], "steps": first["steps"],
            "written_for": " ".join(first["written_for"]),
            "file": Path(first["file"]).name, "lrs": first["lrs"], "vcpus": first["vcpus"], "mi": first["mi"],
            "priorities": first["priorities"], "plays": plays}  # fmt: skip


def _data(group: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the timeline is drawn from."""
    kept = ("profile", "verdict", "loop", "ideal", "events", "lrs", "vcpus", "dropped")
    return {
        "plays": [{name: recording[name] for name in kept} for recording in group],
        "columns": align(group),
        "priorities": group[0]["priorities"],
    }
