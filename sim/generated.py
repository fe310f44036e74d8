"""Where everything generated goes."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["build_root"]


def build_root() -> Path:
    """Return the directory of everything generated: ``build`` in the checkout, or $SPILLWAY_BUILD."""
    return Path(os.environ.get("SPILLWAY_BUILD") or Path(__file__).resolve().parent.parent / "build")
