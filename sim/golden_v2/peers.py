"""The GICv2 golden model with the divergences of gem5 and VCML switched on."""

from __future__ import annotations

from collections.abc import Callable

from hw.config_v2 import GicV2Config
from hw.mmio import MmioRegister
from sim.deviations_peers import NO_PEER_V2, PeersV2
from sim.golden_v2 import bits
from sim.golden_v2.core import GoldenV2

__all__ = ["PeerGoldenV2"]

_STATUS = ("GICH_MISR", "GICH_EISR", "GICH_ELRSR")


class PeerGoldenV2(GoldenV2):
    """A model of one GICv2 virtual CPU interface that has the bugs of another.

    Parameters
    ----------
    config : GicV2Config
        The build.
    peers : PeersV2
        The bugs; all are off by default, and the model is then the strict one.
    """

    def __init__(self, config: GicV2Config, peers: PeersV2 = NO_PEER_V2) -> None:
        self.peers = peers
        super().__init__(config)

    def executors(
        self, register: MmioRegister
    ) -> tuple[Callable[[], int] | None, Callable[[int], None] | None]:
        """Return (read, write): registers may be missing (VGIC2, VCML1, VCML3)."""
        read, write = super().executors(register)
        if self.peers.vcml1_no_status and register.name.startswith(_STATUS):
            return None, None
        if self.peers.vcml3_no_dir and register.name == "GICV_DIR":
            return None, None
        if self.peers.vgic2_apr_reads_0 and register.name == "GICH_APR":
            return None, write
        return read, write

    def write_hcr(self, value: int) -> None:
        """GICH_HCR, perhaps without EOICount (VCML2)."""
        super().write_hcr(value)
        if self.peers.vcml2_no_count:
            self.hcr &= ~bits.HCR_EOICOUNT

    def count(self) -> None:
        """Move EOICount, if it ever moves (VGIC1, VCML2)."""
        if not (self.peers.vgic1_never_counts or self.peers.vcml2_no_count):
            super().count()

    def write_vmcr(self, value: int) -> None:
        """GICH_VMCR, perhaps without ABPR (VCML4)."""
        abpr = getattr(self, "abpr", None)
        super().write_vmcr(value)
        if self.peers.vcml4_vmcr_drops_abpr and abpr is not None:
            self.abpr = abpr

    def can_signal(self, lr: int) -> bool:
        """Whether an entry may interrupt the guest, perhaps whatever the masks are (VGIC3, VGIC4)."""
        pmr, apr = self.pmr, self.apr
        if self.peers.vgic3_no_priority_mask:
            self.pmr = 0x100
        if self.peers.vgic4_no_preemption:
            self.apr = 0
        signals = super().can_signal(lr)
        self.pmr, self.apr = pmr, apr
        return signals

    def eisr(self) -> int:
        """GICH_EISR, perhaps with HW entries (VGIC6)."""
        if not self.peers.vgic6_eisr_ignores_hw:
            return super().eisr()
        wanted = (lr & bits.LR_STATE == 0 and lr & bits.LR_EOI_BIT for lr in self.lr)
        return sum(1 << n for n, one in enumerate(wanted) if one)

    def elrsr(self) -> int:
        """GICH_ELRSR, perhaps with entries whose EOI is still to be seen (VGIC5)."""
        if not self.peers.vgic5_elrsr_ignores_eoi:
            return super().elrsr()
        return sum(1 << n for n, lr in enumerate(self.lr) if not lr & bits.LR_STATE)
