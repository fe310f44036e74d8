"""The physical CPU interface of one PE: ICC_* with one Security state and no EL3 (PHY-1..14).

It gets accesses that passed the traps and were not redirected. One is in flight at a time; its latency
depends on the distributor, because an acknowledge waits for a selection that is under way and for the
distributor to make the interrupt active::

    IDLE     the access is taken
    FETCH    running priority and active-priority word are there
    WAIT     IAR, HPPIR: until the offer is current
    WEIGH    IAR, HPPIR: until the offer went through the comparison
    DECIDE   effects and read value
    SEND     until the distributor took the message, if there is one
    (then the response, and IDLE)
"""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw import active_priorities
from hw.active_priorities import ActivePriorities
from hw.config_physical import MAX_PES, PhysicalConfig
from hw.decode import PhysicalAccess, Target
from hw.layouts import layout_of
from hw.link import INTID_BITS, Command, LinkSignature, Offer
from hw.operations import SPURIOUS
from hw.physical_control import PhysicalControl
from hw.probe import show
from hw.registers import lookup

__all__ = ["SETTLING", "PhysicalCpuInterface", "physical_observe_layout"]

#: Cycles in which an offer goes through the comparison.
_WEIGHING = 3
#: Cycles from the end of an access or a new offer to the lines showing it.
SETTLING = active_priorities.LATENCY + _WEIGHING + 1
#: Width of the INTID operand of EOIR and DIR.
_OPERAND_BITS = 16


def physical_observe_layout(config: PhysicalConfig) -> data.StructLayout:
    """Return the layout of the ``observe`` probe: registers as EL2 reads them, and the offered INTID."""
    names = ("pmr", "bpr0", "bpr1", "ctlr", "igrpen0", "igrpen1")
    words = [f"ap{group}r{n}" for group in (0, 1) for n in range(config.apr_words)]
    return data.StructLayout({**dict.fromkeys((*names, *words), 32), "offered": INTID_BITS})


