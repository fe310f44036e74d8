"""A window of memory onto the system registers of a GICv3 PE, for masters that have no MRS and MSR.

The CPU interface of a GICv3 is reached by instructions, so no address map of the architecture has it. A host
beside the gateware (a soft core, a debugger, the processors of an FPGA) needs one all the same. In the frame
``SYSREG`` of 512 KiB, bits 18 and 17 of an offset are the exception level that makes the access:

===================  =================================================================================
offset               what is there
===================  =================================================================================
``EL << 17 | r << 3``  the register with encoding ``r`` (its low 14 bits; op0 is always 3), accessed at
                     EL1, 2 or 3: bits 31:0
the same plus 4      bits 63:32: the register HIGH under another address
0x0                  CONTEXT: the PE state beside EL, as :class:`Context`
0x4                  OUTCOME of the last register access, as :class:`hw.port.Outcome` (read-only)
0x8                  ESR: syndrome of the last one if it did not execute, else 0 (read-only)
0xC                  HIGH
===================  =================================================================================

A read of bits 31:0 executes the access and leaves bits 63:32 in HIGH; a write executes it with HIGH above its
data, and sets HIGH to 0. An access that does not execute (UNDEFINED, trapped) is answered with an error.
Words only; anything else, and offsets below EL1 that are not listed, are errors.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.bus import BusFrame, BusRequest, BusSignature, Size
from hw.port import Outcome, PeContext, Request, Response

__all__ = ["CONTEXT", "CONTEXT_RESET", "ESR", "HIGH", "OUTCOME", "Context", "SysRegWindow", "window_offset"]

#: Offsets of the window's own registers.
CONTEXT, OUTCOME, ESR, HIGH = 0x0, 0x4, 0x8, 0xC
_EL_SHIFT, _REGISTER_SHIFT = 17, 3
#: op0 of every system register here, in bits 15:14 of an encoding.
_OP0 = Const(0b11, 2)
#: What a PE runs with when a hypervisor uses the GIC.
_RESET = {"imo": 1, "fmo": 1, "sre_el1": 1, "sre_el2": 1}


class Context(data.Struct):
    """CONTEXT: effective PE state in bits 6:0, and in bits 12:8 the Rt that a syndrome names."""

    state: PeContext
    reserved: 1
    rt: 5


#: CONTEXT after reset.
CONTEXT_RESET = Context.const({"state": _RESET}).as_bits()


def window_offset(encoding: int, el: int) -> int:
    """Return where the window has a register.

    Parameters
    ----------
    encoding : int
        As :func:`hw.registers.sys_reg` packs it.
    el : int, 1..3
        Who makes the access.
    """
    return el << _EL_SHIFT | (encoding & 0x3FFF) << _REGISTER_SHIFT


class SysRegWindow(wiring.Component):
    """Make system-register accesses from accesses on the internal bus.

    The window's own registers answer one cycle after a request, the others two cycles after the CPU port.

    Members
    -------
    bus : In(BusSignature())
        Only the frame ``SYSREG`` is answered without an error.
    request, response
        Those of :class:`hw.port.CpuPortSignature`.
    """

    bus: In(BusSignature())
    request: Out(stream.Signature(Request))
    response: In(wiring.Signature({"valid": Out(1), "payload": Out(Response)}))

    def elaborate(self, platform):
        m = Module()
        bus, request = self.bus, self.request
        access = Signal(BusRequest)
        context = Signal(Context, init={"state": _RESET})
        outcome, esr, high = Signal(Outcome), Signal(32), Signal(32)
        offset = access.offset
        el = offset[_EL_SHIFT : _EL_SHIFT + 2]
        proper = (access.frame == BusFrame.SYSREG) & (access.size == Size.WORD)
        m.d.comb += [
            request.payload.encoding.eq(Cat(offset[_REGISTER_SHIFT:_EL_SHIFT], _OP0)),
            request.payload.write.eq(access.write),
            request.payload.el.eq(el),
            request.payload.rt.eq(context.rt),
            request.payload.context.eq(context.state),
            request.payload.value.eq(Mux(access.write, Cat(access.data[:32], high), 0)),
        ]
        answer = bus.response.payload
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += bus.request.ready.eq(1)
                with m.If(bus.request.valid):
                    m.d.sync += access.eq(bus.request.payload)
                    m.next = "DECODE"
            with m.State("DECODE"):
                m.d.comb += bus.response.valid.eq(1)
                m.next = "IDLE"
                with m.If(~proper):
                    m.d.comb += answer.error.eq(1)
                with m.Elif(el == 0):
                    self._own(m, access, context, outcome, esr, high)
                with m.Elif(offset[2]):
                    self._register(m, access, high)
                with m.Else():
                    m.d.comb += bus.response.valid.eq(0)
                    m.next = "REQUEST"
            with m.State("REQUEST"):
                m.d.comb += request.valid.eq(1)
                with m.If(request.ready):
                    m.next = "WAIT"
            with m.State("WAIT"):
                result = self.response.payload
                with m.If(self.response.valid):
                    m.d.comb += [
                        bus.response.valid.eq(1),
                        answer.error.eq(result.outcome != Outcome.OK),
                        answer.data.eq(result.value[:32]),
                    ]
                    m.d.sync += [
                        outcome.eq(result.outcome),
                        esr.eq(result.esr),
                        high.eq(Mux(access.write, 0, result.value[32:])),
                    ]
                    m.next = "IDLE"
        return m

    def _own(self, m, access, context, outcome, esr, high):
        """Answer an access to the window's own registers."""
        answer = self.bus.response.payload
        with m.Switch(access.offset[:_EL_SHIFT]):
            with m.Case(CONTEXT):
                m.d.comb += answer.data.eq(Mux(access.write, 0, context.as_value()))
                with m.If(access.write):
                    m.d.sync += [context.state.eq(access.data[:8]), context.rt.eq(access.data[8:13])]
            with m.Case(OUTCOME):
                m.d.comb += answer.data.eq(Mux(access.write, 0, outcome))
            with m.Case(ESR):
                m.d.comb += answer.data.eq(Mux(access.write, 0, esr))
            with m.Case(HIGH):
                self._register(m, access, high)
            with m.Default():
                m.d.comb += answer.error.eq(1)

    def _register(self, m, access, high):
        """Answer an access to HIGH."""
        m.d.comb += self.bus.response.payload.data.eq(Mux(access.write, 0, high))
        with m.If(access.write):
            m.d.sync += high.eq(access.data[:32])
