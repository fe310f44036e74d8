"""The GICv3 virtual CPU interface of one PE.

An access moves through six stages, one cycle each, and one access is in flight at a time::

    cycle 0   request taken
    1 decode   table entry of the encoding
    2 check    traps; INTID compared with every list register; list register and APR word read
    3 match    lowest matching list register
    4 fetch    its fields
    5 decide   effects and read value
    6 commit   response valid; storage changes at the end of the cycle
    7          storage visible; the next request may be taken

Selection, running priority and maintenance follow storage in the background. They settle before the
next access can decide, so no access ever waits for them, and their outputs move once per access.
"""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw import active_priorities, maintenance, selection
from hw.active_priorities import ActivePriorities
from hw.binary_point import group1_read, group_masks
from hw.config import GicConfig
from hw.control import Control
from hw.decode import Decoded, Decoder, Target, TrapUnit
from hw.list_register import ListRegister
from hw.lookup import Lookup
from hw.maintenance import Maintenance
from hw.operations import Effects, Operations, Winner
from hw.port import CpuPortSignature, Outcome, Request
from hw.probe import show, show_held
from hw.registers import lookup
from hw.selection import Selection

__all__ = ["INTERVAL", "LATENCY", "VirtualCpuInterface", "settling"]

#: Cycles from a request being taken to its response.
LATENCY = 6
#: Cycles from a request being taken to the next one at the earliest.
INTERVAL = 7
#: Cycle, after the request was taken, in which an access decides.
_DECIDE = 5


def settling(config: GicConfig) -> int:
    """Return the cycles from storage changing to the lines showing it.

    The lines move that long, plus one cycle, after the response; ``settled`` rises with them.
    """
    slowest = max(selection.depth(config), active_priorities.LATENCY, maintenance.LATENCY)
    return slowest + 1


