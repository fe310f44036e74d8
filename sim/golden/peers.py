"""The golden model with the divergences of gem5 and Renode switched on.

The rules are overridden here, never changed in the strict model, which does not know of them.
"""

from __future__ import annotations

from collections.abc import Callable

from hw.config import GicConfig
from hw.registers import Register, Space
from sim.deviations import Deviations
from sim.deviations_peers import NO_PEER, PeersV3
from sim.golden import bits
from sim.golden.core import Golden
from sim.port import ESR_UNDEF, Access, Lines, Outcome, Response

__all__ = ["PeerGolden"]

_NO_STATUS = ("MISR", "EISR", "ELRSR", "AP")
_PRI_BITS = bits.CTLR.field("PRIbits")
_SILENT = ("ICH_VMCR", "ICH_AP", "ICC_CTLR", "ICV_CTLR")
_STORED_ONLY = bits.HCR_TDIR | bits.HCR_TALL0 | bits.HCR_TALL1


class PeerGolden(Golden):
    """A model of one GICv3 virtual CPU interface that has the bugs of another.

    Parameters
    ----------
    config : GicConfig
        The build.
    peers : PeersV3
        The bugs; all are off by default, and the model is then the strict one.
    """

    def __init__(self, config: GicConfig, peers: PeersV3 = NO_PEER) -> None:
        self.peers = peers
        # Two of QEMU's are gem5's, too.
        shared = Deviations(
            d2_count_in_mode1=peers.gem3b_count_in_mode1, d4_bpr_clamped_first=peers.gem11b_bpr_clamped_first
        )
        super().__init__(config, shared)

    def clear(self) -> None:
        """Take the reset values, EOIcount perhaps not among them (RENODE2)."""
        count = getattr(self, "hcr", 0) & bits.HCR_EOICOUNT if self.peers.renode2_count_survives_reset else 0
        super().clear()
        self.hcr |= count
        self._own_ctlr = 0
        self._shown = Lines(False, False, False)

    # -- what an access reaches ------------------------------------------------------------------------

    def access(self, access: Access) -> Response:
        """Execute one access; registers and traps may be missing, lines lag (GEM4, GEM5, GEM10, RENODE6)."""
        name = access.register.name
        if self.peers.renode3_no_status and name.startswith("ICH_") and name[4:].startswith(_NO_STATUS):
            return Response(Outcome.UNDEF, 0, ESR_UNDEF)
        ignored = _STORED_ONLY if self.peers.gem10_traps_ignored else 0
        ignored |= _STORED_ONLY | bits.HCR_TC if self.peers.renode6_traps_ignored else 0
        hidden = self.hcr & ignored if access.el == 1 else 0
        self.hcr &= ~hidden
        response = super().access(access)
        self.hcr |= hidden
        if access.write or "IAR" in name:
            self._update(name)
        return response

    def _update(self, name: str) -> None:
        """Drive the lines anew after a change, unless the model forgets to (GEM4, GEM5)."""
        if self.peers.gem5_stale_lines and name.startswith(_SILENT):
            return
        lines = super().lines()
        if self.peers.gem4_maintenance_toggles and self._shown.maintenance:
            lines = lines._replace(maintenance=False)
        self._shown = lines

    def lines(self) -> Lines:
        """Return the lines as they are, or as they were driven last (GEM4, GEM5)."""
        late = self.peers.gem4_maintenance_toggles or self.peers.gem5_stale_lines
        return self._shown if late else super().lines()

    def maintenance(self) -> bool:
        """Level of the maintenance interrupt, if there is one (RENODE4)."""
        return not self.peers.renode4_no_maintenance and super().maintenance()

    def _executors(self, register: Register) -> tuple[Callable[[], int] | None, Callable[[int], None] | None]:
        if self.peers.gem7_own_apr and register.space is Space.ICC and register.name.startswith("ICC_AP"):
            return lambda: 0, lambda value: None
        return super()._executors(register)

    # -- storage ---------------------------------------------------------------------------------------

    def write_hcr(self, value: int) -> None:
        """ICH_HCR_EL2, with another idea of EOIcount (GEM1, RENODE1)."""
        old = self.hcr & bits.HCR_EOICOUNT
        super().write_hcr(value)
        lower = self.peers.gem1_count_only_rises and self.hcr & bits.HCR_EOICOUNT < old
        if lower or self.peers.renode1_count_read_only:
            self.hcr = self.hcr & ~bits.HCR_EOICOUNT | old

    def write_lr(self, n: int, value: int) -> None:
        """ICH_LR<n>_EL2, whose pINTID may stay (GEM12)."""
        if self.peers.gem12_pintid_stays and not value & bits.LR_HW:
            mask = bits.LR_PINTID_MASK << bits.LR_PINTID_LSB
            value = value & ~mask | self.lr[n] & mask
        super().write_lr(n, value)

    def write_pmr(self, value: int) -> None:
        """ICV_PMR_EL1, perhaps unfiltered (GEM11)."""
        super().write_pmr(value)
        if self.peers.gem11_pmr_unmasked:
            self.pmr = value & 0xFF

    def write_ctlr(self, value: int) -> None:
        """ICV_CTLR_EL1, which may be remembered by itself (GEM6)."""
        super().write_ctlr(value)
        self._own_ctlr = value & (bits.CTLR_EOIMODE | bits.CTLR_CBPR)

    def read_ctlr(self) -> int:
        """ICV_CTLR_EL1: VMCR's fields, or only what was written to it (GEM6); PRIbits as VTR's (GEM6B)."""
        value = self._ctlr | self._own_ctlr if self.peers.gem6_own_ctlr else super().read_ctlr()
        return _PRI_BITS.put(value, 7 - _PRI_BITS.get(value)) if self.peers.gem6b_own_pribits else value

    def write_vmcr(self, value: int) -> None:
        """ICH_VMCR_EL2, whose binary points the guest may not get (RENODE7)."""
        super().write_vmcr(value)
        if self.peers.renode7_no_binary_points:
            self.bpr0, self.bpr1, self.cbpr = self.config.min_bpr0, self.config.min_bpr1, False

    # -- acknowledge and completion --------------------------------------------------------------------

    def read_iar(self, group: int) -> int:
        """ICV_IAR<group>_EL1; the level set may have no binary point (GEM8)."""
        before, index = (self.ap0, self.ap1), self.select()
        vintid = super().read_iar(group)
        if self.peers.gem8_apr_ignores_bpr and before != (self.ap0, self.ap1):
            bit = 1 << ((self.lr[index] >> bits.LR_PRIORITY_LSB & 0xF8) >> self._pri_shift)
            self.ap0, self.ap1 = (before[0], before[1] | bit) if group else (before[0] | bit, before[1])
        return vintid

    def write_eoir(self, group: int, value: int) -> None:
        """ICV_EOIR<group>_EL1 (GEM2, GEM3, GEM8, GEM13, RENODE5)."""
        vintid = value & self._id_mask
        eoimode, had_active, lrs, bpr = (
            self.eoimode,
            bool(self.ap0 | self.ap1),
            list(self.lr),
            (self.bpr0, self.bpr1),
        )
        found = self.find_active(vintid) >= 0
        if self.peers.gem2_eoir0_ignores_split and not group and found:
            self.eoimode = False
        if self.peers.gem8_apr_ignores_bpr:
            self.bpr0, self.bpr1 = self.config.min_bpr0, self.config.min_bpr1
        super().write_eoir(group, value)
        self.eoimode, (self.bpr0, self.bpr1) = eoimode, bpr
        if vintid >= bits.LPI_FIRST:
            if self.peers.gem13_lpi_stays_active and eoimode:
                self.lr = lrs
            if self.peers.gem3_lpis_count and had_active and not found:
                self.count(vintid)

    def write_dir(self, value: int) -> None:
        """ICV_DIR_EL1, of an absent LPI too (GEM3)."""
        vintid = value & self._id_mask
        if self.peers.gem3_lpis_count and self.eoimode and vintid >= bits.LPI_FIRST:
            if self.find_active(vintid) < 0:
                self.count(vintid)
            return
        super().write_dir(value)

    def count(self, vintid: int) -> None:
        """Move EOIcount, unless an LR of that INTID is found, whatever its state (RENODE5)."""
        stale = any(lr & bits.LR_VINTID_MASK == vintid for lr in self.lr)
        if not (self.peers.renode5_stale_lr_matches and stale):
            super().count(vintid)
