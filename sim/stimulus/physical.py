"""Constrained-random operations on a whole system: PEs, distributor, inputs.

The generator aims with what the system holds (a :class:`sim.system_port.PhysicalState` of any model) and
decides everything through :class:`~sim.stimulus.choices.Choices`. A handful of *hot* interrupts, changed
with the mood, gets most of the attention, so that states meet.
"""

from __future__ import annotations

from collections.abc import Callable

from hw.config_physical import MAINTENANCE_PPI, PhysicalConfig
from hw.errors import InputError
from hw.mmio import Frame
from hw.mmio_map import lookup_mmio
from hw.registers import REGISTERS, Register, Space
from hw.registers_dist import GICR_STRIDE, REGISTERS_DIST
from sim.port import Access, MmioAccess, PeContext
from sim.stimulus.blocks import HOST, PRIORITIES, Blocks
from sim.stimulus.choices import Choices
from sim.system_port import Drive, PhysicalState, SystemStep

__all__ = ["PHYSICAL_MOODS", "PhysicalStimulus"]

_CONTEXTS = (HOST, PeContext(), PeContext(fmo=False), PeContext(imo=False))
_ICC = tuple(r for r in REGISTERS if r.space is Space.ICC)
_ICH_WRITABLE = tuple(r for r in REGISTERS if r.space is Space.ICH and r.writable)
_BIT_REGISTERS = ("IGROUPR", "ISENABLER", "ICENABLER", "ISPENDR", "ICPENDR", "ISACTIVER", "ICACTIVER")
_SIZES = (4, 1, 2, 8)

#: What every mood does now and then.
_SERVICE = {"drive": 8, "acknowledge": 16, "end": 12, "deactivate": 6, "look": 2, "open": 2, "sgi": 2,
            "set_bits": 4, "priority": 2, "enable": 2}  # fmt: skip
#: Mood -> operation -> weight. The first operation of the first mood is the simplest.
PHYSICAL_MOODS: dict[str, dict[str, int]] = {
    # Interrupts come, are taken and ended.
    "service": _SERVICE,
    # The distributor is reprogrammed under way.
    "program": {**_SERVICE, "set_bits": 14, "priority": 6, "configure": 4, "route": 10, "groups": 2,
                "wake": 4, "enable": 4, "spread": 4, "open": 6},
    # Nested preemption and every binary point.
    "priorities": {**_SERVICE, "priority": 8, "binary_point": 4, "mask": 3, "control": 2,
                   "active_priorities": 4},
    "sgis": {**_SERVICE, "sgi": 14, "sources": 4},
    # HW list registers, the maintenance interrupt, redirection.
    "virtual": {**_SERVICE, "forward": 6, "guest": 10, "redirected": 4, "hypervise": 6},
    # Nothing behaves.
    "garbage": {**_SERVICE, "open": 6, "bus": 12, "any_register": 8, "redirected": 4, "hypervise": 2,
                "wake": 1, "control": 1, "mask": 1, "groups": 1, "configure": 1, "route": 1,
                "active_priorities": 1, "sources": 1, "guest": 1, "binary_point": 1},
}  # fmt: skip
#: Operations a mood lasts, at least; at most twice as many.
_MOOD_LENGTH = 192


