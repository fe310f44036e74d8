"""What the operations on a whole system are made of: accesses by whatever name a build has for them."""

from __future__ import annotations

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.mmio import Frame, MmioRegister
from hw.mmio_map import lookup_mmio
from hw.registers import lookup
from hw.registers_dist import GICR_STRIDE
from sim.port import Access, MmioAccess, PeContext
from sim.stimulus.choices import Choices
from sim.system_port import PePhysicalState, PhysicalState, SystemStep

__all__ = ["HOST", "PRIORITIES", "Blocks"]

#: HCR_EL2 of a host: nothing is redirected.
HOST = PeContext(imo=False, fmo=False)
#: Few priorities, so that they tie; the last is never offered with eight bits.
PRIORITIES = (0x80, 0x20, 0x88, 0x90, 0x40, 0x84, 0x81, 0x00, 0xF0, 0xFF)


class Blocks:
    """Accesses and choices of one system; the operations themselves are a subclass's.

    Parameters
    ----------
    physical, config, pes, choices
        As of :class:`sim.stimulus.physical.PhysicalStimulus`.
    """

    def __init__(self, physical: PhysicalConfig, config: object, pes: int, choices: Choices) -> None:
        self.physical = physical
        self.config = config if isinstance(config, (GicConfig, GicV2Config)) else None
        self.pes = pes
        self.choices = choices
        self._hot: list[int] = [40]

    def _pe(self) -> int:
        return self.choices.below(self.pes)

    def _intid(self) -> int:
        """Return an INTID, most often a hot one, sometimes one that is not there."""
        if self.choices.one_in(6):
            unknown = (self.physical.intids, 1019, 1020, 1023, 1024, 8192, 0x10000 + self._hot[0])
            return self.choices.among(unknown)
        return self.choices.among(self._hot)

    def _known(self) -> int:
        return self.choices.among(self._hot)

    def _icc(self, pe: int, name: str, value: int | None = None, el: int = 2) -> SystemStep:
        register = lookup(f"ICC_{name}_EL1")
        return SystemStep(pe, Access(el, register, value is not None, value or 0, context=HOST))

    def _mmio(self, pe: int, name: str, value: int | None = None) -> SystemStep:
        return SystemStep(pe, Access(2, lookup_mmio(name), value is not None, value or 0))

    def _cpu(self, pe: int, icc: str, gicc: str, value: int | None = None) -> SystemStep:
        """Return an access of the CPU interface, by whatever name it has here."""
        if self.physical.are:
            return self._icc(pe, icc, value)
        return self._mmio(pe, f"GICC_{gicc}", value)

    def _frame(self, intid: int) -> str:
        return "GICR" if self.physical.are and intid < 32 else "GICD"

    def _bits(self, kind: str, intid: int, pe: int) -> SystemStep:
        return self._mmio(pe, f"{self._frame(intid)}_{kind}{intid // 32}", 1 << intid % 32)

    def _open_pe(self, pe: int) -> list[SystemStep]:
        """Return the operations that let a PE take interrupts, last first."""
        if not self.physical.are:
            modes = (3, 7, 0xB, 0xF, 0x203, 0x207, 0x13)
            return [
                self._mmio(pe, "GICC_CTLR", self.choices.among(modes)),
                self._mmio(pe, "GICC_PMR", 0xFF),
                *(self._mmio(pe, f"GICC_{name}APR{n}", 0)
                  for n in range(self.physical.apr_words) for name in ("", "NS")),
            ]  # fmt: skip
        return [
            self._icc(pe, "CTLR", self.choices.among((0, 2, 1, 3))),
            self._icc(pe, "IGRPEN1", 1),
            self._icc(pe, "IGRPEN0", 1),
            self._icc(pe, "PMR", 0xFF),
            self._mmio(pe, "GICR_WAKER", 0),
            *self._open_virtual(pe),
            *(self._icc(pe, f"AP{g}R{n}", 0) for n in range(self.physical.apr_words) for g in (0, 1)),
        ]

    def _open_virtual(self, pe: int) -> list[SystemStep]:
        """Return the operations that let a guest take interrupts, last first."""
        if self.config is None:
            return []
        empty = [f"LR{n}" for n in range(self.config.lrs)]
        empty += ["AP0R0", "AP1R0"] if self.physical.are else ["APR"]
        values = [("HCR", self.choices.among((1, 3))), ("VMCR", self.choices.among((0xF84C0003, 0xF84C0203)))]
        return [self._ich(pe, name, value) for name, value in (*values, *((name, 0) for name in empty))]

    def _ich(self, pe: int, name: str, value: int) -> SystemStep:
        """Return a write of the hypervisor, by whatever name the register has here."""
        if not self.physical.are:
            return self._mmio(pe, f"GICH_{name}", value)
        return SystemStep(pe, Access(2, lookup(f"ICH_{name}_EL2"), True, value))

    def _icv(self, pe: int, icv: str, gicv: str, value: int | None = None) -> SystemStep:
        """Return an access of a guest, by whatever name the register has here."""
        if not self.physical.are:
            return self._mmio(pe, f"GICV_{gicv}", value)
        return SystemStep(pe, Access(1, lookup(f"ICC_{icv}_EL1"), value is not None, value or 0))

    def _lr(self, flags: int, vintid: int, pintid: int, priority: int) -> int:
        """Return a list register of Group 1; bit 0 of ``flags`` is HW, the two above are its State."""
        if self.physical.are:
            return flags << 61 | 1 << 60 | priority << 48 | pintid % 0x2000 << 32 | vintid
        hw, state = flags & 1, flags >> 1
        return hw << 31 | 1 << 30 | state << 28 | priority >> 3 << 23 | pintid % 0x400 << 10 | vintid

    @staticmethod
    def _running_group(pe: PePhysicalState) -> int:
        for word0, word1 in zip(pe.ap0r, pe.ap1r, strict=True):
            if word0 or word1:
                return int(not word0 or bool(word1 and word1 & -word1 < word0 & -word0))
        return 0

    def _active(self, state: PhysicalState, pe: int) -> int:
        """Return a hot INTID that is active, as this PE names it, or any."""
        words = [state.pes[pe].active, *state.active]
        found = [intid for intid in self._hot if words[intid // 32] >> intid % 32 & 1]
        return self.choices.among(found) if found and not self.choices.one_in(8) else self._intid()

    def _byte(self, pe: int, register: MmioRegister, byte: int, value: int | None) -> SystemStep:
        """Return an access of one byte of a register; of GICR, in this PE's frame."""
        offset = register.offset + byte + (GICR_STRIDE * pe if register.frame is Frame.GICR else 0)
        # With eight PEs a choice of targets and one more is wider than a byte.
        return SystemStep(pe, MmioAccess(register.frame, offset, 1, value is not None, (value or 0) & 0xFF))

    def _prepare(self, intid: int, pe: int) -> list[SystemStep]:
        """Return the operations that make a hot interrupt live: enabled, not active, of some group."""
        if intid >= 32 and pe:
            return []
        name = f"{self._frame(intid)}_IPRIORITYR{intid // 4}"
        group = self.choices.among((0xFFFF_FFFF, 0, 0xA5A5_A5A5))
        steps = [
            self._bits("ICACTIVER", intid, pe),
            self._mmio(pe, f"{self._frame(intid)}_ICFGR{intid // 16}", self.choices.among((0, 0xFFFF_FFFF))),
            self._bits("ISENABLER", intid, pe),
            self._mmio(pe, f"{self._frame(intid)}_IGROUPR{intid // 32}", group),
            self._byte(pe, lookup_mmio(name), intid % 4, self.choices.among(PRIORITIES)),
        ]
        if intid >= 32 and not self.physical.are:
            register = lookup_mmio(f"GICD_ITARGETSR{intid // 4}")
            steps.append(self._byte(pe, register, intid % 4, 1 + self.choices.below((1 << self.pes) - 1)))
        return steps
