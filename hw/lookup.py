"""Search of the list registers for an active INTID (EOI-4, DIR-2)."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.config import GicConfig
from hw.layouts import layout_of

__all__ = ["LATENCY", "Found", "Lookup"]

#: Cycles from ``intid`` and the list registers to ``found``.
LATENCY = 3


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

    Three registered steps: compare all, keep the lowest match, fetch its fields. A merely pending list
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
        :data:`LATENCY` cycles later.
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
        matches = Signal(self._config.lrs)
        lowest = Signal(self._config.lrs)
        found = Signal(Found(self._config), name="found_q")
        for n, lr in enumerate(self.lr):
            active = lr.State.as_value()[1]
            m.d.sync += matches[n].eq(active & (lr.vINTID[: self._config.id_bits] == self.intid))
            earlier = matches[:n].any() if n else 0
            m.d.sync += lowest[n].eq(matches[n] & ~earlier)
        m.d.sync += [
            found.hit.eq(lowest.any()),
            found.where.eq(lowest),
            found.priority.eq(self._pick(lowest, "Priority")),
            found.group.eq(self._pick(lowest, "Group")),
            found.hw.eq(self._pick(lowest, "HW")),
            found.pintid.eq(self._pick(lowest, "pINTID")),
        ]
        m.d.comb += self.found.eq(found)
        return m

    def _pick(self, one_hot, name):
        """Return the field of the list register that ``one_hot`` names, 0 if none."""
        fields = [lr[name] for lr in self.lr]
        gated = [field & hit.replicate(len(field)) for field, hit in zip(fields, one_hot, strict=True)]
        while len(gated) > 1:
            pairs = [gated[i] | gated[i + 1] for i in range(0, len(gated) - 1, 2)]
            gated = pairs + gated[len(pairs) * 2 :]
        return Cat(gated[0])
