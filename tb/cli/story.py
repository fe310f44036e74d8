"""How an act of the story reads: three lanes of what happened, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from tb.story.acts import Act, Told
from tb.story.chronicle import Line
from tb.traffic import MAINTENANCE
from tb.waves.gtkwave import Mark, write_save_file
from tb.waves.vcd import units_per_ns

__all__ = ["cause", "print_act", "save_marks"]

_LANES = ("hardware", "guest", "hypervisor")
_STYLES = {"good": "green", "bad": "bold red", "": ""}
_CAUSES = {"KICK": "kick", "WFI": "WFI"}


def cause(text: str) -> str:
    """Return a machine's exit cause in the words of the recorded runs."""
    return _CAUSES.get(text, MAINTENANCE)


def _joined(lines: Iterable[Line]) -> list[Line]:
    """Put an exit and the entry right behind it into one line."""
    result: list[Line] = []
    for line in lines:
        last = result[-1] if result else None
        if last is not None and line.text.startswith("enter: ") and last.text.startswith("exit: "):
            why, what = last.text.removeprefix("exit: "), line.text.replace(":", "", 1)
            result[-1] = last._replace(text=f"{why}; {what}")
        else:
            result.append(line)
    return result


def _timeline(act: Act, told: Told) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("ns", justify="right", no_wrap=True)
    for lane in _LANES:
        table.add_column(lane, no_wrap=lane != "hypervisor")
    start = next(n for n, line in enumerate(told.lines) if line.text == f"{act.since} arrives")
    if start:
        table.add_row("...", "", "", f"as before, until {act.since} arrives", style="dim")
    for line in _joined(told.lines[start:]):
        looping = told.loop is not None and line.operation >= told.loop[0]
        style = "red" if looping else _STYLES[line.tone]
        cells = [line.text if line.lane == lane else "" for lane in _LANES]
        table.add_row(f"{line.ns:,}" if line.ns is not None else "", *cells, style=style)
    return table


def print_act(console: Console, act: Act, told: Told) -> str | None:
    """Print what happened and what came of it.

    Returns
    -------
    str or None
        What came of it in a few words, None if that is not what must.
    """
    console.print(_timeline(act, told))
    verdict = act.judge(told) if not told.problems else None
    if told.loop is not None:
        first, last = told.loop
        console.print(
            f"[bold red]Live-lock found:[/] after guest operation {last} everything, hardware, hypervisor "
            f"and guest, is as it was before operation {first}. The red part goes round for ever, while "
            f"{_list(told.missing)}, pending and most urgent, waits for a list register."
        )
    for wrong in told.wrong:
        console.print(f"[bold red]Wrong one deactivated:[/] {wrong}, whose handler was still running.")
    for stuck in told.stuck:
        lost = " When its device raises it again, the guest is not told." if stuck in told.missing else ""
        console.print(f"[bold red]Stuck:[/] {stuck} has ended and stays active for ever.{lost}")
    if verdict == "correct":
        console.print(
            f"[bold green]Correct:[/] {len(told.delivered)} of {len(told.raised)} interrupts delivered, each "
            "deactivated when it had ended and not before."
        )
    if verdict is None:
        console.print("[bold red]This is not how the act must end.[/]")
        console.print("\n".join(told.problems), markup=False)
    return verdict


def _list(intids: list[int]) -> str:
    return ", ".join(map(str, intids))


def save_marks(waves: Path, act: Act, told: Told) -> Path:
    """Write the save file of an act's dump with its moments marked, and return its path.

    Of several moments at the same time one is marked, that with the focus first: their names would overlap.
    """
    if not told.marks:
        return write_save_file(waves)
    unit = units_per_ns(waves)
    marks = {mark.ns: mark for mark in sorted(told.marks, key=lambda mark: mark.focus)}
    moments = [Mark(mark.ns * unit, mark.text, mark.focus) for mark in marks.values()]
    return write_save_file(waves, marks=moments, cycles=act.cycles)
