"""The GICv3 virtual CPU interface of one PE: system registers and traps in front of :mod:`hw.core`."""

from amaranth.hdl import Signal
from amaranth.lib.wiring import Out

from hw import core
from hw.binary_point import group1_read
from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.core import Checked, VirtualCore, settling
from hw.decode import Decoded, Decoder, PhysicalAccess, Target, TrapUnit
from hw.port import CpuPortSignature, Outcome
from hw.probe import show, show_held
from hw.registers import lookup

__all__ = ["INTERVAL", "LATENCY", "VirtualCpuInterface", "settling"]

#: Cycles from a request being taken to its response.
LATENCY = 6
#: Cycles from a request being taken to the next one at the earliest.
INTERVAL = 7


class VirtualCpuInterface(VirtualCore):
    """ICH_*, ICV_* and the trap unit behind one system-register port.

    Latency :data:`LATENCY` cycles from request to response for every access; one access every
    :data:`INTERVAL` cycles. Sources: spec sections 1.2-1.7, 2.1-2.9 and 3.

    Parameters
    ----------
    config : GicConfig
        Implementation choices.
    physical : PhysicalConfig or None
        Of the physical interface beside it, if there is one (:mod:`hw.pe`). Without it an access that is not
        redirected is UNDEFINED.

    Members
    -------
    cpu : In(CpuPortSignature(config))
        The PE's port.
    elsewhere, access : Out(1), Out(PhysicalAccess)
        With ``physical`` only: the response of this cycle is not one; the access is to be executed by the
        physical interface. Steady until the next request is taken.
    """

    def __init__(self, config: GicConfig, physical: PhysicalConfig | None = None):
        assert (core.latency(config), core.interval(config)) == (LATENCY, INTERVAL)
        self.physical = physical
        more = {"elsewhere": Out(1), "access": Out(PhysicalAccess)} if physical else {}
        super().__init__(config, CpuPortSignature(config), more)

    def _check(self, m):
        request = self._request
        m.submodules.decoder = decoder = Decoder(self.config, self.physical)
        decoded = Signal(Decoded)
        m.d.comb += decoder.request.eq(request)
        m.d.sync += decoded.eq(decoder.decoded)

        m.submodules.traps = traps = TrapUnit(self.physical is not None)
        self._outcome = Signal(Outcome)
        m.d.comb += [
            traps.request.eq(request),
            traps.decoded.eq(decoded),
            traps.hcr.eq(self._control.hcr),
        ]
        m.d.sync += self._outcome.eq(traps.outcome)
        self._esr = traps.esr
        executes = self._outcome == Outcome.OK
        if self.physical:
            m.d.sync += self.elsewhere.eq(traps.physical)
            m.d.comb += [
                self.access.target.eq(decoded.target),
                self.access.index.eq(decoded.index),
                self.access.write.eq(request.write),
                self.access.value.eq(request.value),
            ]
            executes &= ~self.elsewhere
        return Checked(request.write, request.value, decoded.target, decoded.index, executes)

    def _readable(self, m, ops):
        """Return what each readable target shows; constants come from the register table."""
        config, control = self.config, self._control
        vmcr, maint = control.vmcr, self._maintenance
        constant_ctlr = lookup("ICV_CTLR_EL1").reset_value(config)
        return {
            Target.HCR: control.hcr.as_value(),
            Target.VTR: lookup("ICH_VTR_EL2").reset_value(config),
            Target.MISR: maint.misr.as_value(),
            Target.EISR: maint.eisr,
            Target.ELRSR: maint.elrsr,
            Target.VMCR: vmcr.as_value(),
            Target.LR: self._lr_read,
            Target.AP0R: self._ap_read,
            Target.AP1R: self._ap_read,
            Target.PMR: vmcr.VPMR,
            Target.CTLR: constant_ctlr | vmcr.VEOIM << 1 | vmcr.VCBPR,
            Target.RPR: self._running_priority(),
            Target.IAR0: ops.result,
            Target.IAR1: ops.result,
            Target.HPPIR0: ops.result,
            Target.HPPIR1: ops.result,
            Target.BPR0: vmcr.VBPR0,
            Target.BPR1: group1_read(vmcr),
            Target.IGRPEN0: vmcr.VENG0,
            Target.IGRPEN1: vmcr.VENG1,
            Target.SRE_EL1: lookup("ICC_SRE_EL1").reset_value(config),
            Target.SRE_EL2: lookup("ICC_SRE_EL2").reset_value(config),
        }

    def _answer(self, m, executes, read):
        payload = self.cpu.response.payload
        m.d.sync += [payload.outcome.eq(self._outcome), payload.esr.eq(self._esr), payload.value.eq(read)]

    def _observe(self, m):
        super()._observe(m)
        for n in range(self.config.apr_words):
            m.d.comb += self.cpu.observe[f"ap1r{n}"].eq(self._active.word1[n])
        for n, value in enumerate(self._lr_values):
            m.d.comb += self.cpu.observe[f"lr{n}"].eq(value)

    def _probe(self, m):
        """Name what a waveform should show: the access in flight, its answer, the state, the lines."""
        cpu, request, observe = self.cpu, self._request, self.cpu.observe
        show(m, access=self._stage.any(), encoding=request.encoding, write=request.write)
        show(m, el=request.el, operand=request.value)
        answer = cpu.response.payload
        show_held(m, cpu.response.valid, outcome=answer.outcome, result=answer.value, esr=answer.esr)
        super()._probe(m)
        for n in range(self.config.apr_words):
            show(m, **{name: observe[name] for name in (f"ap0r{n}", f"ap1r{n}")})
