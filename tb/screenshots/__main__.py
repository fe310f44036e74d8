"""``python -m tb.screenshots``: take the pictures of the documentation again, of the real programs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hw.errors import InputError
from sim.generated import build_root
from tb.plots.draw import draw_exits, draw_inversion
from tb.plots.exits import exits_by_flight
from tb.plots.inversion import inversion_by_latency
from tb.report.page import page, record_scenarios
from tb.screenshots.chromium import browser
from tb.screenshots.gtkwave import make_small, photograph
from tb.story.acts import STORY
from tb.waves.scenario import wave_scenarios

__all__ = ["IMAGES", "main"]

#: Where the documentation's pictures are kept.
IMAGES = Path(__file__).resolve().parents[2] / "docs/images"
#: What the picture at the head of the README shows.
SCENARIO = Path(__file__).resolve().parents[2] / "sim/scenarios/A08.scenario"
_PROFILES = ("legacy", "6.19", "7.3", "fixed")


def waves(target: Path, work: Path, engine: str) -> None:
    """Photograph GTKWave with the story's act of Linux 6.19."""
    [wave] = wave_scenarios([STORY], work, engine, "6.19")
    photograph(wave.save, target / "waves-6.19.png")


def report(target: Path, work: Path) -> None:
    """Photograph a page at the moment it explains, and the moment of the story's live-lock."""
    path = work / "report.html"
    path.write_text(page(record_scenarios([SCENARIO], ("6.19", "7.3"))))
    with browser(1240, 1400) as driver:
        driver.get(path.as_uri())
        driver.execute_script("document.querySelector('.jump').click(); document.activeElement.blur();")
        driver.execute_script("document.querySelector('.timeline').scrollTop = 0; window.scrollTo(0, 0)")
        driver.save_screenshot(str(target / "report.png"))
    path.write_text(page(record_scenarios([STORY])[:1]))
    with browser(1366, 860) as driver:
        driver.get(path.as_uri())
        driver.execute_script(
            "document.querySelector('.jump').click(); document.activeElement.blur();"
            "document.querySelector('.stage').scrollIntoView(); window.scrollBy(0, -4);"
        )
        driver.save_screenshot(str(target / "report-live-lock.png"))
    for name in ("report", "report-live-lock"):
        make_small(target / f"{name}.png")


def plots(target: Path) -> None:
    """Draw the plots."""
    draw_exits(
        exits_by_flight(_PROFILES, (2, 4, 8), (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24)), target / "exits.svg"
    )
    draw_inversion(inversion_by_latency(_PROFILES, (0, 1, 2, 4, 8, 16), 30), target / "inversion.svg")


@click.command()
@click.argument("what", nargs=-1, type=click.Choice(["waves", "report", "plots"]))
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), default=IMAGES,
              help="Directory for the pictures [default: docs/images].")  # fmt: skip
@click.option("--engine", type=click.Choice(["verilator", "icarus"]), default="verilator", show_default=True,
              help="What plays the scenario of the waveform.")  # fmt: skip
def main(what: tuple[str, ...], output: Path, engine: str) -> None:
    """Take pictures WHAT (default: all) of GTKWave, of reports in Chromium, and draw the plots."""
    what = what or ("waves", "report", "plots")
    work = build_root() / "screenshots"
    for directory in (work, output):
        directory.mkdir(parents=True, exist_ok=True)
    if "waves" in what:
        waves(output, work, engine)
    if "report" in what:
        report(output, work)
    if "plots" in what:
        plots(output)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        print(f"screenshots: {error}", file=sys.stderr)
        sys.exit(2)