class PhysicalCpuInterface(wiring.Component):
    """ICC_* storage and operations; :class:`hw.gicc.GiccInterface` is the GICv2 face of the same.

    Parameters
    ----------
    config : PhysicalConfig
        Priority bits and the INTIDs of the distributor.

    Members
    -------
    access, start : In
        An access, and that it is to begin; only while ``ready``.
    ready : Out(1)
        No access is in flight.
    done, value : Out
        For one cycle, the access is finished, with what it reads (0 for a write). At least four cycles
        after ``start``; with a selection of the distributor under way that much later.
    link : Out(LinkSignature())
        To the distributor.
    irq, fiq : Out(1)
        Level outputs (PHY-2), registered.
    settled : Out(1)
        No access is in flight and the lines reflect all storage and the current offer.
    observe : Out(physical_observe_layout(config))
        All storage, for testbenches.
    """

    def __init__(self, config: PhysicalConfig):
        self.config = config
        super().__init__({
            "access": In(PhysicalAccess),
            "start": In(1),
            "ready": Out(1),
            "done": Out(1),
            "value": Out(64),
            "link": Out(LinkSignature()),
            "irq": Out(1),
            "fiq": Out(1),
            "settled": Out(1),
            "observe": Out(physical_observe_layout(config)),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        m.submodules.control = self._control = PhysicalControl(self.config)
        m.submodules.active = self._active = ActivePriorities(self.config)
        # What an IAR acknowledges, from its decision until the distributor accepts it.
        self._group_sent, self._level_sent = Signal(), Signal(self.config.pre_bits)
        m.d.comb += [
            self._active.set_group.eq(self._group_sent),
            self._active.set_level.eq(self._level_sent),
        ]
        self._request = Signal(PhysicalAccess)
        m.d.comb += self.link.enable.eq(self._control.value.igrpen)
        self._weigh(m)
        self._sequence(m)
        self._settle(m)
        self._show(m)
        return m

    def _weigh(self, m):
        """Compare the offer with the mask and the running priority; the lines follow (PHY-1, PHY-2)."""
        config, control, running = self.config, self._control, self._active.running
        offer = self.link.offer
        seen = Signal(Offer)
        mask, masked, level = Signal(8), Signal(8), Signal(8)
        m.d.comb += mask.eq(Mux(offer.group, control.mask1, control.mask0))
        passes = Signal()
        m.d.sync += [
            seen.eq(offer),
            masked.eq(offer.priority & mask),
            level.eq(running.level << (8 - config.pre_bits) & mask),
            passes.eq(offer.priority < control.value.pmr),
        ]
        self._offer = held = Signal(Offer)
        self._signalled = signalled = Signal()
        self._level = Signal(config.pre_bits)
        m.d.sync += [
            held.eq(seen),
            signalled.eq(seen.valid & passes & (~running.active | (masked < level))),
            self._level.eq(masked >> (8 - config.pre_bits)),
            self.irq.eq(signalled & ~self._is_fiq(held.group)),
            self.fiq.eq(signalled & self._is_fiq(held.group)),
        ]

    def _is_fiq(self, group):
        """Return whether an interrupt of ``group`` is signalled as FIQ (PHY-2)."""
        return ~group

    def _sequence(self, m):
        """Take an access through its states."""
        request, target, link = self._request, self._request.target, self.link
        looks = Signal()
        with m.Switch(target):
            with m.Case(Target.IAR0, Target.IAR1, Target.HPPIR0, Target.HPPIR1):
                m.d.comb += looks.eq(1)
        count = Signal(range(_WEIGHING + 1))
        value = Signal(64)
        m.d.comb += self.value.eq(value)
        m.d.sync += self.done.eq(0)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.ready.eq(~self.done)
                m.d.sync += count.eq(active_priorities.LATENCY)
                with m.If(self.start):
                    m.d.sync += request.eq(self.access)
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.sync += count.eq(count - 1)
                with m.If(count == 0):
                    m.d.sync += count.eq(_WEIGHING)
                    m.next = "DECIDE"
                    with m.If(looks):
                        m.next = "WAIT"
            with m.State("WAIT"):
                with m.If(link.current):
                    m.next = "WEIGH"
            with m.State("WEIGH"):
                m.d.sync += count.eq(count - 1)
                with m.If(count == 0):
                    m.next = "DECIDE"
            with m.State("DECIDE"):
                with m.If(~request.write):
                    m.d.sync += value.eq(self._read())
                with m.Else():
                    m.d.sync += value.eq(0)
                m.d.comb += self._control.write.eq(request.write)
                with m.If(self._decide(m)):
                    m.d.sync += link.message.valid.eq(1)
                    m.next = "SEND"
                with m.Else():
                    m.d.sync += self.done.eq(1)
                    m.next = "IDLE"
            with m.State("SEND"):
                with m.If(link.message.ready):
                    m.d.sync += [link.message.valid.eq(0), self.done.eq(1)]
                    with m.If((link.message.payload.command == Command.ACTIVATE) & link.accepted):
                        m.d.comb += self._active.set.eq(1)
                        m.d.sync += value.eq(self._told(link.message.payload))
                    m.next = "IDLE"

    def _read(self):
        """Return what the access reads; IAR gets its INTID when the distributor accepts it."""
        config, control, active, target = self.config, self._control, self._active, self._request.target
        stored, running, offer = control.value, active.running, self._offer
        words = Array([*active.word0, *active.word1])
        word = Mux(target == Target.AP1R, config.apr_words, 0) + self._request.index[:2]
        values = {
            Target.PMR: stored.pmr,
            Target.CTLR: self._ctlr(),
            Target.RPR: Mux(running.active, running.level << (8 - config.pre_bits), 0xFF),
            Target.BPR0: stored.bpr0,
            Target.BPR1: control.bpr1,
            Target.IGRPEN0: stored.igrpen[0],
            Target.IGRPEN1: stored.igrpen[1],
            Target.AP0R: words[word],
            Target.AP1R: words[word],
            Target.IAR0: SPURIOUS,
            Target.IAR1: SPURIOUS,
            Target.HPPIR0: Mux(offer.valid & ~offer.group, offer.intid, SPURIOUS),
            Target.HPPIR1: Mux(offer.valid & offer.group, self._told(offer), SPURIOUS),
            **self._more_values(),
        }
        result = 0
        for name, read in values.items():
            result = Mux(target == name, read, result)
        return result

    def _ctlr(self):
        """Return what CTLR reads (PHY-13)."""
        stored, register = self._control.value, lookup("ICC_CTLR_EL1")
        value = stored.cbpr << register.field("CBPR").lsb | stored.eoimode << register.field("EOImode").lsb
        return register.reset_value(self.config) | value

    def _more_values(self):
        """Return what targets read that a face has beside, or instead of, those of all."""
        return {}

    def _told(self, interrupt):
        """Return what an acknowledge or HPPIR tells of an offer or a message."""
        return interrupt.intid

    def _operand(self):
        """Return the INTID that EOIR and DIR name (PHY-5)."""
        return self._request.value[:_OPERAND_BITS]

    def _serves(self, group):
        """Return whether IAR<group> may acknowledge the offer (PHY-3)."""
        return self._offer.group == group

    def _ends(self, group):
        """Return whether EOIR<group> may end the most urgent active level (PHY-5)."""
        return self._active.running.group0 == (group == 0)

    def _decide(self, m):
        """State DECIDE: drive the effects and the message; return whether there is a message (comb)."""
        config, control, active, request = self.config, self._control, self._active, self._request
        running, message = active.running, self.link.message.payload
        operand = self._operand()
        exists = operand < config.intids
        sends = Signal()
        apr_mask = (1 << min(config.levels, 32)) - 1  # PHY-12
        words = Cat(request.target == Target.AP0R, request.target == Target.AP1R)
        m.d.comb += [
            control.target.eq(request.target),
            control.write_data.eq(request.value),
            active.write.eq(Mux(control.write, words, 0)),
            active.write_index.eq(request.index),
            active.write_data.eq(request.value & apr_mask),
        ]
        with m.Switch(request.target):
            for group in range(2):
                with m.Case(Target[f"IAR{group}"]):
                    m.d.comb += sends.eq(self._signalled & self._serves(group))
                    m.d.sync += [
                        message.command.eq(Command.ACTIVATE),
                        message.intid.eq(self._offer.intid),
                        message.source.eq(self._offer.source),
                        self._group_sent.eq(self._offer.group),
                        self._level_sent.eq(self._level),
                    ]
                with m.Case(Target[f"EOIR{group}"]):
                    drop = exists & running.active & self._ends(group)
                    m.d.comb += [active.drop.eq(drop), sends.eq(drop & ~control.value.eoimode)]
                    m.d.sync += [message.command.eq(Command.DEACTIVATE), message.intid.eq(operand)]
            with m.Case(Target.DIR):
                m.d.comb += sends.eq(exists & control.value.eoimode)
                m.d.sync += [message.command.eq(Command.DEACTIVATE), message.intid.eq(operand)]
            for name, group in (("SGI0R", 0), ("SGI1R", 1)):
                with m.Case(Target[name]):
                    sgi = layout_of(f"ICC_{name}_EL1")(request.value)
                    here = ~(sgi.Aff1.any() | sgi.Aff2.any() | sgi.Aff3.any() | sgi.RS.any())
                    m.d.comb += sends.eq(sgi.IRM | here)
                    m.d.sync += [
                        message.command.eq(Command.GENERATE_SGI),
                        message.intid.eq(sgi.INTID),
                        message.group.eq(group),
                        message.targets.eq(Mux(sgi.IRM, 0, sgi.TargetList[:MAX_PES])),
                        message.others.eq(sgi.IRM),
                    ]
        return sends

    def _settle(self, m):
        rest = Signal(range(SETTLING + 1))
        with m.If(~self.ready | ~self.link.current):
            m.d.sync += rest.eq(SETTLING)
        with m.Elif(rest != 0):
            m.d.sync += rest.eq(rest - 1)
        m.d.comb += self.settled.eq(self.ready & self.link.current & (rest == 0))

    def _show(self, m):
        observe, stored, words = self.observe, self._control.value, self._active
        offer = self.link.offer
        m.d.comb += [
            observe.pmr.eq(stored.pmr),
            observe.bpr0.eq(stored.bpr0),
            observe.bpr1.eq(self._control.bpr1),
            observe.ctlr.eq(self._ctlr()),
            observe.igrpen0.eq(stored.igrpen[0]),
            observe.igrpen1.eq(stored.igrpen[1]),
            observe.offered.eq(Mux(offer.valid, offer.intid, SPURIOUS)),
        ]
        for n in range(self.config.apr_words):
            m.d.comb += [observe[f"ap0r{n}"].eq(words.word0[n]), observe[f"ap1r{n}"].eq(words.word1[n])]
        show(m, icc_pmr=stored.pmr, icc_controls=stored, irq=self.irq, fiq=self.fiq)
        show(m, offered=offer.intid, offered_priority=offer.priority, physical_settled=self.settled)
