"""Every proof, in the order of the table."""

from __future__ import annotations

from hw.errors import InputError
from tb.formal.proof import Proof
from tb.formal.proofs_bench import BENCH
from tb.formal.proofs_blocks import BLOCKS
from tb.formal.proofs_core import CORE

__all__ = ["PROOFS", "chosen"]

PROOFS: tuple[Proof, ...] = (*BLOCKS, *CORE, *BENCH)


def chosen(names: tuple[str, ...], fast: bool = False) -> list[Proof]:
    """Return proofs by name, all without names; only the fast subset with ``fast``.

    Raises
    ------
    InputError
        One line that names the proof there is not, and a near one.
    """
    known = {proof.name: proof for proof in PROOFS}
    for name in names:
        if name not in known:
            import difflib

            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}?" if close else "`spillway prove --list` names them"
            raise InputError(f"no proof {name!r}; {hint}")
    found = [known[name] for name in names] if names else list(PROOFS)
    return [proof for proof in found if proof.fast or not fast]