class PhysicalStimulus(Blocks):
    """An endless stream of operations for one system.

    Parameters
    ----------
    physical : PhysicalConfig
        The physical side under test.
    config : GicConfig, GicV2Config or None
        The virtual side; None leaves it out.
    pes : int
        Number of PEs.
    choices : Choices
        Source of all decisions. It may be replaced between two calls.
    mood : str or None
        One of :data:`PHYSICAL_MOODS` to stay in; None changes it every now and then.

    Raises
    ------
    InputError
        For an unknown mood.
    """

    def __init__(
        self,
        physical: PhysicalConfig,
        config: object,
        pes: int,
        choices: Choices,
        mood: str | None = None,
    ) -> None:
        if mood is not None and mood not in PHYSICAL_MOODS:
            raise InputError(f"unknown mood {mood!r}; one of {', '.join(PHYSICAL_MOODS)}")
        super().__init__(physical, config, pes, choices)
        self._fixed = mood
        self._left = 0
        self._table: tuple[Callable[[PhysicalState], SystemStep], ...] = ()
        self._setup: list[SystemStep] = []
        self._high: set[tuple[int, int | None]] = set()

    def next(self, state: PhysicalState) -> SystemStep:
        """Return the next operation for a system that holds ``state``."""
        if not self._left and not self._setup:
            self._change_mood()
        if self._setup:
            return self._setup.pop()
        self._left -= 1
        return self._table[self.choices.below(len(self._table))](state)

    def _change_mood(self) -> None:
        """Take another mood and other hot interrupts, and open everything."""
        mood = self._fixed or self.choices.among(tuple(PHYSICAL_MOODS))
        weights = PHYSICAL_MOODS[mood]
        self._table = tuple(
            getattr(self, f"_{name}") for name, count in weights.items() for _ in range(count)
        )
        self._left = _MOOD_LENGTH + self.choices.below(_MOOD_LENGTH)
        last = self.physical.intids - 1
        self._hot = [32 + self.choices.below(self.physical.spis) for _ in range(4)]
        self._hot += [16 + self.choices.below(16), self.choices.below(16), MAINTENANCE_PPI, last]
        self._setup = [self._mmio(0, "GICD_CTLR", 3)]
        for pe in range(self.pes):
            self._setup += self._open_pe(pe)
            for intid in self._hot:
                self._setup += self._prepare(intid, pe)

    # -- CPU interface ---------------------------------------------------------------------------------

    def _acknowledge(self, state: PhysicalState) -> SystemStep:
        offered = [pe for pe in range(self.pes) if state.pes[pe].offered < 1020]
        if not offered and not self.choices.one_in(6):
            return self._drive(state)
        pe = self.choices.among(offered) if offered else self._pe()
        if (any(state.pes[pe].ap0r) or any(state.pes[pe].ap1r)) and self.choices.one_in(2):
            return self._end(state)  # most likely it masks what is offered
        if not self.physical.are:
            return self._mmio(pe, "GICC_AIAR" if self.choices.one_in(4) else "GICC_IAR")
        intid = state.pes[pe].offered
        words = [state.pes[pe].group, *state.group]
        group = words[intid // 32] >> intid % 32 & 1 if intid < 1020 else 0
        return self._icc(pe, f"IAR{group ^ self.choices.one_in(8)}")

    def _end(self, state: PhysicalState) -> SystemStep:
        busy = [pe for pe in range(self.pes) if any(state.pes[pe].ap0r) or any(state.pes[pe].ap1r)]
        if not busy and not self.choices.one_in(6):
            return self._forget(state)
        pe = self.choices.among(busy) if busy else self._pe()
        group = self._running_group(state.pes[pe]) ^ self.choices.one_in(8)
        intid = self._intid() if self.choices.one_in(8) else self._active(state, pe)
        return self._cpu(pe, f"EOIR{group}", "AEOIR" if group else "EOIR", intid)

    def _forget(self, state: PhysicalState) -> SystemStep:
        """Deactivate without the CPU interface."""
        pe = self._pe()
        intid = self._active(state, pe)
        return self._bits("ICACTIVER", intid, pe) if intid < self.physical.intids else self._drive(state)

    def _deactivate(self, state: PhysicalState) -> SystemStep:
        pe = self._pe()
        return self._cpu(pe, "DIR", "DIR", self._active(state, pe))

    def _look(self, state: PhysicalState) -> SystemStep:
        """Read something of the CPU interface that a read does not change."""
        names = (("HPPIR0", "HPPIR"), ("HPPIR1", "AHPPIR"), ("RPR", "RPR"), ("CTLR", "CTLR"), ("PMR", "PMR"),
                 ("BPR0", "BPR"), ("BPR1", "ABPR"), ("AP0R0", "APR0"), ("AP1R0", "NSAPR0"))  # fmt: skip
        return self._cpu(self._pe(), *self.choices.among(names))

    def _open(self, state: PhysicalState) -> SystemStep:
        self._setup = self._open_pe(self._pe())
        return self._setup.pop()

    def _enable(self, state: PhysicalState) -> SystemStep:
        value = self.choices.among((1, 0, 1, 0xFE))
        if not self.physical.are:
            return self._mmio(self._pe(), "GICC_CTLR", self.choices.below(1 << 11))
        return self._icc(self._pe(), f"IGRPEN{self.choices.below(2)}", value)

    def _control(self, state: PhysicalState) -> SystemStep:
        return self._cpu(self._pe(), "CTLR", "CTLR", self.choices.below(1 << 11))

    def _mask(self, state: PhysicalState) -> SystemStep:
        return self._cpu(self._pe(), "PMR", "PMR", self.choices.among((0xFF, *PRIORITIES)))

    def _binary_point(self, state: PhysicalState) -> SystemStep:
        name = self.choices.among((("BPR0", "BPR"), ("BPR1", "ABPR")))
        return self._cpu(self._pe(), *name, self.choices.below(16))

    def _active_priorities(self, state: PhysicalState) -> SystemStep:
        """Write a word of a group; now and then the same one in both groups."""
        pe, group = self._pe(), self.choices.below(2)
        n = 0 if self.choices.one_in(2) else self.choices.below(4)
        value = self.choices.among((0, 0x10000, 0x10000, 1 << self.choices.below(32)))
        steps = [self._cpu(pe, f"AP{g}R{n}", f"{'NS' * g}APR{n}", value) for g in (group, 1 - group)]
        if self.choices.one_in(2):
            self._setup = steps[1:]
        return steps[0]

    def _sgi(self, state: PhysicalState) -> SystemStep:
        pe, targets = self._pe(), self.choices.below(1 << self.pes + 1)
        intid = self.choices.below(16) if self.choices.one_in(4) else self._hot[5]
        if not self.physical.are:
            value = self.choices.below(5) << 24 | targets << 16 | self.choices.below(2) << 15 | intid
            return self._mmio(pe, "GICD_SGIR", value)
        value = intid << 24 | targets
        value |= self.choices.among((0, 0, 0, 0, 1 << 40, 1 << 16, 1 << 32, 1 << 44, 1 << 48))
        return self._icc(
            pe, self.choices.among(("SGI1R", "SGI0R", "ASGI1R")), value, 1 + self.choices.below(2)
        )

    # -- distributor -----------------------------------------------------------------------------------

    def _drive(self, state: PhysicalState) -> SystemStep:
        intid = self.choices.among([i for i in self._hot if i >= 16 and i != MAINTENANCE_PPI])
        where = (intid, self._pe() if intid < 32 else None)
        level = where not in self._high
        self._high ^= {where}
        return SystemStep(where[1] or 0, Drive(intid, level, where[1]))

    def _set_bits(self, state: PhysicalState) -> SystemStep:
        return self._bits(self.choices.among(_BIT_REGISTERS), self._known(), self._pe())

    def _priority(self, state: PhysicalState) -> SystemStep:
        intid, pe = self._known(), self._pe()
        name = f"{self._frame(intid)}_IPRIORITYR{intid // 4}"
        values = [self.choices.among(PRIORITIES) for _ in range(4)]
        if self.choices.one_in(3):
            return self._mmio(pe, name, int.from_bytes(bytes(values), "little"))
        return self._byte(pe, lookup_mmio(name), intid % 4, values[0])

    def _configure(self, state: PhysicalState) -> SystemStep:
        intid, pe = self._known(), self._pe()
        value = self.choices.among((0, 0xFFFF_FFFF, 2 << 2 * (intid % 16)))
        return self._mmio(pe, f"{self._frame(intid)}_ICFGR{intid // 16}", value)

    def _route(self, state: PhysicalState) -> SystemStep:
        intid, pe = self.choices.among([i for i in self._hot if i >= 32]), self._pe()
        if not self.physical.are:
            register = lookup_mmio(f"GICD_ITARGETSR{intid // 4}")
            return self._byte(pe, register, intid % 4, self.choices.below(1 << self.pes + 1))
        one_of_n, missing = 1 << 31, (self.pes, self.pes + 2)
        value = self.choices.among((0, self.pes - 1, one_of_n, one_of_n | 1, *missing, 1 << 63 - pe))
        return self._mmio(pe, f"GICD_IROUTER{intid}", value)

    def _spread(self, state: PhysicalState) -> SystemStep:
        """Route a pending SPI to one PE of several, and take one PE out."""
        intid, pe = self.choices.among([i for i in self._hot if i >= 32]), self._pe()
        if not self.physical.are:
            return self._route(state)
        out = (self._mmio(pe, "GICR_WAKER", 2), self._icc(pe, "IGRPEN0", 0), self._icc(pe, "IGRPEN1", 0))
        self._setup = [
            self.choices.among(out),
            self._bits("ICACTIVER", intid, pe),
            self._bits("ISPENDR", intid, pe),
        ]
        return self._mmio(pe, f"GICD_IROUTER{intid}", 1 << 31)

    def _groups(self, state: PhysicalState) -> SystemStep:
        return self._mmio(self._pe(), "GICD_CTLR", self.choices.among((3, 1, 2, 0, 0xFFFF_FFFF)))

    def _wake(self, state: PhysicalState) -> SystemStep:
        if not self.physical.are:
            return self._groups(state)
        return self._mmio(self._pe(), "GICR_WAKER", self.choices.among((0, 2, 0, 6, 4)))

    def _sources(self, state: PhysicalState) -> SystemStep:
        kind, intid = self.choices.among(("CPENDSGIR", "SPENDSGIR")), self._hot[5]
        value = None if self.choices.one_in(4) else self.choices.below(256)
        return self._byte(self._pe(), lookup_mmio(f"GICD_{kind}{intid // 4}"), intid % 4, value)

    # -- virtual side ----------------------------------------------------------------------------------

    def _hypervise(self, state: PhysicalState) -> SystemStep:
        """Load a HW list register, or write another register of the hypervisor."""
        if self.config is None:
            return self._look(state)
        pe = self._pe()
        if self.physical.are and self.choices.one_in(16):
            register = self.choices.among(_ICH_WRITABLE)
            return SystemStep(pe, Access(2, register, True, self.choices.below(1 << 64)))
        if self.choices.one_in(4):
            return self._ich(pe, "HCR", self.choices.among((1, 3, 9, 1, 0, 3, 1 << 14 | 1, 0xC01)))
        if self.choices.one_in(4):
            return self._ich(pe, "VMCR", self.choices.among((0xF84C0003, 0xF84C0203)))
        lr = self._lr(self.choices.among((3, 5, 3, 7, 2)), self.choices.among((60, 61)), self._intid(), 0x80)
        return self._ich(pe, f"LR{self.choices.below(self.config.lrs)}", lr)

    def _forward(self, state: PhysicalState) -> SystemStep:
        """Hand an interrupt to the guest in a HW list register, and let the guest finish it (HW-1)."""
        if self.config is None:
            return self._acknowledge(state)
        pe = self._pe()
        self._setup = [
            self._icv(pe, "DIR", "DIR", 60),
            self._icv(pe, "EOIR1", "AEOIR", 60),
            self._icv(pe, "IAR1", "AIAR"),
        ]
        return self._ich(pe, "LR0", self._lr(3, 60, self._active(state, pe), 0x20))

    def _guest(self, state: PhysicalState) -> SystemStep:
        """Acknowledge, end or deactivate as a guest, with both redirections."""
        if self.config is None:
            return self._acknowledge(state)
        names = (("IAR1", "AIAR"), ("EOIR1", "AEOIR"), ("DIR", "DIR"), ("IAR0", "IAR"), ("EOIR0", "EOIR"))
        name, gicv = self.choices.among(names)
        value = None if name.startswith("IAR") else self.choices.among((60, 61))
        return self._icv(self._pe(), name, gicv, value)

    def _redirected(self, state: PhysicalState) -> SystemStep:
        """Access any ICC register at any level under any redirection; a GICv2 has none."""
        return self._system_register(self.choices.among(_ICC), self.choices.among(_CONTEXTS))

    def _system_register(self, register: Register, context: PeContext) -> SystemStep:
        write = bool(self.choices.below(2))
        value = self.choices.among((self._intid(), 0xFF, 0, 1, 3, self.choices.below(1 << 64)))
        el = self.choices.among((1, 2, 1, 0))
        return SystemStep(self._pe(), Access(el, register, write, value if write else 0, context=context))

    # -- bad manners -----------------------------------------------------------------------------------

    def _any_register(self, state: PhysicalState) -> SystemStep:
        """Read, or write garbage to, any distributor register, by name or with a wrong size."""
        register = self.choices.among(REGISTERS_DIST)
        write = self.choices.one_in(3)
        value = self.choices.below(1 << 64) if write else 0
        size = self.choices.among((*register.sizes, *register.sizes, *_SIZES))
        offset = register.offset + self.choices.among((0, 0, 0, 1, 2, 4))
        access = MmioAccess(register.frame, offset, size, write, value & (1 << 8 * size) - 1)
        return SystemStep(self._pe(), access)

    def _bus(self, state: PhysicalState) -> SystemStep:
        """Access any place of any frame with any size."""
        frame = self.choices.among((Frame.GICD, Frame.GICR, Frame.GICC))
        redistributors = min(self.pes + 1, 8)  # one more than there are; the bus reaches eight
        span = {Frame.GICD: 0x1000, Frame.GICR: GICR_STRIDE * redistributors, Frame.GICC: 0x30}[frame]
        offset = self.choices.below(span)
        if self.choices.one_in(2):
            offset &= ~3
        size = self.choices.among(_SIZES)
        write = self.choices.one_in(2)
        value = self.choices.below(1 << 8 * size) if write else 0
        return SystemStep(self._pe(), MmioAccess(frame, offset, size, write, value))
