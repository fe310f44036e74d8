"""A headless Chromium, for tests and pictures of pages."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

from hw.errors import InputError

__all__ = ["browser", "console_errors", "use_scheme"]

#: As root there is no sandbox; nothing is fetched.
_ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--force-device-scale-factor=1",
)  # fmt: skip
_REMEDY = "apt-get install chromium chromium-driver"


def _program(*names: str) -> str:
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    raise InputError(f"{names[0]} is not installed; {_REMEDY}")


@contextlib.contextmanager
def browser(width: int = 1366, height: int = 768) -> Iterator[Any]:
    """Start a Chromium with a profile of its own and yield its selenium driver.

    Parameters
    ----------
    width, height : int
        Size of the page in pixels; the default is that of a small laptop.

    Raises
    ------
    InputError
        When Chromium or its driver is missing.
    """
    program = _program("chromium", "chromium-browser", "google-chrome")
    service = _program("chromedriver")
    from selenium import webdriver  # takes long to import

    with tempfile.TemporaryDirectory(prefix="spillway-chromium-") as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = program
        for argument in (*_ARGUMENTS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(service))
        try:
            metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            yield driver
        finally:
            driver.quit()


def use_scheme(driver: Any, scheme: str) -> None:
    """Make pages think that the user prefers ``light`` or ``dark``."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def console_errors(driver: Any) -> list[str]:
    """Return everything the console has that is no mere information, and forget it."""
    return [one["message"] for one in driver.get_log("browser") if one["level"] in ("SEVERE", "WARNING")]
