"""The documentation: its commands run, what it shows is printed, and Sphinx builds it without a warning."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tb.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "sim" / "scenarios" / "README.md",
    ROOT / "sim" / "guest" / "aarch64" / "README.md",
]
#: Folders of a checkout that commands name.
FOLDERS = ("docs", "sim", "tests")
_FENCE = re.compile(
    r"(?:^<!-- (?P<marker>[^\n]*?) -->\n)?^```(?P<language>[^\n]*)\n(?P<body>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A console block: where it is, its marker, and each command with the lines that it must print."""

    place: str
    marker: str
    commands: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def skipped(self) -> bool:
        """Whether it is marked as not run; a reason is there then."""
        return self.marker.startswith("not run:")

    @property
    def status(self) -> int:
        """Exit status of its commands."""
        return int(self.marker.removeprefix("exit ")) if self.marker.startswith("exit ") else 0


def _blocks(page: Path) -> list[Block]:
    text = page.read_text()
    found = []
    for match in _FENCE.finditer(text):
        if match["language"] != "console":
            continue
        commands: list[tuple[str, list[str]]] = []
        for line in match["body"].splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            elif line.strip() not in ("", "..."):
                commands[-1][1].append(line)
        place = f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, match.start('body'))}"
        block = tuple((command, tuple(lines)) for command, lines in commands)
        found.append(Block(place, match["marker"] or "", block))
    return found


BLOCKS = [block for page in PAGES for block in _blocks(page)]
RUN = [block for block in BLOCKS if not block.skipped]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Return a folder that looks like a checkout, where commands may leave files."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in FOLDERS:
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.mark.parametrize("block", RUN, ids=[block.place for block in RUN])
def test_commands_run_and_print_what_is_shown(block, checkout, monkeypatch, capsys):
    """In this process, in the order of the page; each shown line is part of a printed one, in order."""
    monkeypatch.chdir(checkout)
    for command, shown in block.commands:
        words = shlex.split(command, comments=True)
        assert Path(words[0]).name == "spillway", f"{block.place}: only spillway is run here; mark the block"
        with pytest.raises(SystemExit) as ended:
            main(words[1:])
        printed, error = capsys.readouterr()
        assert ended.value.code == block.status, f"{command}\n{error}{printed[-2000:]}"
        lines = iter(" ".join(line.split()) for line in printed.splitlines())
        for line in shown:
            wanted = " ".join(line.split())
            assert any(wanted in one for one in lines), f"{command}: not printed (in this order): {line}"


def test_every_command_block_is_of_a_known_kind():
    """Commands stand in console blocks; a marker says why one is not run, or its exit status."""
    assert len(RUN) >= 15
    for page in PAGES:
        for match in _FENCE.finditer(page.read_text()):
            first = match["body"].lstrip().partition("\n")[0]
            command = re.match(r"(\$ |(\.venv/bin/)?spillway |make |pip |gtkwave )", first)
            assert not command or match["language"] == "console", f"{page}: {first}"
    for block in BLOCKS:
        assert re.fullmatch(r"|exit [12]|not run: .{20,}", block.marker), f"{block.place}: {block.marker}"
        assert block.commands, block.place


def test_every_spillway_command_is_in_a_console_block():
    """The main ones are shown with real arguments, and what is shown exists."""
    commands = [command.split() for block in BLOCKS for command, _ in block.commands]
    shown = {words[1] for words in commands if words[0].endswith("spillway")}
    assert {"run", "refine", "report", "waves", "replay", "divergences"} <= shown
    assert shown <= set(COMMANDS)


def test_sphinx_builds_it_without_a_warning(tmp_path):
    """`make docs`, warnings as errors; the generated pages have what the tables have."""
    build = [sys.executable, ROOT / "docs" / "build.py", tmp_path / "html"]
    done = subprocess.run(build, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    html = tmp_path / "html"
    assert "EOIcount" in (html / "registers-ich.html").read_text()
    assert (html / "_images" / "timing-lrenp.svg").stat().st_size > 5_000
    assert "walk_from_tail" in (html / "patches.html").read_text()
    external = re.compile(r'(?:src|href)="https?://[^"]*\.(?:js|css|woff2?)"')
    assert not [page.name for page in html.glob("*.html") if external.search(page.read_text())]


def test_a_broken_link_fails_the_build(tmp_path, monkeypatch):
    """The build is strict: a page that does not exist is an error."""
    from docs import build

    def stage(source):
        source.mkdir(parents=True)
        (source / "conf.py").write_text((ROOT / "docs" / "conf.py").read_text())
        (source / "index.md").write_text("# Title\n\n[nowhere](nowhere.md)\n")

    monkeypatch.setattr(build, "stage", stage)
    assert build.build(tmp_path / "html") != 0
