"""``spillway predict``: a recorded kernel's every entry, predicted by our vgic."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from sim.kvm.profile import profile_named
from tb.cli.command import Command, json_option
from tb.cli.output import Bar, print_json
from tb.engines import ENGINES, RECORDED

if TYPE_CHECKING:
    from sim.predict import Report
    from tb.predict import Predictions

__all__ = ["command"]

#: Differing files shown in full.
_SHOWN = 3


def _file_line(report: Report, width: int, profile_width: int) -> str:
    verdict = "ok" if report.good else "differs"
    name = os.path.basename(report.path)
    return (
        f"{verdict:<8}{name:<{width}}{report.profile:<{profile_width}}{report.entries:>6,} entries"
        f"{report.equal:>7,} equal{report.different:>5} different  {report.accesses:>7,} accesses"
    )


def _notes(report: Report) -> list[str]:
    """Return the further findings of a file, if it has any."""
    from sim.deviations import Deviations

    lines = []
    if report.reads_different:
        lines.append(f"{report.reads_different} of {report.reads} reads of the guest differ")
    if report.engine_reads_different:
        lines.append(f"{report.engine_reads_different} of {report.engine_reads} answers of the engine differ")
    for name, count in report.explained.items():
        lines.append(f"{count} answers of the engine differ by {Deviations.explain(name)}")
    for name, count in report.resynchronised.items():
        lines.append(
            f"{count} times the engine was brought to the recorder's state after {Deviations.explain(name)}"
        )
    lines += [f"at the end, {text}" for text in report.final_state]
    if report.lost:
        lines.append(f"the comparison ends at {report.lost}")
    if report.stimulus != "complete":
        lines += [f"approximate: {why}" for why in report.stimulus_why]
    return lines + report.placed


def _first_difference(report: Report) -> list[str]:
    if not report.differences:
        return []
    first = report.differences[0]
    head = f"first difference of {os.path.basename(report.path)}: line {first.line}, entry {first.entry}"
    return [f"{head}: {first.what}", *(f"  {text}" for text in first.detail)]


def _print(result: Predictions) -> None:
    width = max((len(os.path.basename(report.path)) for report in result.reports), default=0) + 2
    profile_width = max((len(report.profile) for report in result.reports), default=0) + 2
    for report in result.reports:
        click.echo(_file_line(report, width, profile_width))
        for note in _notes(report):
            click.echo(f"          {note}")
    for report in [report for report in result.reports if report.differences][:_SHOWN]:
        click.echo("\n" + "\n".join(_first_difference(report)))
    if result.skipped:
        click.echo(f"\n{len(result.skipped)} files hold no stimulus and were skipped")
    accesses = sum(report.accesses for report in result.reports)
    hardware = "the recorded answers" if result.engine == RECORDED else result.engine
    different = result.entries - result.equal
    click.echo(
        f"\n{len(result.reports)} files with {hardware} as hardware: {result.entries:,} entries compared, "
        f"{result.equal:,} equal, {different:,} different; {accesses:,} ICH accesses in order"
    )


@click.command(
    "predict",
    cls=Command,
    examples=[
        "spillway predict tests/data/traces",
        "spillway predict tests/data/traces/kvm-real-6.19.14-nest-eoimode0.jsonl.gz --profile 6.19",
        "spillway predict tests/data/traces --engine verilator --json",
    ],
)
@click.argument("traces", nargs=-1, required=True, metavar="TRACE...")
@click.option("--profile", "profile_name", metavar="P",
              help="Hypervisor profile, switches after it: 7.3 or 6.19,+walk_from_tail. "
                   "Default: the recorded kernel's.")  # fmt: skip
@click.option("--engine", type=click.Choice((RECORDED, *ENGINES)), default=RECORDED, show_default=True,
              help="The hardware: as recorded, or an engine that runs guest and hypervisor.")  # fmt: skip
@json_option
def command(traces: tuple[str, ...], profile_name: str | None, engine: str, as_json: bool) -> int:
    """Predict what a recorded kernel's vgic did, entry by entry.

    TRACE is a recording of Linux KVM with its stimulus, or a directory of them. Guest accesses, injections
    and what the hardware handed back go to our vgic; ICH_HCR_EL2, ICH_VMCR_EL2, every list register and the
    order of all accesses of each world switch are compared with the kernel's.

    Exit status: 0 all agree, 1 something differs, 2 a file is malformed or holds no stimulus.
    """
    profile = profile_named(profile_name) if profile_name is not None else None
    from tb.predict import predict_traces

    with Bar(engine) as bar:
        result = predict_traces(traces, profile, engine, bar)
    if as_json:
        report = result.to_json()
        files, refused = report.pop("files"), report.pop("refused")
        print_json("predict", result.status, files, errors=refused, **report)
    elif result.reports:
        _print(result)
    for text in result.refused:
        click.echo(f"spillway: {text}", err=True)
    return result.status
