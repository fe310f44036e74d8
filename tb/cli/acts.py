"""The acts of ``spillway demo``: each played, told and summed up."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from hw.errors import InputError
from sim.generated import build_root
from sim.trace import Meta
from tb.cli.recorded import print_recording, print_replay
from tb.cli.story import cause, print_act, save_marks
from tb.engines import WAVELESS
from tb.story.acts import ACTS, Act, play_act
from tb.traffic import Traffic, read_traffic
from tb.waves.gtkwave import write_save_file

__all__ = ["Row", "tell"]

_RECORDED = "recorded"
#: Text in longer lines is hard to read.
_WIDEST = 100


@dataclass(frozen=True)
class Row:
    """What came of an act; ``verdict`` None: it did not come out as it must."""

    profile: str
    delivered: int
    exits: Mapping[str, int]
    per_exit: float
    verdict: str | None
    act: str = ""
    waves: str = ""
    save: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {**asdict(self), "exits": dict(self.exits), "profile": self.profile.replace("\n", " ")}


def tell(names: Sequence[str], trace: Path, engine: str, output: Path | None, quiet: bool) -> list[Row]:
    """Play acts and print what happens in each, then a table of them all.

    Parameters
    ----------
    names : sequence of str
        Acts: of :data:`tb.story.acts.ACTS`, or ``recorded``.
    trace : Path
        What is replayed in the latter.
    engine : str
        One of :data:`tb.engines.ENGINES` with cycles.
    output : Path or None
        Directory of the waveforms; None: ``build/demo``.
    quiet : bool
        Print nothing.

    Raises
    ------
    InputError
        When the recording, a tool or the directory cannot be used.
    """
    recording = _recording(trace) if _RECORDED in names else None
    directory = output if output is not None else build_root() / "demo"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{directory}: cannot be made: {error.strerror}; choose another -o") from None
    console = Console(quiet=quiet)
    console.width = min(console.width, _WIDEST)
    if any(name in ACTS for name in names):
        _legend(console)
    rows, saves = [], []
    for number, name in enumerate(names, 1):
        waves = None if engine in WAVELESS else directory / f"demo-{name}-{engine}.vcd"
        heading = f"Act {number} of {len(names)}: " if len(names) > 1 else ""
        if name in ACTS:
            row, save = _play(console, heading, ACTS[name], engine, waves)
        else:
            row, save = _replay(console, heading, trace, *recording, engine, waves)
        rows.append(replace(row, act=name, waves=str(waves or ""), save=str(save or "")))
        saves += [save] if save else []
    console.print()
    console.print(_summary(rows))
    if not saves:
        console.print(f"\nno waveforms: {engine} writes none", highlight=False)
        return rows
    console.print("\nwaveforms, the moments of interest marked; open with")
    for save in saves:
        console.print(f"  gtkwave {shlex.quote(_shown(save))}", soft_wrap=True, highlight=False)
    return rows


def _recording(trace: Path) -> tuple[Meta, Traffic]:
    if not trace.is_file():
        raise InputError(f"{trace}: no such file; the demo runs in a checkout, or give it a recorded run")
    return read_traffic(trace)


def _legend(console: Console) -> None:
    console.print(
        "A hypervisor hands interrupts to its guest in [bold]list registers[/], and the hardware has only a "
        "few. When more are pending or active at once, the rest [bold]overflows[/] into the hypervisor's "
        "memory.\nBelow, [bold]32P[/] is interrupt 32, pending; [bold]32A[/] active: acknowledged, not yet "
        "ended. What stands behind the bar | does not fit. A [bold]kick[/] fetches the guest out to be "
        "handed an interrupt, [bold]WFI[/] is the guest waiting for one, and an [bold]MI[/], a maintenance "
        "interrupt, is the hardware telling the hypervisor that the list registers want attention.",
        highlight=False,
    )


def _play(
    console: Console, heading: str, act: Act, engine: str, waves: Path | None
) -> tuple[Row, Path | None]:
    console.print()
    console.rule(f"[bold]{heading}{act.title}", align="left")
    console.print(act.opening, highlight=False)
    console.print(f"[dim]hypervisor: Linux KVM's vgic, profile {act.profile}; hardware: {engine}[/]")
    with console.status(f"running the gateware on {engine}; the first time it is compiled, about a minute"):
        told = play_act(act, engine, waves)
    verdict = print_act(console, act, told)
    exits: Counter[str] = Counter()
    for causes, count in told.exits.items():
        exits[cause(causes)] += count
    row = Row(act.profile, len(told.delivered), exits, told.per_exit, verdict)
    return row, save_marks(waves, act, told) if waves else None


def _replay(
    console: Console, heading: str, trace: Path, meta: Meta, traffic: Traffic, engine: str, waves: Path | None
) -> tuple[Row, Path | None]:
    console.print()
    console.rule(f"[bold]{heading}a real kernel and its guest, replayed", align="left")
    print_recording(console, meta, traffic)
    differences = print_replay(console, trace, engine, waves)
    verdict = "0 mismatches" if not differences else None
    kernel = (meta.kernel or "unknown").partition("-")[0].partition("+")[0]
    row = Row(f"{kernel}\nrecorded", traffic.acknowledged, traffic.exits, traffic.per_exit, verdict)
    return row, write_save_file(waves) if waves else None


def _summary(rows: list[Row]) -> Table:
    table = Table(
        title="What came of it", title_justify="left", box=box.SIMPLE, show_lines=True, padding=(0, 1, 0, 0)
    )
    table.add_column("run", style="bold", no_wrap=True)
    table.add_column("profile")
    table.add_column("delivered", justify="right")
    table.add_column("exits", justify="right")
    table.add_column("by cause", no_wrap=True)
    table.add_column("ICH/exit", justify="right", no_wrap=True)
    table.add_column("verdict")
    for number, row in enumerate(rows, 1):
        causes = sorted(row.exits.items(), key=lambda item: -item[1])
        table.add_row(
            str(number),
            row.profile,
            f"{row.delivered:,}",
            f"{sum(row.exits.values()):,}",
            "\n".join(f"{count:,} {_short(text)}" for text, count in causes),
            f"{row.per_exit:.1f}",
            f"[green]{row.verdict}[/]" if row.verdict else "[bold red]NOT AS TOLD[/]",
        )
    table.caption = (
        "delivered: acknowledged by the guest; ICH/exit: accesses to ICH registers, where the list registers "
        "are; doorbell: the test guest asks for an interrupt; iabt, s2fault: faults of memory"
    )
    table.caption_justify = "left"
    return table


def _short(text: str) -> str:
    text = text.removesuffix(" interrupt").removesuffix(" access")
    return text.replace("trapped ICC_", "trapped ").removesuffix("_EL1")


def _shown(path: Path) -> str:
    """Return a path as it is shortest from here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
