"""The golden GICD and GICR frames: what reads and writes of their registers do.

Rules DIST-3..10, DIST-16, DIST-27..35 of :mod:`hw.distributor_rules`. A register holds one or more slots
of equal width, one for each of its interrupts; every kind of slot has a getter and a setter here.
"""

from __future__ import annotations

from collections.abc import Callable

from hw.mmio import Frame, MmioRegister
from hw.mmio_map import lookup_mmio as lookup
from sim.golden_physical.distributor import FIRST_SPI, SGIS, Distributor, Interrupt, Route

__all__ = ["Frames"]

_CTLR, _SGIR, _TYPER = lookup("GICD_CTLR"), lookup("GICD_SGIR"), lookup("GICD_TYPER")
_GROUPS = tuple(_CTLR.field(f"EnableGrp{g}").mask for g in (0, 1))
_CPU_NUMBER = _TYPER.field("CPUNumber")
_FILTER, _TARGETS, _SGI = (_SGIR.field(name) for name in ("TargetListFilter", "CPUTargetList", "INTID"))
_IRM, _AFF0 = (lookup("GICD_IROUTER32").field(name) for name in ("Interrupt_Routing_Mode", "Aff0"))
_WAKER = lookup("GICR_WAKER")
_SLEEP, _CHILDREN = (_WAKER.field(name).mask for name in ("ProcessorSleep", "ChildrenAsleep"))
_GICR_TYPER = lookup("GICR_TYPER")

#: Kind of register -> bits of one slot.
_SLOT_BITS = {
    "IGROUPR": 1, "ISENABLER": 1, "ICENABLER": 1, "ISPENDR": 1, "ICPENDR": 1, "ISACTIVER": 1, "ICACTIVER": 1,
    "IPRIORITYR": 8, "ITARGETSR": 8, "ICFGR": 2, "IROUTER": 64, "CPENDSGIR": 8, "SPENDSGIR": 8,
}  # fmt: skip


