"""Build the documentation: stage the written pages, generate the others, run Sphinx with warnings as errors.

``python docs/build.py [TARGET]``; the default target is ``build/docs``. Needs the extra ``docs``.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

#: Pages that live elsewhere in the repository: source, name here, title.
ELSEWHERE = (
    (ROOT / "sim" / "scenarios" / "README.md", "scenarios.md"),
    (ROOT / "sim" / "guest" / "aarch64" / "README.md", "guests-aarch64.md"),
)


def stage(source: Path) -> None:
    """Put every page into one folder, as Sphinx wants them."""
    from docs.pages import write_pages

    written = ROOT / "docs"
    source.mkdir(parents=True)
    shutil.copy(written / "conf.py", source)
    for page in written.glob("*.md"):
        shutil.copy(page, source)
    if (written / "images").is_dir():
        shutil.copytree(written / "images", source / "images")
    shutil.copytree(written / "examples", source / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    for page, name in ELSEWHERE:
        shutil.copy(page, source / name)
    write_pages(source)
    _add_strays(source)


def _add_strays(source: Path) -> None:
    """Put pages that the index does not name into a last chapter, so that a new page is never lost."""
    index = source / "index.md"
    text = index.read_text(encoding="utf-8")
    named = set(re.findall(r"^[\w-]+$", text, re.MULTILINE)) | {"index"}
    strays = sorted(
        page.stem
        for page in source.glob("*.md")
        if page.stem not in named and not page.stem.startswith("registers-")
    )
    if strays:
        toctree = "\n".join(["```{toctree}", ":caption: More", ":maxdepth: 1", "", *strays, "```"])
        index.write_text(f"{text}\n{toctree}\n", encoding="utf-8")


def build(target: Path) -> int:
    """Build the HTML pages into ``target``; return Sphinx's exit status, not 0 for any warning."""
    from sphinx.cmd.build import build_main

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        stage(source)
        doctrees = Path(folder) / "doctrees"
        return build_main(
            ["-b", "html", "-W", "--keep-going", "-q", "-d", str(doctrees), str(source), str(target)]
        )


def main() -> int:
    """Build, and say where the pages are."""
    try:
        import myst_parser  # noqa: F401
        import wavedrom  # noqa: F401
    except ImportError as error:
        print(f"docs/build.py: {error.name} is missing; pip install -e '.[docs]'", file=sys.stderr)
        return 2
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "docs"
    status = build(target)
    if not status:
        print(f"{target}/index.html")
    return status


if __name__ == "__main__":
    sys.exit(main())
