"""Command-line options shared by several subcommands."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import click

from hw.config import GicConfig
from tb.parameters import parameters

__all__ = ["config_options"]


def config_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command one option for each parameter of a build and pass the result on as ``config``.

    The options and their help come from :class:`hw.config.GicConfig`: ``--lrs 16``, ``--pri-bits 7``,
    ``--no-tds`` and so on.
    """
    names = [field.name for field in dataclasses.fields(GicConfig)]

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> Any:
        values = {name: kwargs.pop(name) for name in names}
        return function(*args, config=GicConfig(**values), **kwargs)

    wrapped: Callable[..., Any] = command
    for name, values, default, text in reversed(parameters()):
        flag = name.replace("_", "-")
        shared: dict[str, Any] = {"default": default, "show_default": True}
        if isinstance(default, bool):
            option = click.option(f"--{flag}/--no-{flag}", name, help=_plain(text), **shared)
        else:
            description = f"{_plain(text)} Values: {_plain(values)}."
            option = click.option(f"--{flag}", name, type=int, metavar="N", help=description, **shared)
        wrapped = option(wrapped)
    return wrapped


def _plain(text: str) -> str:
    return text.replace("``", "")
