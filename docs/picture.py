"""Take the README's picture: the report on A08, in a real headless browser.

``python docs/picture.py`` writes ``docs/images/report.png``; it needs Chromium (Debian: chromium).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "images" / "report.png"
#: Width and height in pixels: the verdicts, the timeline of both kernels, and the moment below.
SIZE = "1240,1560"


def main() -> int:
    """Make the page, open it, take the picture."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("docs/picture.py: Chromium is missing; apt-get install chromium", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        scenario = ROOT / "sim" / "scenarios" / "A08.scenario"
        report = ["spillway", "report", scenario, "--profile", "6.19", "--profile", "7.3", "-o", page]
        subprocess.run(report, check=True, stdout=subprocess.DEVNULL)
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={SIZE}"]
        shot = [browser, *flags, f"--screenshot={TARGET}", page.as_uri()]
        subprocess.run(shot, check=True, capture_output=True)
    print(TARGET.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
