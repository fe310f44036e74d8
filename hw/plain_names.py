"""Plain identifiers for generated Verilog.

The Verilog back end escapes what is no plain identifier: field names with dots, array elements with
brackets, ``$``-numbered temporaries, module names with dots. Simulators write those names into waveforms,
and viewers trip over them: GTKWave refuses a whole VCD for a colon in one.
"""

from __future__ import annotations

import re

__all__ = ["plain_names"]

_ESCAPED = re.compile(r"\\(\S+)\s")
_PLAIN = re.compile(r"[A-Za-z_]\w*")
_OTHER = re.compile(r"\W+")


def plain_names(verilog: str) -> str:
    r"""Return Verilog text with every escaped identifier replaced by a plain one of its own.

    Runs of other characters become two underscores: ``\request.value`` is ``request__value``,
    ``\lr[0]`` is ``lr__0`` and the temporary ``\$12`` is ``_12`` (which Verilator leaves out of dumps). A
    keyword used as a name, such as ``\priority``, has to stay escaped; dumps show it without the backslash.
    The result is the same for the same text.
    """
    used = set(_PLAIN.findall(verilog))
    names: dict[str, str] = {}

    def replacement(match: re.Match[str]) -> str:
        name = match[1]
        if _PLAIN.fullmatch(name):
            return match[0]
        if name not in names:
            words = _OTHER.sub(" ", name).split()
            plain = "_" * name.startswith("$") + "__".join(words)
            while plain in used or plain[:1].isdigit():
                plain = f"_{plain}" if plain[:1].isdigit() else f"{plain}_"
            used.add(plain)
            names[name] = plain
        return names[name] + " "

    return _ESCAPED.sub(replacement, verilog)
