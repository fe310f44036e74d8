"""``spillway demo``: a recorded Linux KVM guest with more active interrupts than list registers."""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table

from hw.errors import InputError
from sim.replay import FileReport
from sim.trace import Meta
from tb.build import build_root
from tb.replay import replay_traces
from tb.runner import ENGINES
from tb.traffic import MAINTENANCE, Traffic, read_traffic
from tb.waves.gtkwave import write_save_file

__all__ = ["DEMO_TRACE", "command"]

#: What is replayed: a Linux 7.3 host, 4 list registers, 12, 9 and 20 interrupts active at once.
DEMO_TRACE = (
    Path(__file__).resolve().parents[2]
    / "tests/data/traces/kvm-real-7.3.4-manyactive-shuffle-reinject-lifo.jsonl.gz"
)
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


@click.command("demo")
@click.argument("trace", type=click.Path(path_type=Path), default=DEMO_TRACE, required=False)
@click.option(
    "--engine",
    type=click.Choice([engine for engine in ENGINES if engine != "golden"]),
    default="verilator",
    show_default=True,
    help="What to run the gateware on.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIRECTORY",
              help="Where the waveform goes  [default: build/demo].")  # fmt: skip
def command(trace: Path, engine: str, output: Path | None) -> int:
    """Replay a recorded Linux KVM guest on the gateware and leave a waveform to open.

    The guest keeps more interrupts active than the hardware has list registers. Every access the recorded
    kernel and its guest made is executed by the gateware, and every value they read is compared. TRACE may
    name another recorded run.

    Exit status: 0 all agree, 1 something differs, 2 bad input.
    """
    console = Console()
    if not trace.is_file():
        raise InputError(f"{trace}: no such file; the demo runs in a checkout, or give it a recorded run")
    meta, traffic = read_traffic(trace)
    directory = output if output is not None else build_root() / "demo"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{directory}: cannot be made: {error.strerror}; choose another -o") from None
    console.print(_story(meta, traffic))
    if traffic.active:
        console.print("\nactive interrupts over the run, [red]red[/] where they overflow the list registers:")
        console.print(_skyline(traffic), soft_wrap=True)
    waves = directory / f"demo-{engine}.vcd"
    started = time.monotonic()
    with console.status(f"running the gateware on {engine}; the first time it is compiled, about a minute"):
        result = replay_traces([trace], engine, waves=waves)
    if result.refused:
        raise InputError(result.refused[0])
    (report,) = result.reports
    console.print()
    console.print(_verdict(report, engine, time.monotonic() - started))
    if report.first is not None:
        console.print("\n".join(["first difference:", *report.first.lines]), markup=False)
    save = write_save_file(waves)
    console.print(f"\nwaveform   {_shown(waves)}", soft_wrap=True, highlight=False)
    console.print(f"open with  gtkwave {shlex.quote(_shown(save))}", soft_wrap=True, highlight=False)
    return int(report.differences > 0)


def _shown(path: Path) -> str:
    """Return a path as it is shortest from here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
