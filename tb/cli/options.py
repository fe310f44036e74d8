"""Command-line options shared by several subcommands."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import click

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from tb.parameters import parameters

__all__ = ["build_options", "config_options", "one_hypervisor", "physical_options"]


def config_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command one option for each parameter of a build and pass the result on as ``config``.

    The options and their help come from :class:`hw.config.GicConfig`: ``--lrs 16``, ``--pri-bits 7``,
    ``--no-tds`` and so on.
    """

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> Any:
        values = {name: kwargs.pop(name) for name in _NAMES}
        return function(*args, config=GicConfig(**values), **kwargs)

    return _with_parameters(command)


def build_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--gic`` beside the options of :func:`config_options`.

    With ``--gic v2`` the ``config`` passed on is a :class:`hw.config_v2.GicV2Config`, of which ``--lrs`` is
    the only parameter.

    Raises
    ------
    InputError
        From the command, when another parameter is given for GICv2.
    """

    @functools.wraps(function)
    def command(*args: Any, gic: str, **kwargs: Any) -> Any:
        values = {name: kwargs.pop(name) for name in _NAMES}
        config = _gicv2(values["lrs"]) if gic == "v2" else GicConfig(**values)
        return function(*args, config=config, **kwargs)

    option = click.option(
        "--gic",
        type=click.Choice(["v3", "v2"]),
        default="v3",
        show_default=True,
        help="GICv3 system registers or GICv2 frames (1..64 list registers, nothing else to choose).",
    )
    return option(_with_parameters(command))


def physical_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--spis`` and ``--physical-bits`` and pass on ``physical``.

    That is a :class:`hw.config_physical.PhysicalConfig`, or None with no SPIs: the virtual side alone. With
    ``--gic v2`` it has no affinity routing.

    Raises
    ------
    InputError
        From the command, when ``--physical-bits`` is given without ``--spis``.
    """

    @functools.wraps(function)
    def command(*args: Any, spis: int, physical_bits: int, **kwargs: Any) -> Any:
        if not spis and _given("physical_bits"):
            raise InputError("--physical-bits is of the physical side, which comes with --spis")
        physical = PhysicalConfig(physical_bits, spis, kwargs.get("gic") != "v2") if spis else None
        return function(*args, physical=physical, **kwargs)

    bits = click.option("--physical-bits", type=int, default=5, show_default=True, metavar="N",
                        help="Priority bits of the physical side, 4..8.")  # fmt: skip
    spis = click.option("--spis", type=int, default=0, show_default=True, metavar="N",
                        help="A whole GIC, its distributor with N SPIs: 32, 64 ... 960.")  # fmt: skip
    return spis(bits(command))


_NAMES = [field.name for field in dataclasses.fields(GicConfig)]


def _given(name: str) -> bool:
    """Return whether the user gave an option of the running command."""
    source = click.get_current_context().get_parameter_source(name)
    return source is not click.core.ParameterSource.DEFAULT


def _gicv2(lrs: int) -> GicV2Config:
    for name in _NAMES:
        if name != "lrs" and _given(name):
            raise InputError(f"GICv2 has no parameter {name}; leave it out or take --gic v3")
    return GicV2Config(lrs)


def _with_parameters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command one option for each parameter of a GICv3 build."""
    wrapped = command
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


def one_hypervisor(profile: str | None, policy: str | None) -> str | None:
    """Return what was given of ``--profile`` and ``--policy``, and check that there is such a hypervisor.

    Raises
    ------
    InputError
        When both were given, or there is none of that name.
    """
    if profile is not None and policy is not None:
        raise InputError("--profile is a kernel, --policy another hypervisor: give one of them")
    from sim.policy.names import hypervisor_named  # not for --help

    wanted = policy if policy is not None else profile
    if wanted is not None:
        hypervisor_named(wanted)
    return wanted
