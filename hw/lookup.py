"""Search of the list registers for an active INTID (EOI-4, DIR-2)."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.config import GicConfig
from hw.layouts import layout_of

__all__ = ["BLOCK", "Found", "Lookup", "latency"]

#: List registers that one cycle can search, or choose among, at full speed.
BLOCK = 16


def latency(config: GicConfig) -> int:
    """Return the cycles from ``intid`` and the list registers to ``found``."""
    return 3 if config.lrs <= BLOCK else 5


#: Member of :class:`Found` -> field of a list register.
_FIELDS = {"priority": "Priority", "group": "Group", "hw": "HW", "pintid": "pINTID"}


class Found(data.StructLayout):
    """Outcome of the search: ``hit``, the list register as one-hot ``where``, and some of its fields."""

    def __init__(self, config: GicConfig):
        super().__init__({
            "hit": 1,
            "where": config.lrs,
            "priority": 8,
            "group": 1,
            "hw": 1,
            "pintid": 13,
        })  # fmt: skip


class Lookup(wiring.Component):
    """Find the lowest-numbered active list register that holds ``intid``.

    Three registered steps: compare all, keep the lowest match, fetch its fields. With more than
    :data:`BLOCK` list registers the last two take two cycles each, blocks first. A merely pending list
    register does not match.

    Parameters
    ----------
    config : GicConfig
        List registers and INTID bits.

    Members
    -------
    intid : In(24)
        INTID, already cut to the implemented bits.
    lr : In(layout of ICH_LR<n>_EL2).array(lrs)
        The list registers.
    found : Out(Found)
        :func:`latency` cycles later.
    """

    def __init__(self, config: GicConfig):
        self._config = config
        super().__init__({
            "intid": In(24),
            "lr": In(layout_of("ICH_LR0_EL2")).array(config.lrs),
            "found": Out(Found(config)),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        lrs = self._config.lrs
        blocks = [slice(first, first + BLOCK) for first in range(0, lrs, BLOCK)]
        matches = Signal(lrs)
        for n, lr in enumerate(self.lr):
            active = lr.State.as_value()[1]
            m.d.sync += matches[n].eq(active & (lr.vINTID[: self._config.id_bits] == self.intid))
        lowest = Signal(lrs)
        m.d.sync += lowest.eq(Cat(_lowest_set(matches[block]) for block in blocks))
        if len(blocks) > 1:
            hits = Signal(len(blocks))
            m.d.sync += hits.eq(Cat(matches[block].any() for block in blocks))
            lowest = self._in_first_block(m, lowest, hits, blocks)

        layout = Found(self._config)
        parts = []
        for block in blocks:
            part = Signal(layout, name=f"found{block.start}")
            m.d.sync += part.hit.eq(lowest[block].any())
            m.d.sync += part.where[block].eq(lowest[block])
            for member, name in _FIELDS.items():
                m.d.sync += part[member].eq(_pick(lowest[block], [lr[name] for lr in self.lr[block]]))
            parts.append(part.as_value())
        if len(parts) == 1:
            m.d.comb += self.found.eq(parts[0])
        else:
            # At most one part is not zero.
            found = Signal(layout, name="found_q")
            m.d.sync += found.eq(_any_of(parts))
            m.d.comb += self.found.eq(found)
        return m

    def _in_first_block(self, m, one_hots, hits, blocks):
        """Keep the match of the lowest block that has one, a cycle later."""
        kept = Signal.like(one_hots, name="lowest_q")
        for n, block in enumerate(blocks):
            earlier = hits[:n].any() if n else 0
            m.d.sync += kept[block].eq(Mux(earlier, 0, one_hots[block]))
        return kept


def _lowest_set(bits):
    """Return ``bits`` with only the lowest one that is set."""
    return Cat(bit & ~bits[:n].any() if n else bit for n, bit in enumerate(bits))


def _any_of(values):
    """Return the bitwise OR of values as a tree."""
    while len(values) > 1:
        pairs = [values[i] | values[i + 1] for i in range(0, len(values) - 1, 2)]
        values = pairs + values[len(pairs) * 2 :]
    return values[0]


def _pick(one_hot, fields):
    """Return the field that ``one_hot`` names, 0 if none."""
    return Cat(
        _any_of([field & hit.replicate(len(field)) for field, hit in zip(fields, one_hot, strict=True)])
    )
