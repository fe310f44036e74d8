"""What every set of deviation switches has: a name for reports, a rule and a line on each switch."""

from __future__ import annotations

from dataclasses import field, fields

from hw.errors import InputError

__all__ = ["DeviationSwitches", "switch"]


def switch(rule: str, doc: str) -> bool:
    """Declare a switch of a set, off: the rule it breaks, and how."""
    return field(default=False, metadata={"rule": rule, "doc": doc})


class DeviationSwitches:
    """Base of the sets; each is a frozen dataclass of switches.

    The part of a field's name before the first underscore, in capitals, is its name in reports.
    """

    @property
    def enabled(self) -> tuple[str, ...]:
        """Report names of the switches that are on, in order: ("D1", "D3")."""
        return tuple(self.name_of(f.name) for f in fields(self) if getattr(self, f.name))

    @staticmethod
    def name_of(switch: str) -> str:
        """Report name of a field: ``d3_vgrp0d_tests_veng1`` is ``D3``."""
        return switch.partition("_")[0].upper()

    @classmethod
    def explain(cls, name: str) -> str:
        """One line on a report name: ``D3 (MNT-7): MISR.VGrp0D tests VENG1``.

        Raises
        ------
        InputError
            When no switch has that name.
        """
        for f in fields(cls):
            if cls.name_of(f.name) == name:
                return f"{name} ({f.metadata['rule']}): {f.metadata['doc']}"
        raise InputError(f"unknown deviation {name!r}; known: {', '.join(map(cls.name_of, cls.names()))}")

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Field names of all switches, in order."""
        return tuple(f.name for f in fields(cls))
