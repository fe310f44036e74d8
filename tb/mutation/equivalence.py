"""Whether a mutant that no check has noticed can be noticed at all.

Two questions, the quick one first. Does it do the same in every cycle: from any state whatever, are all
outputs and all next values of flip-flops those of the gateware? If not, does it still keep the whole contract
(:class:`tb.mutation.design.Contract`), for ever, by k-induction?
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tb.formal.tools import run
from tb.mutation.netlist import SELECTOR, Mutant, choices, mutated, selector_width, yosys_log

__all__ = ["CONTRACT", "SAME", "Equivalence", "keeps_contract", "same"]

#: What a mutant is proven to be, if it is.
SAME, CONTRACT = "the same in every cycle", "within the contract"
#: Induction depth at most; the gateware itself needs 5.
_DEPTH = 8
# All of a batch stand behind the selector. Flip-flops are made plain and then ports, after the faults, so
# that a fault at a flip-flop is one before or behind those ports. Only wires with a name become ports.
_BASE = f"""\
chformal -remove
opt_clean -purge
dffunmap
splitnets -driver
rename -enumerate w:*
expose -evert-dff
opt_clean -purge
delete -input w:{SELECTOR}
design -save base
"""
_EACH = f"""\
design -load base
copy top gate
connect -set {SELECTOR} {{width}}'b{{none}} top
connect -set {SELECTOR} {{width}}'b{{bits}} gate
miter -equiv -flatten top gate miter
hierarchy -top miter
flatten
opt_clean
opt_expr
opt_merge
opt_clean -purge
log MUTANT {{number}}
sat -prove trigger 0 miter
"""
_PROVEN = re.compile(r"^MUTANT (\d+)$(?:(?!^MUTANT ).*\n)*?SAT proof finished - no model found", re.MULTILINE)


@dataclass(frozen=True)
class Equivalence:
    """``what``: :data:`SAME`, :data:`CONTRACT` or empty; ``failed``: the claim that does not hold then."""

    what: str = ""
    failed: str = ""


def same(netlist: str, mutants: Sequence[Mutant]) -> set[int]:
    """Return the numbers of the mutants that do the same as the gateware in every cycle."""
    if not mutants:
        return set()
    width = selector_width(mutants)
    each = [
        _EACH.format(width=width, none="0" * width, bits=f"{mutant.number:0{width}b}", number=mutant.number)
        for mutant in mutants
    ]
    log = yosys_log("\n".join(["read_rtlil in.il", *choices(mutants), _BASE, *each]), netlist)
    return {int(number) for number in _PROVEN.findall(log)}


def keeps_contract(netlist: str, mutant: Mutant | None = None) -> Equivalence:
    """Return whether a mutant, or the gateware itself, keeps the contract for ever; or what it breaks."""
    result = run(mutated(netlist, mutant) if mutant else netlist, "prove", _DEPTH)
    if result.status == "proved":
        return Equivalence(CONTRACT)
    return Equivalence(failed=f"{result.status}: {result.failed}")


def judge(
    netlist: str, mutants: Sequence[Mutant], told: Callable[[int, Equivalence], None], batch: int = 10
) -> None:
    """Judge survivors one after the other; each is told as soon as it is known.

    Raises
    ------
    RuntimeError
        When the gateware itself does not keep the contract.
    """
    if failed := keeps_contract(netlist).failed:
        raise RuntimeError(f"the gateware itself breaks its contract: {failed}")
    for first in range(0, len(mutants), batch):
        part = mutants[first : first + batch]
        proven = same(netlist, part)
        for mutant in part:
            known = mutant.number in proven
            told(mutant.number, Equivalence(SAME) if known else keeps_contract(netlist, mutant))
