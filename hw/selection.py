"""Selection of the highest-priority pending virtual interrupt (SEL-1..8).

A tournament tree with a register after every level, so that the list-register count does not set the
clock: the winner of the storage visible in one cycle is out ``depth(config)`` cycles later.
"""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.config import GicConfig
from hw.layouts import LRState, layout_of

__all__ = ["Candidate", "Selection", "depth"]


def depth(config: GicConfig) -> int:
    """Return the cycles from a change of storage to the winner: one for each tree level, at least one."""
    return max(1, ceil_log2(config.lrs))


class Candidate(data.StructLayout):
    """A contender: ``valid``, implemented ``priority`` bits only, ``group`` and list-register ``index``."""

    def __init__(self, config: GicConfig):
        super().__init__({
            "valid": 1,
            "priority": unsigned(config.pri_bits),
            "group": 1,
            "index": unsigned(max(1, ceil_log2(config.lrs))),
        })  # fmt: skip


class Selection(wiring.Component):
    """Find the enabled pending list register with the smallest priority, lowest index among equals.

    Parameters
    ----------
    config : GicConfig
        List registers and priority bits.

    Members
    -------
    lr : In(layout of ICH_LR<n>_EL2).array(lrs)
        The list registers.
    enable0, enable1 : In(1)
        VMCR.VENG0, VENG1; entries of a disabled group are dropped before the comparison (SEL-2).
    best : Out(Candidate)
        The winner, ``depth(config)`` cycles after its inputs.
    """

    def __init__(self, config: GicConfig):
        self._config = config
        super().__init__({
            "lr": In(layout_of("ICH_LR0_EL2")).array(config.lrs),
            "enable0": In(1),
            "enable1": In(1),
            "best": Out(Candidate(config)),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        config = self._config
        layout = Candidate(config)
        unimplemented = 8 - config.pri_bits
        level = []
        for index, lr in enumerate(self.lr):
            candidate = Signal(layout, name=f"candidate{index}")
            enabled = (lr.Group & self.enable1) | (~lr.Group & self.enable0)
            valid = (lr.State == LRState.PENDING) & enabled
            if config.pri_bits == 8:
                valid &= lr.Priority != 0xFF  # SEL-6: the comparison starts from 0xFF and is strict.
            m.d.comb += [
                candidate.valid.eq(valid),
                candidate.priority.eq(lr.Priority >> unimplemented),
                candidate.group.eq(lr.Group),
                candidate.index.eq(index),
            ]
            level.append(candidate)
        for number in range(depth(config)):
            level = self._round(m, level, number)
        m.d.comb += self.best.eq(level[0])
        return m

    def _round(self, m, level, number):
        """Play one round; the lower list registers stand on the left and win ties (SEL-4)."""
        winners = []
        for match in range(0, len(level), 2):
            winner = Signal(Candidate(self._config), name=f"winner{number}_{match // 2}")
            left = level[match]
            if match + 1 < len(level):
                right = level[match + 1]
                beaten = right.valid & (~left.valid | (right.priority < left.priority))
                with m.If(beaten):
                    m.d.sync += winner.eq(right)
                with m.Else():
                    m.d.sync += winner.eq(left)
            else:
                m.d.sync += winner.eq(left)
            winners.append(winner)
        return winners
