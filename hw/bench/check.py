"""Judging of a command by its header."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.bench.protocol import LENGTHS, Error, Header, Mark, Opcode

__all__ = ["HeaderCheck"]

#: Commands that may be given while the guest runs.
_ALWAYS = (Opcode.HELLO, Opcode.RESET, Opcode.STATUS, Opcode.KICK, Opcode.LOG)


class HeaderCheck(wiring.Component):
    """Finds what is wrong with a command's header, combinational.

    Parameters
    ----------
    pes : int
        Number of PEs.

    Members
    -------
    header : In(Header)
        The header.
    running : In(1)
        The guest of its PE runs.
    error : Out(Error)
        The first thing that is wrong, in the order of the numbers; NONE if it may be executed.
    """

    header: In(Header)
    running: In(1)
    error: Out(Error)

    def __init__(self, pes: int):
        self._pes = pes
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        header, known, right = self.header, Signal(), Signal()
        with m.Switch(header.opcode):
            for opcode, lengths in LENGTHS.items():
                with m.Case(opcode):
                    m.d.comb += known.eq(1)
                    if opcode is Opcode.LOAD:
                        m.d.comb += right.eq(header.length[0] & (header.length >= lengths[0]))
                    else:
                        m.d.comb += right.eq(Cat(header.length == n for n in lengths).any())
        allowed = Cat(header.opcode == opcode for opcode in _ALWAYS).any()
        with m.If((header.mark != Mark.COMMAND) & (header.mark != Mark.QUIET)):
            m.d.comb += self.error.eq(Error.MARK)
        with m.Elif(~known):
            m.d.comb += self.error.eq(Error.OPCODE)
        with m.Elif(~right):
            m.d.comb += self.error.eq(Error.LENGTH)
        with m.Elif(header.pe >= self._pes):
            m.d.comb += self.error.eq(Error.PE)
        with m.Elif(self.running & ~allowed):
            m.d.comb += self.error.eq(Error.BUSY)
        return m
