"""Active priorities: ICH_AP0R<n>_EL2 and ICH_AP1R<n>_EL2, the running priority and the priority drop.

The words are the only record of what is active (REG-9): software may rewrite them at any time.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.config import GicConfig

__all__ = ["LATENCY", "ActivePriorities", "Running"]

#: Cycles from a change of the words to ``running``.
LATENCY = 2


class Running(data.StructLayout):
    """The most urgent active level.

    ``active``: some bit is set. ``level``: its index, which is the group priority's top ``pre_bits``
    bits. ``group0``: the level is set in a Group 0 word, so that a drop clears it there (EOI-3).
    """

    def __init__(self, config: GicConfig):
        super().__init__({"active": 1, "level": unsigned(config.pre_bits), "group0": 1})


def _first_set(word):
    """Return (any bit set, index of the lowest set bit) of a power-of-two wide value, as a tree."""
    if len(word) == 1:
        return word[0], None
    half = len(word) // 2
    low_any, low_index = _first_set(word[:half])
    high_any, high_index = _first_set(word[half:])
    index = ~low_any if low_index is None else Cat(Mux(low_any, low_index, high_index), ~low_any)
    return low_any | high_any, index


class ActivePriorities(wiring.Component):
    """Storage of the active-priority words with set, drop and write.

    Parameters
    ----------
    config : GicConfig
        1, 2 or 4 words for each group.

    Members
    -------
    write : In(2)
        Store ``write_data`` in word ``write_index`` of Group 0 (bit 0) or Group 1 (bit 1).
    set, set_group, set_level : In
        Set the bit of an acknowledged level (IAR-4).
    drop : In(1)
        Clear the bit ``running`` names (EOI-3). Only while ``running`` has settled.
    word0, word1 : Out(32).array(words)
        Storage.
    running : Out(Running)
        :data:`LATENCY` cycles after storage.
    """

    def __init__(self, config: GicConfig):
        self._config = config
        words = config.apr_words
        super().__init__({
            "write": In(2),
            "write_index": In(unsigned(2)),
            "write_data": In(32),
            "set": In(1),
            "set_group": In(1),
            "set_level": In(unsigned(config.pre_bits)),
            "drop": In(1),
            "word0": Out(32).array(words),
            "word1": Out(32).array(words),
            "running": Out(Running(config)),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        for group, words in ((0, self.word0), (1, self.word1)):
            dropping = self.drop & (self.running.group0 if group == 0 else ~self.running.group0)
            setting = self.set & (self.set_group == group)
            for n, word in enumerate(words):
                stored = Signal(32, name=f"ap{group}r{n}")
                m.d.comb += word.eq(stored)
                set_here = self._one_hot(m, f"set{group}_{n}", setting, self.set_level, n)
                drop_here = self._one_hot(m, f"drop{group}_{n}", dropping, self.running.level, n)
                m.d.sync += stored.eq((stored | set_here) & ~drop_here)
                with m.If(self.write[group] & (self.write_index == n)):
                    m.d.sync += stored.eq(self.write_data)
        self._find_running(m)
        return m

    def _one_hot(self, m, name, enable, level, word):
        """Return the 32-bit mask of ``level`` if it lies in this word and ``enable`` is high."""
        mask = Signal(32, name=name)
        here = enable if self._config.apr_words == 1 else enable & (level[5:] == word)
        m.d.comb += mask.eq(here << level[:5])
        return mask

    def _find_running(self, m):
        """First cycle: lowest set bit of each word. Second cycle: the lower group, the lowest word."""
        found = []
        for n, words in enumerate(zip(self.word0, self.word1, strict=True)):
            pair = []
            for group, word in enumerate(words):
                any_set, index = _first_set(word)
                held_any = Signal(name=f"any{group}_{n}")
                held_index = Signal(5, name=f"index{group}_{n}")
                m.d.sync += [held_any.eq(any_set), held_index.eq(index)]
                pair.append((held_any, held_index))
            found.append(pair)
        result = Signal(Running(self._config), name="running_q")
        m.d.comb += self.running.eq(result)
        m.d.sync += result.active.eq(0)
        word_bits = ceil_log2(self._config.apr_words)
        for n, ((any0, index0), (any1, index1)) in reversed(list(enumerate(found))):
            group0 = Signal(name=f"group0_{n}")
            m.d.comb += group0.eq(any0 & (~any1 | (index0 <= index1)))
            with m.If(any0 | any1):
                m.d.sync += [
                    result.active.eq(1),
                    result.level.eq(Cat(Mux(group0, index0, index1), Const(n, word_bits))),
                    result.group0.eq(group0),
                ]
