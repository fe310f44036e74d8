"""What the virtual CPU interfaces of GICv3 and GICv2 have in common: storage, pipeline, background.

An access moves through these stages, one cycle each, and one access is in flight at a time::

    cycle 0   request taken
    1 decode   what the access reaches
    2 check    whether it executes; INTID compared with every list register; list register and APR word read
    3 match    lowest matching list register
    4 fetch    its fields
    5 decide   effects and read value
    6 commit   response valid; storage changes at the end of the cycle
    7          storage visible; the next request may be taken

With more than 16 list registers match and fetch take two cycles each. Selection, running priority and
maintenance follow storage in the background. They settle before the next access can decide, so no access
ever waits for them, and their outputs move once per access.
"""

from dataclasses import dataclass

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw import active_priorities, lookup, maintenance, selection
from hw.active_priorities import ActivePriorities
from hw.binary_point import group_masks
from hw.config import GicConfig
from hw.control import Control
from hw.decode import Target
from hw.list_register import ListRegister
from hw.lookup import BLOCK, Lookup
from hw.maintenance import Maintenance
from hw.operations import Effects, Operations, Winner
from hw.probe import show
from hw.selection import Selection

__all__ = ["Checked", "VirtualCore", "interval", "latency", "settling"]

#: Stage in which the list registers are searched first.
_CHECK = 2


def _decide_stage(config: GicConfig) -> int:
    """Return the cycle, after the request was taken, in which an access decides."""
    return _CHECK + lookup.latency(config)


def latency(config: GicConfig) -> int:
    """Return the cycles from a request being taken to its response, the same for every access."""
    return _decide_stage(config) + 1


def interval(config: GicConfig) -> int:
    """Return the cycles from a request being taken to the next one at the earliest."""
    return latency(config) + 1


def settling(config: GicConfig) -> int:
    """Return the cycles from storage changing to the lines showing it.

    The lines move that long, plus one cycle, after the response; ``settled`` rises with them.
    """
    slowest = max(selection.depth(config), active_priorities.LATENCY, maintenance.latency(config))
    return slowest + 1


@dataclass(frozen=True)
class Checked:
    """What a face makes of the request in flight.

    ``write`` and ``value`` (the operand) stand from stage 1, ``target`` and ``index`` from stage 2, and
    ``ok``, that the access executes, from stage 3.
    """

    write: Value
    value: Value
    target: Value
    index: Value
    ok: Value


