"""A picture of GTKWave, run on a screen of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from hw.errors import InputError

__all__ = ["make_small", "photograph", "screen"]

_PROGRAMS = {"Xvfb": "xvfb", "gtkwave": "gtkwave", "import": "imagemagick", "convert": "imagemagick"}
#: Seconds that a program may take to start, and between two looks.
_PATIENCE, _LOOK = 60.0, 0.5
#: Height of GTKWave's title bar in pixels.
_TITLE_BAR = 50
#: Colours of a picture that is kept: enough for a wave viewer, and small.
_COLOURS = "96"


def _need(*names: str) -> None:
    for name in names:
        if shutil.which(name) is None:
            raise InputError(f"{name} is not installed; apt-get install {_PROGRAMS[name]}")


@contextlib.contextmanager
def screen(width: int, height: int) -> Iterator[dict[str, str]]:
    """Start an X server without a monitor and yield the environment of its programs.

    Raises
    ------
    InputError
        When Xvfb is missing or does not start.
    """
    _need("Xvfb")
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
    server = subprocess.Popen(
        command, pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise InputError("Xvfb did not start; is it installed whole? apt-get install --reinstall xvfb")
        yield os.environ | {"DISPLAY": f":{number}"}
    finally:
        server.terminate()
        server.wait()


def photograph(save: Path, picture: Path, size: tuple[int, int] = (1600, 1070), small: bool = True) -> None:
    """Open a save file in GTKWave and keep a picture of the window, without its title bar.

    Parameters
    ----------
    save : Path
        A GTKWave save file; its ``[size]`` should be that of the screen.
    picture : Path
        A PNG file.
    size : (int, int)
        Width and height of the screen in pixels.
    small : bool
        Reduce the colours.

    Raises
    ------
    InputError
        When a program is missing.
    RuntimeError
        When GTKWave shows nothing.
    """
    _need("gtkwave", "import", "convert")
    with screen(*size) as environment:
        settings = ("fontname_signals Monospace 10", "fontname_waves Monospace 9", "splash_disable on")
        command = ["gtkwave", *(word for setting in settings for word in ("--rcvar", setting)), str(save)]
        viewer = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for_picture(viewer, environment, picture)
        finally:
            viewer.terminate()
            viewer.wait()
    # The title bar names the file and its directory, which is nobody's business.
    subprocess.run(
        ["convert", str(picture), "-gravity", "north", "-chop", f"0x{_TITLE_BAR}", str(picture)], check=True
    )
    if small:
        make_small(picture)


def make_small(picture: Path) -> None:
    """Reduce the colours of a PNG file to what a drawing needs."""
    _need("convert")
    smaller = ("+dither", "-colors", _COLOURS, "-define", "png:compression-level=9", "-strip")
    subprocess.run(["convert", str(picture), *smaller, f"PNG8:{picture}"], check=True)


def _wait_for_picture(viewer: subprocess.Popen, environment: dict[str, str], picture: Path) -> None:
    """Take pictures until two in a row are the same and show something."""
    end = time.monotonic() + _PATIENCE
    last = b""
    while time.monotonic() < end and viewer.poll() is None:
        time.sleep(_LOOK)
        subprocess.run(["import", "-window", "root", str(picture)], env=environment, check=True)
        data = subprocess.run(["convert", str(picture), "rgb:-"], capture_output=True, check=True).stdout
        if data == last and len(set(data[::997])) > 4:
            return
        last = data
    raise RuntimeError(f"GTKWave showed nothing for {picture.name} within {_PATIENCE:.0f} s")
