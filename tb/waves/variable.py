"""One variable of a dump."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Variable"]


class Variable(NamedTuple):
    """A named value of a dump.

    ``scope``: names from the root down. ``name`` without bit range, ``bits`` the range as the dump
    declares it (``[31:0]``, or nothing), ``width`` in bits. ``string``: its values are texts. ``code``:
    the VCD identifier, empty for FST.
    """

    scope: tuple[str, ...]
    name: str
    bits: str
    width: int
    string: bool
    code: str = ""

    @classmethod
    def declared(
        cls, scope: tuple[str, ...], text: str, width: int, string: bool, code: str = ""
    ) -> Variable:
        r"""Make a variable from a declaration such as ``state [1:0]`` or an escaped ``\a.b``."""
        match = re.fullmatch(r"\\?(.*?)(?:\s+(\[[-\d:]+\]))?", text.strip(), re.DOTALL)
        assert match is not None  # the first group takes anything
        return cls(scope, match[1], match[2] or "", width, string, code)

    @property
    def path(self) -> str:
        """The name as GTKWave writes it: scopes joined with dots, the range attached.

        GTKWave gives a vector that was declared without a range the range ``[width-1:0]``.
        """
        bits = self.bits
        if not bits and self.width > 1 and not self.string:
            bits = f"[{self.width - 1}:0]"
        return ".".join((*self.scope, self.name)) + bits
