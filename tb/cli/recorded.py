"""How the replay of a recorded guest reads: what was recorded, and what the gateware did with it."""

from __future__ import annotations

import time
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from hw.errors import InputError
from sim.replay import FileReport
from sim.trace import Meta
from tb.replay import replay_traces
from tb.traffic import MAINTENANCE, Traffic

__all__ = ["print_recording", "print_replay"]

_BARS = "▁▂▃▄▅▆▇█"


def _skyline(traffic: Traffic) -> str:
    """Draw the number of active interrupts over the run; what does not fit the list registers is red."""
    tallest = max(traffic.peak, len(_BARS))
    parts = []
    for count in traffic.active:
        bar = _BARS[max(0, (count * len(_BARS) - 1) // tallest)] if count else " "
        parts.append(f"[red]{bar}[/]" if count > traffic.lrs else f"[green]{bar}[/]")
    return "".join(parts)


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", show_header=False, box=box.SIMPLE)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column()
    return table


def _story(meta: Meta, traffic: Traffic) -> Table:
    """Return what the recording holds, as a table."""
    table = _table("What was recorded")
    exits = sum(traffic.exits.values())
    kernel = meta.kernel or "unknown"
    table.add_row("host kernel", "", f"Linux {kernel} with KVM; guest scenario {meta.scenario or 'unknown'}")
    table.add_row("list registers", str(traffic.lrs), "")
    table.add_row("interrupts", f"{traffic.acknowledged:,}", f"acknowledged ({traffic.spurious:,} spurious)")
    more = "more than there are list registers" if traffic.peak > traffic.lrs else "fits the list registers"
    table.add_row("peak", str(traffic.peak), f"interrupts active at once: {more}")
    table.add_row("accesses", f"{traffic.accesses:,}", "to system registers of the CPU interface")
    table.add_row("", f"{traffic.hypervisor:,}", f"by the hypervisor, {traffic.per_exit:.1f} for each exit")
    table.add_row("", f"{traffic.guest:,}", "by the guest, executed")
    for register, count in traffic.traps.most_common():
        table.add_row("", f"{count:,}", f"by the guest, trapped: {register}")
    table.add_row("exits", f"{exits:,}", "from the guest to the hypervisor")
    for cause, count in traffic.exits.most_common():
        style = "yellow" if cause == MAINTENANCE else ""
        table.add_row("", f"{count:,}", cause, style=style)
    return table


def _verdict(report: FileReport, engine: str, seconds: float) -> Table:
    """Return what the hardware did with it, as a table."""
    table = _table(f"What the hardware did ({engine})")
    table.add_row("replayed", f"{report.operations:,}", f"operations in {seconds:.1f} s")
    table.add_row("compared", f"{report.share:.1%}", "of them in full")
    table.add_row("values", f"{report.values:,}", "read values, syndromes and trap decisions compared")
    table.add_row("lines", f"{report.line_events:,}", "recorded changes of the interrupt lines compared")
    for name, counts in report.explained.items():
        table.add_row("explained", name, counts.text)
    style = "bold red" if report.differences else "bold green"
    table.add_row("mismatches", str(report.differences), "", style=style)
    return table


def print_recording(console: Console, meta: Meta, traffic: Traffic) -> None:
    """Print what a recording holds."""
    console.print(_story(meta, traffic))
    if traffic.active:
        console.print("\nactive interrupts over the run, [red]red[/] where they overflow the list registers:")
        console.print(_skyline(traffic), soft_wrap=True)


def print_replay(console: Console, trace: Path, engine: str, waves: Path | None) -> int:
    """Replay a recording on an engine, print what came of it, and return the number of differences.

    Raises
    ------
    InputError
        When the recording cannot be replayed.
    """
    started = time.monotonic()
    with console.status(f"running the gateware on {engine}"):
        result = replay_traces([trace], engine, waves=waves)
    if result.refused:
        raise InputError(result.refused[0])
    (report,) = result.reports
    console.print()
    console.print(_verdict(report, engine, time.monotonic() - started))
    if report.first is not None:
        console.print("\n".join(["first difference:", *report.first.lines]), markup=False)
    return report.differences
