"""ICH_HCR_EL2 and ICH_VMCR_EL2 storage, with the ICV registers that alias the latter (REG-2..6, REG-10)."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.binary_point import at_least
from hw.config import GicConfig
from hw.decode import Target
from hw.layouts import layout_of
from hw.registers import lookup

__all__ = ["Control"]


class Control(wiring.Component):
    """The two control words.

    Parameters
    ----------
    config : GicConfig
        Implementation filters and binary-point minimums.

    Members
    -------
    write : In(1)
        Store ``write_data`` in the register ``target`` names, if it lives here.
    target, write_data : In
        An ICH or ICV register and the operand.
    count : In(1)
        Add one to EOIcount, wrapping (EOI-7, EOI-11).
    hcr, vmcr : Out
        The words as EL2 reads them.
    """

    def __init__(self, config: GicConfig):
        self._config = config
        super().__init__({
            "write": In(1),
            "target": In(Target),
            "write_data": In(32),
            "count": In(1),
            "hcr": Out(layout_of("ICH_HCR_EL2")),
            "vmcr": Out(layout_of("ICH_VMCR_EL2")),
        })  # fmt: skip

    def _hcr_mask(self):
        """Return the bits of HCR that are stored."""
        return lookup("ICH_HCR_EL2").stored_mask(self._config)

    def _vmcr_reset(self):
        """Return VMCR after reset."""
        return lookup("ICH_VMCR_EL2").reset_value(self._config)

    def _from_vmcr(self, vmcr, data):
        """Return the assignments that a write of VMCR makes."""
        config = self._config
        written = layout_of("ICH_VMCR_EL2")(data)
        return [
            vmcr.VENG0.eq(written.VENG0),
            vmcr.VENG1.eq(written.VENG1),
            vmcr.VCBPR.eq(written.VCBPR),
            vmcr.VEOIM.eq(written.VEOIM),
            vmcr.VBPR0.eq(at_least(written.VBPR0, config.min_bpr0)),
            vmcr.VBPR1.eq(at_least(written.VBPR1, config.min_bpr1)),
            vmcr.VPMR.eq(written.VPMR & config.pri_mask),
        ]

    def _from_ctlr(self, vmcr, data):
        """Return the assignments that a write of the guest's CTLR makes."""
        written = layout_of("ICV_CTLR_EL1")(data)
        return [vmcr.VCBPR.eq(written.CBPR), vmcr.VEOIM.eq(written.EOImode)]

    def elaborate(self, platform):
        m = Module()
        config = self._config
        data = self.write_data
        hcr = Signal(32)
        vmcr_bits = Signal(32, init=self._vmcr_reset(), name="vmcr_q")
        vmcr = layout_of("ICH_VMCR_EL2")(vmcr_bits)

        with m.If(self.write), m.Switch(self.target):
            with m.Case(Target.HCR):
                m.d.sync += hcr.eq(data & self._hcr_mask())
            with m.Case(Target.VMCR):
                m.d.sync += self._from_vmcr(vmcr, data)
            with m.Case(Target.PMR):
                m.d.sync += vmcr.VPMR.eq(data & config.pri_mask)
            with m.Case(Target.BPR0):
                m.d.sync += vmcr.VBPR0.eq(at_least(data[:3], config.min_bpr0))
            with m.Case(Target.BPR1):
                with m.If(~vmcr.VCBPR):  # REG-6: ignored while BPR0 serves both groups.
                    m.d.sync += vmcr.VBPR1.eq(at_least(data[:3], config.min_bpr1))
            with m.Case(Target.CTLR):
                m.d.sync += self._from_ctlr(vmcr, data)
            with m.Case(Target.IGRPEN0):
                m.d.sync += vmcr.VENG0.eq(data[0])
            with m.Case(Target.IGRPEN1):
                m.d.sync += vmcr.VENG1.eq(data[0])
        count = layout_of("ICH_HCR_EL2")(hcr).EOIcount
        with m.If(self.count):
            m.d.sync += count.eq(count + 1)
        m.d.comb += [self.hcr.eq(hcr), self.vmcr.eq(vmcr)]
        return m
