"""Drawing the plots, as SVG or PNG."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hw.errors import InputError
from tb.whole_file import whole_file

__all__ = ["FORMATS", "draw_exits", "draw_inversion"]

FORMATS = (".svg", ".png")
_COLOURS = ("#1f5fbf", "#c25a00", "#1f7a63", "#7154b8", "#a3262e", "#5b6573")
_MARKERS = "osD^vP"
#: Text stays text in SVG, and the same numbers give the same file.
_SETTINGS = {
    "svg.fonttype": "none", "svg.hashsalt": "spillway", "font.size": 9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.color": "#e4e2db", "axes.axisbelow": True,
    "figure.facecolor": "white",
}  # fmt: skip


def _pyplot(path: Path) -> Any:
    if path.suffix not in FORMATS:
        raise InputError(f"{path}: not a kind of picture that is drawn; name a .svg or .png file")
    try:
        import matplotlib  # takes long to import; most runs need no plot
    except ImportError:
        raise InputError("matplotlib is not installed; pip install 'spillway[plot]'") from None
    matplotlib.use("agg")
    matplotlib.rcParams.update(_SETTINGS)
    from matplotlib import pyplot

    return pyplot


def _save(pyplot: Any, figure: Any, path: Path) -> None:
    """Write a figure whole or not at all."""
    metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    try:
        with whole_file(path) as partial:
            figure.savefig(partial, format=path.suffix[1:], dpi=110, metadata=metadata)
    finally:
        pyplot.close(figure)


def _unique(rows: Iterable[dict[str, Any]], name: str) -> list[Any]:
    return list(dict.fromkeys(row[name] for row in rows))


def draw_exits(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw exits for each interrupt against interrupts in flight: a panel for each pattern and hypervisor.

    Where a guest did not get all its interrupts there is a cross at the upper edge.

    Parameters
    ----------
    rows : list of dict
        Of :func:`tb.plots.exits.exits_by_flight`.
    path : Path
        An ``.svg`` or ``.png`` file.

    Raises
    ------
    InputError
        For another kind of file, or when matplotlib is missing.
    """
    pyplot = _pyplot(path)
    patterns, profiles, lrs = (_unique(rows, name) for name in ("pattern", "profile", "lrs"))
    size = (2.4 * len(profiles) + 0.9, 2.4 * len(patterns) + 0.9)
    figure, axes = pyplot.subplots(len(patterns), len(profiles), figsize=size, sharex=True, sharey="row",
                                   squeeze=False)  # fmt: skip
    for row_number, (line, pattern) in enumerate(zip(axes, patterns, strict=True)):
        mine = [row for row in rows if row["pattern"] == pattern]
        top = 1.15 * max((row["exits_per_interrupt"] or 0 for row in mine), default=1) or 1
        for axis, profile in zip(line, profiles, strict=True):
            for number, count in enumerate(lrs):
                points = [row for row in mine if (row["profile"], row["lrs"]) == (profile, count)]
                done = [row for row in points if row["exits_per_interrupt"] is not None]
                colour = _COLOURS[number % len(_COLOURS)]
                axis.plot([row["in_flight"] for row in done], [row["exits_per_interrupt"] for row in done],
                          color=colour, marker=_MARKERS[number % len(_MARKERS)], markersize=4, linewidth=1.6,
                          label=f"{count} list registers", clip_on=False)  # fmt: skip
                lost = [row["in_flight"] for row in points if row["exits_per_interrupt"] is None]
                if lost:
                    axis.plot(lost, [top * (1 - 0.07 * number)] * len(lost), "x", color=colour, markersize=6,
                          markeredgewidth=2, clip_on=False)  # fmt: skip
            axis.set_ylim(0, top)
            if row_number == 0:
                axis.set_title(profile, fontweight="bold", loc="left")
            if row_number == len(patterns) - 1:
                axis.set_xlabel("interrupts in flight")
        line[0].set_ylabel(f"{pattern}\nexits for each interrupt")
    handles, labels = axes[0][0].get_legend_handles_labels()
    lost = pyplot.Line2D([], [], color="#444", marker="x", linestyle="", markeredgewidth=2)
    figure.subplots_adjust(left=0.075, right=0.985, top=0.94, bottom=0.17, wspace=0.1, hspace=0.12)
    figure.legend([*handles, lost], [*labels, "live-lock: not all delivered"], loc="lower center",
                  ncols=len(labels) + 1, frameon=False)  # fmt: skip
    _save(pyplot, figure, path)


def draw_inversion(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw how long guests see the wrong order against the latency of maintenance interrupts.

    Parameters
    ----------
    rows : list of dict
        Of :func:`tb.plots.inversion.inversion_by_latency`.
    path : Path
        An ``.svg`` or ``.png`` file.

    Raises
    ------
    InputError
        For another kind of file, or when matplotlib is missing.
    """
    pyplot = _pyplot(path)
    figure, (width, share) = pyplot.subplots(1, 2, figsize=(9.2, 3.6))
    for number, profile in enumerate(_unique(rows, "profile")):
        mine = [row for row in rows if row["profile"] == profile]
        colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
        style = {"color": colour, "marker": marker, "markersize": 4, "linewidth": 1.6}
        latencies = [row["latency"] for row in mine]
        width.plot(latencies, [row["mean"] or 0 for row in mine], label=f"{profile}, mean", **style)
        width.plot(latencies, [row["widest"] or 0 for row in mine], label=f"{profile}, widest",
                   **style | {"linestyle": ":"})  # fmt: skip
        share.plot(latencies, [100 * row["share"] for row in mine], label=profile, **style)
    width.set_ylabel("width of an inversion, guest operations")
    share.set_ylabel("operations in an inversion, %")
    for axis in (width, share):
        axis.set_xlabel("latency of the maintenance interrupt, guest operations")
        axis.set_ylim(bottom=0)
        axis.legend(frameon=False, fontsize=8)
    figure.tight_layout()
    _save(pyplot, figure, path)
