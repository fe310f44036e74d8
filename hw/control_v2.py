"""GICH_HCR and GICH_VMCR storage, with the GICV registers that alias the latter (REG-2..6, REG-10)."""

from hw.control import Control
from hw.layouts import layout_of
from hw.mmio_map import lookup_mmio

__all__ = ["ControlV2"]


class ControlV2(Control):
    """The two control words of GICv2.

    They are kept in the layout of ICH_HCR_EL2 and ICH_VMCR_EL2, whose fields stand in the same places.
    AckCtl and FIQEn, fixed where SRE is 1, are storage here.
    """

    def _hcr_mask(self):
        return lookup_mmio("GICH_HCR").stored_mask(self._config)

    def _vmcr_reset(self):
        return lookup_mmio("GICH_VMCR").reset_value(self._config)

    def _from_vmcr(self, vmcr, data):
        written = layout_of("GICH_VMCR")(data)
        return [
            *super()._from_vmcr(vmcr, data),
            vmcr.VAckCtl.eq(written.VMAckCtl),
            vmcr.VFIQEn.eq(written.VMFIQEn),
        ]

    def _from_ctlr(self, vmcr, data):
        written = layout_of("GICV_CTLR")(data)
        return [
            vmcr.VENG0.eq(written.EnableGrp0),
            vmcr.VENG1.eq(written.EnableGrp1),
            vmcr.VAckCtl.eq(written.AckCtl),
            vmcr.VFIQEn.eq(written.FIQEn),
            vmcr.VCBPR.eq(written.CBPR),
            vmcr.VEOIM.eq(written.EOImode),
        ]
