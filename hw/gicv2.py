"""The GICv2 virtual CPU interface of one PE: the GICH and GICV frames in front of :mod:`hw.core`."""

from amaranth.hdl import Const, Mux, Signal

from hw.binary_point import group1_read
from hw.config_v2 import GicV2Config
from hw.control_v2 import ControlV2
from hw.core import Checked, VirtualCore
from hw.decode import Target
from hw.decode_v2 import DecodedFrame, FrameDecoder
from hw.layouts import layout_of
from hw.mmio_map import lookup_mmio
from hw.operations_v2 import OperationsV2
from hw.port_v2 import GicV2PortSignature
from hw.probe import show, show_held
from hw.registers_v2 import LR_CPUID

__all__ = ["GicV2Interface"]

_LR = lookup_mmio("GICH_LR0")
_PRIORITY_LSB = 8 - _LR.field("Priority").width
#: CPUID is the low part of PhysicalID while HW is 0.
_CPUID_BITS = LR_CPUID.width
assert LR_CPUID.lsb == _LR.field("PhysicalID").lsb


class GicV2Interface(VirtualCore):
    """GICH and GICV behind one internal bus (spec sections 1.9, 2.1-2.9 and 2.12).

    Latency :func:`hw.core.latency` cycles from request to response for every access, 6 with up to 16 list
    registers and 8 with more; one access every :func:`hw.core.interval` cycles, one more than that. An
    access that is not defined (another frame, an unmapped or unaligned offset, a size other than a word)
    is answered with an error and changes nothing. Reads of write-only registers and of list registers
    beyond the last read 0; writes of read-only ones are ignored (REG-8).

    Inside, list registers have the layout of ICH_LR<n>_EL2: PhysicalID is the low part of pINTID, so that
    EOI falls on the same bit.

    Parameters
    ----------
    config : GicV2Config
        Implementation choices.

    Members
    -------
    cpu : In(GicV2PortSignature(config))
        The PE's port.
    """

    control_type = ControlV2
    operations_type = OperationsV2

    def __init__(self, config: GicV2Config):
        super().__init__(config, GicV2PortSignature(config))

    def _check(self, m):
        request = self._request
        m.submodules.decoder = decoder = FrameDecoder(self.config)
        self._decoded = decoded = Signal(DecodedFrame)
        m.d.comb += decoder.request.eq(request)
        m.d.sync += decoded.eq(decoder.decoded)
        return Checked(request.write, request.data[:32], decoded.target, decoded.index, decoded.executes)

    def _readable(self, m, ops):
        """Return what each readable target shows; constants come from the register table."""
        config, vmcr, maint = self.config, self._control.vmcr, self._maintenance
        eisr, elrsr = Signal(64), Signal(64)
        ctlr = Signal(layout_of("GICV_CTLR"))
        m.d.comb += [
            eisr.eq(maint.eisr),
            elrsr.eq(maint.elrsr),
            ctlr.EnableGrp0.eq(vmcr.VENG0),
            ctlr.EnableGrp1.eq(vmcr.VENG1),
            ctlr.AckCtl.eq(vmcr.VAckCtl),
            ctlr.FIQEn.eq(vmcr.VFIQEn),
            ctlr.CBPR.eq(vmcr.VCBPR),
            ctlr.EOImode.eq(vmcr.VEOIM),
        ]
        lr_read = Signal(layout_of("ICH_LR0_EL2"))
        m.d.comb += lr_read.eq(self._lr_read)
        return {
            Target.HCR: self._control.hcr.as_value(),
            Target.VTR: lookup_mmio("GICH_VTR").reset_value(config),
            Target.MISR: maint.misr.as_value(),
            Target.EISR: eisr[:32],
            Target.EISR1: eisr[32:],
            Target.ELRSR: elrsr[:32],
            Target.ELRSR1: elrsr[32:],
            Target.VMCR: vmcr.as_value(),
            Target.LR: self._lr_word(m, lr_read),
            Target.AP0R: self._ap_read,
            Target.PMR: vmcr.VPMR,
            Target.CTLR: ctlr.as_value(),
            Target.RPR: self._running_priority(),
            Target.IAR0: ops.result,
            Target.IAR1: ops.result,
            Target.HPPIR0: ops.result,
            Target.HPPIR1: ops.result,
            Target.BPR0: vmcr.VBPR0,
            Target.BPR1: group1_read(vmcr),
            Target.IIDR: lookup_mmio("GICV_IIDR").reset_value(config),
        }

    def _answer(self, m, executes, read):
        payload = self.cpu.response.payload
        m.d.sync += [payload.error.eq(self._decoded.error), payload.data.eq(read)]

    def _lr_data(self, m, value):
        written = layout_of("GICH_LR0")(value)
        data = Signal(layout_of("ICH_LR0_EL2"))
        m.d.comb += [
            data.vINTID.eq(written.VirtualID),
            data.pINTID.eq(written.PhysicalID),
            data.Priority.eq(written.Priority << _PRIORITY_LSB),
            data.Group.eq(written.Grp1),
            data.HW.eq(written.HW),
            data.State.eq(written.State),
        ]
        return data

    def _lr_word(self, m, lr):
        """Return a list register as GICH reads it."""
        word = Signal(layout_of("GICH_LR0"))
        m.d.comb += [
            word.VirtualID.eq(lr.vINTID),
            word.PhysicalID.eq(lr.pINTID),
            word.Priority.eq(lr.Priority >> _PRIORITY_LSB),
            word.Grp1.eq(lr.Group),
            word.HW.eq(lr.HW),
            word.State.eq(lr.State),
        ]
        return word.as_value()

    def _cpuid(self, lr):
        return Mux(lr.HW, 0, lr.pINTID[:_CPUID_BITS])

    def _ap_group(self, group):
        return Const(0)  # V2-1: one word for both groups.

    def _is_fiq(self, group):
        return ~group & self._control.vmcr.VFIQEn  # V2-4

    def _observe(self, m):
        super()._observe(m)
        for n, value in enumerate(self._lr_values):
            m.d.comb += self.cpu.observe[f"lr{n}"].eq(self._lr_word(m, value))

    def _probe(self, m):
        """Name what a waveform should show: the access in flight, its answer, the state, the lines."""
        cpu, request = self.cpu, self._request
        show(m, access=self._stage.any(), frame=request.frame, offset=request.offset, write=request.write)
        show(m, size=request.size, operand=request.data)
        answer = cpu.response.payload
        show_held(m, cpu.response.valid, error=answer.error, result=answer.data)
        super()._probe(m)
        show(m, apr=cpu.observe.ap0r0)