class VirtualCore(wiring.Component):
    """A virtual CPU interface without the way in: a face adds the port, the decoding and the answers.

    Latency :func:`latency` cycles from request to response for every access; one access every
    :func:`interval` cycles. Sources: spec sections 2.1-2.9.

    A face overrides the methods that raise NotImplementedError here, and what else differs.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        Implementation choices.
    signature : wiring.Signature
        Of the port: ``request``, ``response``, ``virq``, ``vfiq``, ``maintenance``, ``settled``,
        ``deactivate`` and ``observe`` as :class:`hw.port.CpuPortSignature` has them.
    more : dict
        Members that a face adds.

    Members
    -------
    cpu : In(signature)
        The port.
    """

    #: Makes the control words and the accesses to them.
    control_type: type[Control] = Control
    #: Makes the effects of the side-effect accesses.
    operations_type: type[Operations] = Operations

    def __init__(self, config: GicConfig, signature: wiring.Signature, more: dict | None = None):
        # An access decides interval + _decide_stage cycles after its predecessor was taken, at the earliest;
        # the predecessor's storage is visible interval cycles after that, and must have settled.
        assert settling(config) <= _decide_stage(config)
        self.config = config
        super().__init__({"cpu": In(signature), **(more or {})})

    def _check(self, m) -> Checked:
        """Stages 1 and 2: decode and check ``self._request``."""
        raise NotImplementedError

    def _readable(self, m, ops) -> dict[Target, Value]:
        """Return what each readable target shows."""
        raise NotImplementedError

    def _answer(self, m, executes: Value, read: Value) -> None:
        """Stage 5: register the payload of the response; ``read`` is 0 unless the access reads."""
        raise NotImplementedError

    def _lr_data(self, m, value: Value) -> Value:
        """Return the list register, in the layout of ICH_LR<n>_EL2, that a written value means."""
        return value

    def _cpuid(self, lr: Value) -> Value:
        """Return the CPUID that an acknowledge of a list register tells (V2-3)."""
        return Const(0)

    def _ap_group(self, group: Value) -> Value:
        """Return the active-priority words that record an acknowledge of ``group``."""
        return group

    def _is_fiq(self, group: Value) -> Value:
        """Return whether an interrupt of ``group`` is signalled as vFIQ (SIG-6)."""
        return ~group

    def elaborate(self, platform):
        m = Module()
        self._storage(m)
        self._take(m)
        self._checked = self._check(m)
        self._look_up(m)
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
        m.submodules.control = self._control = self.control_type(config)
        m.submodules.active = self._active = ActivePriorities(config)
        self._lr_values = [lr.value for lr in self._lrs]

    def _follow_lrs(self, m, block):
        """Show every list register to a block."""
        for value, port in zip(self._lr_values, block.lr, strict=True):
            m.d.comb += port.eq(value)

    def _take(self, m):
        """Take a request when nothing is in flight, and hold it."""
        cpu = self.cpu
        last = latency(self.config)
        self._request = request = Signal(cpu.request.payload.shape())
        self._stage = stage = Signal(last + 1)  # bit n: the access is in stage n; bit 0 unused.
        taken = cpu.request.valid & cpu.request.ready
        m.d.comb += cpu.request.ready.eq(~stage.any() & ~cpu.deactivate.valid)
        m.d.sync += stage.eq(Cat(0, taken, stage[1:last]))
        with m.If(taken):
            m.d.sync += request.eq(cpu.request.payload)

    def _look_up(self, m):
        """Stage 2 and on: search the list registers, read the one that is named and the APR word."""
        checked = self._checked
        m.submodules.lookup = self._lookup = Lookup(self.config)
        self._intid = Signal(24)
        m.d.comb += [
            self._intid.eq(checked.value[: self.config.id_bits]),
            self._lookup.intid.eq(self._intid),
        ]
        self._follow_lrs(m, self._lookup)

        self._lr_read = self._pick(m, [v.as_value() for v in self._lr_values], checked.index)
        self._ap_read = Signal(32)
        words = Array([*self._active.word0, *self._active.word1])
        group1 = checked.target == Target.AP1R
        word = Mux(group1, self.config.apr_words, 0) + checked.index[:2]
        m.d.sync += self._ap_read.eq(words[word])

    def _pick(self, m, values, index):
        """Return ``values[index]``, one cycle later; with more than a block of them, two."""
        low = (BLOCK - 1).bit_length()
        picked = []
        for first in range(0, len(values), BLOCK):
            held = Signal(len(values[0]), name=f"lr_read{first}")
            m.d.sync += held.eq(Array(values[first : first + BLOCK])[index[:low]])
            picked.append(held)
        if len(picked) == 1:
            return picked[0]
        whole = Signal(len(values[0]), name="lr_read")
        m.d.sync += whole.eq(Array(picked)[index[low:]])
        return whole

    def _background(self, m):
        """Follow storage: selection, masks, running priority, maintenance; move the lines once."""
        config, cpu, control = self.config, self.cpu, self._control
        vmcr, hcr = control.vmcr, control.hcr
        self._remaining = remaining = Signal(range(settling(config) + 1))
        with m.If(self._stage[-1]):
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
        vintids = Array(lr.vINTID[: config.id_bits] for lr in self._lr_values)
        cpuids = Array(self._cpuid(lr) for lr in self._lr_values)
        fiq = self._is_fiq(best.group)
        with m.If(remaining == 1):
            m.d.sync += [
                winner.valid.eq(best.valid),
                winner.signalled.eq(can),
                winner.group.eq(best.group),
                winner.where.eq(1 << best.index),
                winner.vintid.eq(vintids[best.index]),
                winner.cpuid.eq(cpuids[best.index]),
                winner.level.eq((priority & mask) >> (8 - config.pre_bits)),
                cpu.virq.eq(can & ~fiq),
                cpu.vfiq.eq(can & fiq),
                cpu.maintenance.eq(hcr.En & maint.misr.as_value().any()),
            ]

    def _decide(self, m):
        """Stage 5: effects of the access and the value it reads."""
        control, checked = self._control, self._checked
        target = checked.target
        m.submodules.operations = ops = self.operations_type(self.config)
        executes = Signal()
        m.d.comb += [
            executes.eq(self._stage[_decide_stage(self.config)] & checked.ok),
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
        writes = executes & checked.write
        group_words = Cat(target == Target.AP0R, target == Target.AP1R)
        m.d.sync += [
            self._effects.eq(ops.effects),
            self._lr_write.eq(Mux(writes & (target == Target.LR), 1 << checked.index, 0)),
            self._ap_write.eq(Mux(writes, group_words, 0)),
            self._control_write.eq(writes),
        ]
        read = Signal(64)
        with m.Switch(target):
            for target_value, value in self._readable(m, ops).items():
                with m.Case(target_value):
                    m.d.comb += read.eq(value)
        m.d.sync += self.cpu.response.valid.eq(self._stage[_decide_stage(self.config)])
        self._answer(m, executes, Mux(executes & ~checked.write, read, 0))

    def _commit(self, m):
        """Stage 6: change storage, once, and only for an access that executes (TRP-5, IAR-8)."""
        control, active, effects = self._control, self._active, self._effects
        checked = self._checked
        winner, found = self._winner, self._lookup.found
        lr_data = self._lr_data(m, checked.value)
        for n, lr in enumerate(self._lrs):
            m.d.comb += [
                lr.write.eq(self._lr_write[n]),
                lr.write_data.eq(lr_data),
                lr.acknowledge.eq(effects.acknowledge & winner.where[n]),
                lr.discard.eq(effects.discard & winner.where[n]),
                lr.deactivate.eq(effects.deactivate & found.where[n]),
            ]
        m.d.comb += [
            control.write.eq(self._control_write),
            control.target.eq(checked.target),
            control.write_data.eq(checked.value),
            control.count.eq(effects.count),
            active.write.eq(self._ap_write),
            active.write_index.eq(checked.index),
            active.write_data.eq(checked.value),
            active.set.eq(effects.set),
            active.set_group.eq(self._ap_group(winner.group)),
            active.set_level.eq(winner.level),
            active.drop.eq(effects.drop),
        ]
        request = self.cpu.deactivate
        with m.If(effects.physical):
            m.d.sync += [request.valid.eq(1), request.payload.pintid.eq(found.pintid)]
        with m.Elif(request.ready):
            m.d.sync += request.valid.eq(0)

    def _running_priority(self):
        """Return what RPR reads (REG-11)."""
        running = self._active.running
        return Mux(running.active, running.level << (8 - self.config.pre_bits), 0xFF)[:8]

    def _observe(self, m):
        """Show all storage."""
        observe, maint = self.cpu.observe, self._maintenance
        m.d.comb += [
            observe.hcr.eq(self._control.hcr),
            observe.vmcr.eq(self._control.vmcr),
            observe.misr.eq(maint.misr),
            observe.eisr.eq(maint.eisr),
            observe.elrsr.eq(maint.elrsr),
        ]
        for n in range(self.config.apr_words):
            m.d.comb += observe[f"ap0r{n}"].eq(self._active.word0[n])

    def _probe(self, m):
        """Name what a waveform should show of storage and lines; a face adds the access in flight."""
        cpu, observe = self.cpu, self.cpu.observe
        hcr, vmcr = self._control.hcr, observe.vmcr
        # Parts of the two control words few enough in value to be shown as words.
        show(m, hcr=observe.hcr, hcr_enables=observe.hcr[:10], hcr_traps=observe.hcr[10:16])
        show(m, eoicount=hcr.EOIcount, vmcr=vmcr, vmcr_flags=vmcr[:10], pmr=self._control.vmcr.VPMR)
        show(m, misr=observe.misr, eisr=observe.eisr, elrsr=observe.elrsr)
        show(m, running_priority=self._running_priority())
        show(m, virq=cpu.virq, vfiq=cpu.vfiq, maintenance=cpu.maintenance, settled=cpu.settled)
        show(m, deactivate=cpu.deactivate.valid, pintid=cpu.deactivate.payload.pintid)