class Frames:
    """Register accesses of a distributor and its redistributors.

    Parameters
    ----------
    distributor : Distributor
        What they show and change.
    """

    def __init__(self, distributor: Distributor) -> None:
        self.distributor = distributor
        self.physical = distributor.physical
        self._getters: dict[str, Callable[[Interrupt, int], int]] = {
            "IGROUPR": lambda i, pe: i.group,
            "ISENABLER": lambda i, pe: i.enable,
            "ICENABLER": lambda i, pe: i.enable,
            "ISPENDR": lambda i, pe: i.pending,
            "ICPENDR": lambda i, pe: i.pending,
            "ISACTIVER": lambda i, pe: i.active,
            "ICACTIVER": lambda i, pe: i.active,
            "IPRIORITYR": lambda i, pe: i.priority,
            "ITARGETSR": self.targets,
            "ICFGR": lambda i, pe: 2 * i.edge,
            "IROUTER": lambda i, pe: self.route(i),
            "CPENDSGIR": lambda i, pe: i.latch,
            "SPENDSGIR": lambda i, pe: i.latch,
        }

    def reset(self) -> None:
        """Take the reset values (DIST-36)."""
        self.distributor.reset()

    # -- whole registers -------------------------------------------------------------------------------

    def read(self, register: MmioRegister, pe: int) -> int:
        """Return a register; of a banked one and of GICR, PE ``pe``'s (DIST-29)."""
        if not register.exists(self.physical) or not register.readable:
            return 0  # DIST-31, DIST-32
        kind = _kind(register)
        if kind in _SLOT_BITS:
            getter = self._getters[kind]
            return sum(int(getter(i, pe)) << lsb for lsb, i in self._slots(register, kind, pe))
        special = getattr(self, f"_read_{register.name.lower()}", None)
        return special(pe) if special else register.reset_value(self.physical)

    def write(self, register: MmioRegister, pe: int, value: int, mask: int | None = None) -> None:
        """Write the bits of a register that ``mask`` names, all of them by default (DIST-30)."""
        mask = (1 << register.width) - 1 if mask is None else mask
        if not register.exists(self.physical) or not register.writable:
            return  # DIST-31, DIST-32
        kind = _kind(register)
        if kind not in _SLOT_BITS:
            special = getattr(self, f"_write_{register.name.lower()}", None)
            if special:
                special(pe, value & mask)
            return
        width = _SLOT_BITS[kind]
        for lsb, interrupt in self._slots(register, kind, pe):
            lanes = mask >> lsb & (1 << width) - 1
            if lanes:
                getattr(self, f"_set_{kind.lower()}")(interrupt, value >> lsb & lanes, lanes)

    def _slots(self, register: MmioRegister, kind: str, pe: int) -> list[tuple[int, Interrupt]]:
        """Return (lowest bit, interrupt) of everything a register holds; nothing where it is RAZ/WI."""
        bits = _SLOT_BITS[kind]
        count = 1 if kind == "IROUTER" else register.width // bits
        first = register.index * count
        # DIST-33: with affinity routing private interrupts are in GICR, and SGIs have no sources.
        if self.physical.are and register.frame is Frame.GICD and (first < FIRST_SPI or kind == "ITARGETSR"):
            return []
        found = (self.distributor.interrupt(first + n, pe) for n in range(count))
        return [(n * bits, interrupt) for n, interrupt in enumerate(found) if interrupt is not None]

    # -- slots -----------------------------------------------------------------------------------------

    def targets(self, interrupt: Interrupt, pe: int) -> int:
        """Return a byte of ITARGETSR (DIST-16)."""
        if self.distributor.pes == 1:
            return 0
        return 1 << pe if interrupt.intid < FIRST_SPI else interrupt.targets

    def route(self, interrupt: Interrupt) -> int:
        """Return IROUTER (DIST-14)."""
        one_of_n, aff0 = interrupt.route
        return one_of_n << _IRM.lsb | aff0 << _AFF0.lsb

    def _set_igroupr(self, interrupt: Interrupt, value: int, lanes: int) -> None:
        interrupt.group = value

    def _set_isenabler(self, interrupt: Interrupt, value: int, lanes: int) -> None:
        interrupt.enable |= bool(value)

    def _set_icenabler(self, interrupt: Interrupt, value: int, lanes: int) -> None:
        interrupt.enable &= not value

    def _read_only_pending(self, interrupt: Interrupt) -> bool:
        return not self.physical.are and interrupt.intid < SGIS  # DIST-28

    def _set_ispendr(self, interrupt: Interrupt, value: int, lanes: int) -> None:
        if value and not self._read_only_pending(interrupt):
            interrupt.latch = 1

    def _set_icpendr(self, interrupt: Interrupt, value: int, lanes: int) -> None:
        if value and not self._read_only_pending(interrupt):
            interrupt.latch = 0

    def _set_isactiver(self, interrupt: Interrupt, value: int, lanes: int) -> None:
        interrupt.active |= bool(value)

    def _set_icactiver(self, interrupt: Interrupt, value: int, lanes: int) -> None:
        interrupt.active &= not value

    def _set_ipriorityr(self, interrupt: Interrupt, value: int, lanes: int) -> None:
        interrupt.priority = value & self.physical.pri_mask  # DIST-10

    def _set_itargetsr(self, interrupt: Interrupt, value: int, lanes: int) -> None:
        if interrupt.intid >= FIRST_SPI and self.distributor.pes > 1:
            interrupt.targets = value & (1 << self.distributor.pes) - 1

    def _set_icfgr(self, interrupt: Interrupt, value: int, lanes: int) -> None:
        if interrupt.intid >= SGIS:
            interrupt.edge = bool(value & 2)  # DIST-9

    def _set_irouter(self, interrupt: Interrupt, value: int, lanes: int) -> None:
        value |= self.route(interrupt) & ~lanes
        aff0 = _AFF0.get(value) & _AFF0.implemented(self.physical)
        interrupt.route = Route(bool(_IRM.get(value)), aff0)

    def _set_cpendsgir(self, interrupt: Interrupt, value: int, lanes: int) -> None:
        interrupt.latch &= ~value

    def _set_spendsgir(self, interrupt: Interrupt, value: int, lanes: int) -> None:
        interrupt.latch |= value & (1 << self.distributor.pes) - 1

    # -- the other registers ---------------------------------------------------------------------------

    def read_ctlr(self) -> int:
        """Return GICD_CTLR (DIST-35)."""
        enables = zip(self.distributor.groups, _GROUPS, strict=True)
        return _CTLR.reset_value(self.physical) | sum(mask for enabled, mask in enables if enabled)

    def _read_gicd_ctlr(self, pe: int) -> int:
        return self.read_ctlr()

    def _write_gicd_ctlr(self, pe: int, value: int) -> None:
        self.distributor.groups = [bool(value & mask) for mask in _GROUPS]

    def _read_gicd_typer(self, pe: int) -> int:
        others = 0 if self.physical.are else self.distributor.pes - 1
        return _CPU_NUMBER.put(_TYPER.reset_value(self.physical), others)

    def _write_gicd_sgir(self, pe: int, value: int) -> None:
        """DIST-27."""
        if self.physical.are:
            return
        everyone = (1 << self.distributor.pes) - 1
        lists = (_TARGETS.get(value), everyone & ~(1 << pe), 1 << pe, 0)
        chosen = lists[_FILTER.get(value)]
        targets = [n for n in range(self.distributor.pes) if chosen >> n & 1]
        self.distributor.generate_sourced_sgi(_SGI.get(value), pe, targets)

    def _read_gicr_typer(self, pe: int) -> int:
        value = _GICR_TYPER.field("Affinity_Value").put(0, pe)
        value = _GICR_TYPER.field("Processor_Number").put(value, pe)
        return _GICR_TYPER.field("Last").put(value, int(pe == self.distributor.pes - 1))

    def _read_gicr_waker(self, pe: int) -> int:
        return _SLEEP | _CHILDREN if self.distributor.redistributors[pe].asleep else 0

    def _write_gicr_waker(self, pe: int, value: int) -> None:
        self.distributor.redistributors[pe].asleep = bool(value & _SLEEP)  # DIST-17


def _kind(register: MmioRegister) -> str:
    """Return GICD_IPRIORITYR17 -> IPRIORITYR."""
    return register.name.partition("_")[2].rstrip("0123456789")
