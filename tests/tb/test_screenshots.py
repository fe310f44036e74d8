"""Pictures of real programs: GTKWave must show the words, not numbers."""

import shutil
import subprocess

import pytest

from tb.screenshots.__main__ import IMAGES
from tb.screenshots.gtkwave import photograph
from tb.story.acts import STORY
from tb.waves.scenario import wave_scenarios
from tb.waves.words import WORDS


def _colours(picture) -> set[str]:
    """Return the colours that more than a hundred pixels of a picture have, as X11 writes them."""
    done = subprocess.run(
        ["convert", str(picture), "-depth", "8", "-format", "%c", "histogram:info:-"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = set()
    for line in done.stdout.splitlines():
        count, _, rest = line.strip().partition(":")
        if int(count) > 100:
            found.add(rest.split("#")[1][:6].upper())
    return found


def test_gtkwave_paints_the_states_of_list_registers(tmp_path):
    """A state has its colour only where the filter has put its word in the place of the number."""
    engine = "icarus" if shutil.which("iverilog") else "verilator"
    [wave] = wave_scenarios([STORY], tmp_path, engine, "6.19")
    picture = tmp_path / "shown.png"
    photograph(wave.save, picture, small=False)
    names = {word.name: word.color for word in WORDS["state"].values()}
    assert (names["PENDING"], names["ACTIVE"]) == ("goldenrod", "darkgreen")
    goldenrod, darkgreen = "DAA520", "006400"
    assert {goldenrod, darkgreen} <= _colours(picture)
    # Without the filters the same view has neither.
    for path in wave.save.with_suffix(".words").iterdir():
        path.write_text("")
    photograph(wave.save, picture, small=False)
    assert not {goldenrod, darkgreen} & _colours(picture)


def test_pictures_of_the_documentation_are_small():
    pictures = [path for path in IMAGES.iterdir() if path.suffix == ".png"]
    assert pictures
    assert all(path.stat().st_size < 150_000 for path in pictures)


def test_a_missing_program_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ValueError, match="gtkwave is not installed; apt-get install gtkwave"):
        photograph(tmp_path / "x.gtkw", tmp_path / "x.png")
