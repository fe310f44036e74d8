"""What a shell offers for values that are names, beside click's own choices: profiles, parts, scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

__all__ = ["know_values"]

#: Incomplete word -> what it may become, with a word on each.
Offer = Callable[[str], Iterable[tuple[str, str]]]


class _Name(click.types.StringParamType):
    """A string that a shell completes; what is taken is not checked here."""

    def __init__(self, offer: Offer, files: bool = False) -> None:
        self._offer = offer
        self._files = files

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin so; files, where a file will do, if there is none."""
        found = [
            CompletionItem(name, help=text or None)
            for name, text in self._offer(incomplete)
            if name.startswith(incomplete)
        ]
        return found or ([CompletionItem(incomplete, type="file")] if self._files else [])


def know_values(command: click.Command) -> None:
    """Let a shell complete the values of a command's options and arguments that are names."""
    for parameter in command.params:
        kind = _KINDS.get(parameter.opts[0]) or _KINDS.get(f"{command.name} {parameter.name}")
        if kind is not None and isinstance(parameter.type, click.types.StringParamType):
            parameter.type = kind


def _profiles(incomplete: str) -> Iterable[tuple[str, str]]:
    """Offer profiles, and behind a comma the switches to set or clear."""
    from sim.kvm.profile import PROFILES, SWITCHES

    before, comma, last = incomplete.rpartition(",")
    if not comma:
        return [(name, "") for name in PROFILES]
    signs = last[:1] if last[:1] in ("+", "-") else "+-"
    return [(f"{before},{sign}{name}", str(meta["doc"])) for sign in signs for name, meta in SWITCHES.items()]


def _policies(_: str) -> Iterable[tuple[str, str]]:
    from sim.policy.names import POLICIES

    return [(name, "") for name in POLICIES]


def _hypervisors(incomplete: str) -> Iterable[tuple[str, str]]:
    return [*_profiles(incomplete), *_policies(incomplete)]


def _parts(_: str) -> Iterable[tuple[str, str]]:
    from sim.machine.parts import PARTS

    return [(part.name, part.title) for part in PARTS.values()]


def _scopes(_: str) -> Iterable[tuple[str, str]]:
    from sim.explore.scopes import SCOPES

    return [(scope.name, scope.text) for scope in SCOPES]


def _proofs(_: str) -> Iterable[tuple[str, str]]:
    from tb.formal.proofs import PROOFS

    return [(proof.name, "") for proof in PROOFS]


def _cures(_: str) -> Iterable[tuple[str, str]]:
    from sim.kvm.cures import CURES

    return [(cure.switch, "") for cure in CURES]


def _models(_: str) -> Iterable[tuple[str, str]]:
    return [(name, "") for name in ("qemu", "gem5", "renode", "vcml")]


def _registers(_: str) -> Iterable[tuple[str, str]]:
    from hw.registers import REGISTERS

    return [(register.name, "") for register in REGISTERS]


def _boards(_: str) -> Iterable[tuple[str, str]]:
    from fpga.boards import BOARDS

    return [(name, "") for name in BOARDS]


#: An option, or a command's argument (or its own use of an option) -> what its values are.
_KINDS = {
    "--profile": _Name(_hypervisors),
    "--policy": _Name(_policies, files=True),
    "--part": _Name(_parts),
    "--board": _Name(_boards),
    "parts names": _Name(_parts),
    "explore scopes": _Name(_scopes),
    "prove names": _Name(_proofs),
    "cures switches": _Name(_cures),
    "divergences models": _Name(_models),
    "registers names": _Name(_registers),
}