class VirtualCpuInterface(wiring.Component):
    """ICH_*, ICV_* and the trap unit behind one system-register port.

    Latency :data:`LATENCY` cycles from request to response for every access; one access every
    :data:`INTERVAL` cycles. Sources: spec sections 1.2-1.7, 2.1-2.9 and 3.

    Parameters
    ----------
    config : GicConfig
        Implementation choices.

    Members
    -------
    cpu : In(CpuPortSignature(config))
        The PE's port.
    """

    def __init__(self, config: GicConfig):
        # An access decides INTERVAL + _DECIDE cycles after its predecessor was taken, at the earliest;
        # the predecessor's storage is visible INTERVAL cycles after that, and must have settled.
        assert settling(config) <= _DECIDE
        self.config = config
        super().__init__({"cpu": In(CpuPortSignature(config))})

    def elaborate(self, platform):
        m = Module()
        self._storage(m)
        self._pipeline(m)
        self._background(m)
        self._decide(m)
        self._commit(m)
        self._observe(m)
        self._probe(m)
        return m

    def _storage(self, m):
        config = self.config
        self._lrs = [ListRegister(config) for _ in range(config.lrs)]
        for n, lr in enumerate(self._lrs):
            m.submodules[f"lr{n}"] = lr
        m.submodules.control = self._control = Control(config)
        m.submodules.active = self._active = ActivePriorities(config)
        self._lr_values = [lr.value for lr in self._lrs]

    def _follow_lrs(self, m, block):
        """Show every list register to a block."""
        for value, port in zip(self._lr_values, block.lr, strict=True):
            m.d.comb += port.eq(value)

    def _pipeline(self, m):
        """Stages 1 and 2: hold the request, decode it, check it, start the lookup."""
        cpu = self.cpu
        self._request = request = Signal(Request)
        self._stage = stage = Signal(LATENCY + 1)  # bit n: the access is in stage n; bit 0 unused.
        taken = cpu.request.valid & cpu.request.ready
        m.d.comb += cpu.request.ready.eq(~stage.any() & ~cpu.deactivate.valid)
        m.d.sync += stage.eq(Cat(0, taken, stage[1:LATENCY]))
        with m.If(taken):
            m.d.sync += request.eq(cpu.request.payload)

        m.submodules.decoder = decoder = Decoder(self.config)
        self._decoded = decoded = Signal(Decoded)
        m.d.comb += decoder.request.eq(request)
        m.d.sync += decoded.eq(decoder.decoded)

        m.submodules.traps = traps = TrapUnit()
        self._outcome = Signal(Outcome)
        self._esr = Signal(32)
        m.d.comb += [
            traps.request.eq(request),
            traps.decoded.eq(decoded),
            traps.hcr.eq(self._control.hcr),
        ]
        m.d.sync += [self._outcome.eq(traps.outcome), self._esr.eq(traps.esr)]

        m.submodules.lookup = self._lookup = Lookup(self.config)
        self._intid = Signal(24)
        m.d.comb += [
            self._intid.eq(request.value[: self.config.id_bits]),
            self._lookup.intid.eq(self._intid),
        ]
        self._follow_lrs(m, self._lookup)

        self._lr_read = Signal(64)
        self._ap_read = Signal(32)
        words = Array([*self._active.word0, *self._active.word1])
        group1 = decoded.target == Target.AP1R
        word = Mux(group1, self.config.apr_words, 0) + decoded.index[:2]
        m.d.sync += [
            self._lr_read.eq(Array(v.as_value() for v in self._lr_values)[decoded.index]),
            self._ap_read.eq(words[word]),
        ]

    def _background(self, m):
        """Follow storage: selection, masks, running priority, maintenance; move the lines once."""
        config, cpu, control = self.config, self.cpu, self._control
        vmcr, hcr = control.vmcr, control.hcr
        remaining = Signal(range(settling(config) + 1))
        with m.If(self._stage[LATENCY]):
            m.d.sync += remaining.eq(settling(config))
        with m.Elif(remaining != 0):
            m.d.sync += remaining.eq(remaining - 1)
        m.d.comb += cpu.settled.eq(~self._stage.any() & (remaining == 0))

        m.submodules.selection = select = Selection(config)
        self._follow_lrs(m, select)
        m.d.comb += [select.enable0.eq(vmcr.VENG0), select.enable1.eq(vmcr.VENG1)]
        self._mask0, self._mask1 = Signal(8), Signal(8)
        mask0, mask1 = group_masks(vmcr, config)
        m.d.sync += [self._mask0.eq(mask0), self._mask1.eq(mask1)]

        best = select.best
        priority = best.priority << (8 - config.pri_bits)
        mask = Mux(best.group, self._mask1, self._mask0)
        running = self._active.running
        preempts = (priority & mask) < ((running.level << (8 - config.pre_bits)) & mask)
        can = Signal()
        m.d.comb += can.eq(best.valid & hcr.En & (priority < vmcr.VPMR) & (~running.active | preempts))

        m.submodules.maintenance = self._maintenance = maint = Maintenance(config)
        self._follow_lrs(m, maint)
        m.d.comb += [maint.hcr.eq(hcr), maint.vmcr.eq(vmcr)]

        self._winner = winner = Signal(Winner(config))
        vintids = Array(v.vINTID[: config.id_bits] for v in self._lr_values)
        with m.If(remaining == 1):
            m.d.sync += [
                winner.valid.eq(best.valid),
                winner.signalled.eq(can),
                winner.group.eq(best.group),
                winner.where.eq(1 << best.index),
                winner.vintid.eq(vintids[best.index]),
                winner.level.eq((priority & mask) >> (8 - config.pre_bits)),
                cpu.virq.eq(can & best.group),
                cpu.vfiq.eq(can & ~best.group),
                cpu.maintenance.eq(hcr.En & maint.misr.as_value().any()),
            ]

    def _decide(self, m):
        """Stage 5: effects of the access and the value it reads."""
        control, target = self._control, self._decoded.target
        m.submodules.operations = ops = Operations(self.config)
        executes = Signal()
        m.d.comb += [
            executes.eq(self._stage[_DECIDE] & (self._outcome == Outcome.OK)),
            ops.execute.eq(executes),
            ops.target.eq(target),
            ops.intid.eq(self._intid),
            ops.winner.eq(self._winner),
            ops.running.eq(self._active.running),
            ops.found.eq(self._lookup.found),
            ops.mask0.eq(self._mask0),
            ops.mask1.eq(self._mask1),
            ops.hcr.eq(control.hcr),
            ops.vmcr.eq(control.vmcr),
        ]
        # Strobes of the commit cycle come straight from registers; they fan out far.
        self._effects = Signal(Effects())
        self._lr_write = Signal(self.config.lrs)
        self._ap_write = Signal(2)
        self._control_write = Signal()
        writes = executes & self._request.write
        group_words = Cat(target == Target.AP0R, target == Target.AP1R)
        m.d.sync += [
            self._effects.eq(ops.effects),
            self._lr_write.eq(Mux(writes & (target == Target.LR), 1 << self._decoded.index, 0)),
            self._ap_write.eq(Mux(writes, group_words, 0)),
            self._control_write.eq(writes),
        ]
        response = self.cpu.response
        read = Signal(64)
        with m.Switch(target):
            for target_value, value in self._readable(ops).items():
                with m.Case(target_value):
                    m.d.comb += read.eq(value)
        m.d.sync += response.valid.eq(self._stage[_DECIDE])
        m.d.sync += [
            response.payload.outcome.eq(self._outcome),
            response.payload.esr.eq(self._esr),
            response.payload.value.eq(Mux(executes & ~self._request.write, read, 0)),
        ]

    def _readable(self, ops):
        """Return what each readable target shows; constants come from the register table."""
        config, control = self.config, self._control
        vmcr, maint = control.vmcr, self._maintenance
        running = self._active.running
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
            Target.RPR: Mux(running.active, running.level << (8 - config.pre_bits), 0xFF),
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

    def _commit(self, m):
        """Stage 6: change storage, once, and only for an access that executes (TRP-5, IAR-8)."""
        control, active, effects = self._control, self._active, self._effects
        decoded, value = self._decoded, self._request.value
        winner, found = self._winner, self._lookup.found
        for n, lr in enumerate(self._lrs):
            m.d.comb += [
                lr.write.eq(self._lr_write[n]),
                lr.write_data.eq(value),
                lr.acknowledge.eq(effects.acknowledge & winner.where[n]),
                lr.discard.eq(effects.discard & winner.where[n]),
                lr.deactivate.eq(effects.deactivate & found.where[n]),
            ]
        m.d.comb += [
            control.write.eq(self._control_write),
            control.target.eq(decoded.target),
            control.write_data.eq(value),
            control.count.eq(effects.count),
            active.write.eq(self._ap_write),
            active.write_index.eq(decoded.index),
            active.write_data.eq(value),
            active.set.eq(effects.set),
            active.set_group.eq(winner.group),
            active.set_level.eq(winner.level),
            active.drop.eq(effects.drop),
        ]
        request = self.cpu.deactivate
        with m.If(effects.physical):
            m.d.sync += [request.valid.eq(1), request.payload.pintid.eq(found.pintid)]
        with m.Elif(request.ready):
            m.d.sync += request.valid.eq(0)

    def _observe(self, m):
        observe, maint = self.cpu.observe, self._maintenance
        m.d.comb += [
            observe.hcr.eq(self._control.hcr),
            observe.vmcr.eq(self._control.vmcr),
            observe.misr.eq(maint.misr),
            observe.eisr.eq(maint.eisr),
            observe.elrsr.eq(maint.elrsr),
        ]
        for n in range(self.config.apr_words):
            m.d.comb += [
                observe[f"ap0r{n}"].eq(self._active.word0[n]),
                observe[f"ap1r{n}"].eq(self._active.word1[n]),
            ]
        for n, value in enumerate(self._lr_values):
            m.d.comb += observe[f"lr{n}"].eq(value)

    def _probe(self, m):
        """Name what a waveform should show: the access in flight, its answer, the state, the lines."""
        cpu, request, observe = self.cpu, self._request, self.cpu.observe
        show(m, access=self._stage.any(), encoding=request.encoding, write=request.write)
        show(m, el=request.el, operand=request.value)
        answer = cpu.response.payload
        show_held(m, cpu.response.valid, outcome=answer.outcome, result=answer.value, esr=answer.esr)
        hcr, vmcr = self._control.hcr, observe.vmcr
        # Parts of the two control words few enough in value to be shown as words.
        show(m, hcr=observe.hcr, hcr_enables=observe.hcr[:10], hcr_traps=observe.hcr[10:16])
        show(m, eoicount=hcr.EOIcount, vmcr=vmcr, vmcr_flags=vmcr[:10], pmr=self._control.vmcr.VPMR)
        show(m, misr=observe.misr, eisr=observe.eisr, elrsr=observe.elrsr)
        for n in range(self.config.apr_words):
            show(m, **{name: observe[name] for name in (f"ap0r{n}", f"ap1r{n}")})
        level = self._active.running.level << (8 - self.config.pre_bits)
        show(m, running_priority=Mux(self._active.running.active, level, 0xFF)[:8])
        show(m, virq=cpu.virq, vfiq=cpu.vfiq, maintenance=cpu.maintenance, settled=cpu.settled)
        show(m, deactivate=cpu.deactivate.valid, pintid=cpu.deactivate.payload.pintid)
