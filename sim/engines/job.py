"""Jobs: a coroutine function ``async def function(ports, **arguments)`` named ``module:function``.

A job gets one CPU port per PE and returns something JSON can carry, because on some engines it runs in
another process. Which engine it runs on is none of its business.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError

__all__ = ["config_from_json", "config_to_json", "find_function"]

_CONFIGS = {kind.__name__: kind for kind in (GicConfig, GicV2Config)}


def config_to_json(config: GicConfig | GicV2Config) -> dict[str, Any]:
    """Return a configuration as JSON carries it."""
    return {"kind": type(config).__name__, "values": asdict(config)}


def config_from_json(data: dict[str, Any]) -> GicConfig | GicV2Config:
    """Return the configuration that :func:`config_to_json` made this of."""
    return _CONFIGS[data["kind"]](**data["values"])


def find_function(name: str) -> Callable[..., Any]:
    """Return the coroutine function called ``module:function``.

    Raises
    ------
    InputError
        When there is no such module or function, or it is not a coroutine function.
    """
    module_name, colon, function_name = name.partition(":")
    if not colon:
        raise InputError(f"job {name!r}: write it as module:function")
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise
        raise InputError(f"job {name!r}: there is no module {error.name}") from None
    except AttributeError:
        raise InputError(f"job {name!r}: module {module_name} has no {function_name}") from None
    if not inspect.iscoroutinefunction(function):
        raise InputError(f"job {name!r}: {function_name} must be an async function")
    return function
