"""``python -m tb.screenshots.faults [DIRECTORY]``: photograph a fault of 7.3, and its cure, in GTKWave."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from hw.errors import InputError
from tb.screenshots.gtkwave import make_small, photograph
from tb.waves.scenario import wave_scenarios

__all__ = ["IMAGES", "take"]

_ROOT = Path(__file__).resolve().parents[2]
IMAGES = _ROOT / "docs" / "images"
#: Fault, whose first sequence for a profile fits one screen, and the profiles.
_SHOWN = (("F22_4", ("7.3", "fixed")),)
#: Height of the title bar, which names the directory the file happened to be in.
_TITLE = 50


def take(target: Path) -> list[Path]:
    """Take every picture and return them.

    Parameters
    ----------
    target : Path
        Directory for ``fault-SCENARIO-PROFILE.png``.

    Raises
    ------
    InputError
        When Icarus Verilog, GTKWave, Xvfb or ImageMagick is missing.
    """
    pictures = []
    for name, profiles in _SHOWN:
        for profile in profiles:
            picture = target / f"fault-{name}-{profile}.png"
            with tempfile.TemporaryDirectory(prefix="spillway-faults-") as work:
                scenario = _ROOT / "sim" / "scenarios" / f"{name}.scenario"
                wave = wave_scenarios([scenario], Path(work), "icarus", profile)[0]
                photograph(wave.save, picture)
            subprocess.run(["convert", picture, "-chop", f"0x{_TITLE}", picture], check=True)
            make_small(picture)
            pictures.append(picture)
    return pictures


if __name__ == "__main__":
    try:
        take(Path(sys.argv[1]) if sys.argv[1:] else IMAGES)
    except InputError as error:
        print(f"screenshots: {error}", file=sys.stderr)
        sys.exit(2)
