"""``spillway demo``: more active interrupts than list registers, under old hypervisors and new ones."""

from __future__ import annotations

from pathlib import Path

import click

from hw.errors import InputError
from tb.cli.command import Command, json_option
from tb.cli.output import print_json
from tb.engines import ENGINES

__all__ = ["DEMO_TRACE", "command"]

#: What is replayed: a Linux 7.3 host, 4 list registers, 12, 9 and 20 interrupts active at once.
DEMO_TRACE = (
    Path(__file__).resolve().parents[2]
    / "tests/data/traces/kvm-real-7.3.4-manyactive-shuffle-reinject-lifo.jsonl.gz"
)
#: The acts of :data:`tb.story.acts.ACTS`, named here because importing them takes a second.
ACT_NAMES = ("legacy", "6.19", "7.3")
_RECORDED = "recorded"


@click.command(
    "demo",
    cls=Command,
    examples=[
        "spillway demo",
        "spillway demo --act 6.19 --engine icarus -o build/act",
        "spillway demo tests/data/traces/kvm-real-7.3.4-manyactive-eoimode1.jsonl.gz",
    ],
)
@click.argument("trace", type=click.Path(path_type=Path), required=False)
@click.option("--act", "names", type=click.Choice([*ACT_NAMES, _RECORDED]), multiple=True,
              help="Play only this act; may be repeated  [default: all, with TRACE recorded].")  # fmt: skip
@click.option(
    "--engine",
    type=click.Choice([engine for engine in ENGINES if engine != "golden"]),
    default="verilator",
    show_default=True,
    help="What to run the gateware on.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIRECTORY",
              help="Where the waveforms go  [default: build/demo].")  # fmt: skip
@json_option
def command(
    trace: Path | None, names: tuple[str, ...], engine: str, output: Path | None, as_json: bool
) -> int:
    """Tell what happens to a guest with more active interrupts than list registers.

    Four acts on the gateware. The same guest under three hypervisors: Linux KVM's vgic before the overflow
    work goes round in a live-lock; that of Linux 6.19 deactivates the wrong interrupt; that of Linux 7.3 is
    correct. Then a recorded Linux 7.3 host and its guest, every access executed and every value compared;
    TRACE may name another recorded run. Each act leaves a waveform whose moments of interest are marked.

    Exit status: 0 every act came out as told, 1 one did not, 2 bad input.
    """
    if trace is not None and names and _RECORDED not in names:
        raise InputError(f"{trace}: a recorded run goes with --act {_RECORDED}")
    chosen = [name for name in (*ACT_NAMES, _RECORDED) if name in names]
    if not chosen:
        chosen = [*ACT_NAMES, _RECORDED] if trace is None else [_RECORDED]
    from tb.cli.acts import tell

    rows = tell(chosen, trace or DEMO_TRACE, engine, output, as_json)
    status = int(any(row.verdict is None for row in rows))
    if as_json:
        print_json("demo", status, (row.as_dict() for row in rows), engine=engine)
    return status
