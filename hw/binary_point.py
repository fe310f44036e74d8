"""Binary points: how a priority splits into group priority and subpriority (SIG-5, REG-2, REG-6)."""

from amaranth.hdl import Array, Mux

from hw.config import GicConfig

__all__ = ["at_least", "group1_read", "group_masks"]


def at_least(value, minimum: int):
    """Return the 3-bit ``value``, or ``minimum`` where it is lower (REG-2)."""
    return Mux(value < minimum, minimum, value) if minimum else value


def group1_read(vmcr):
    """Return what ICV_BPR1 reads: with CBPR, BPR0 + 1 saturated at 7 (REG-6)."""
    shared = Mux(vmcr.VBPR0 == 7, 7, (vmcr.VBPR0 + 1)[:3])
    return Mux(vmcr.VCBPR, shared, vmcr.VBPR1)


def group_masks(vmcr, config: GicConfig):
    """Return the 8-bit group-priority masks of Group 0 and Group 1 as a pair of values (SIG-5)."""
    mask0 = Array(0xFF << (point + 1) & 0xFF for point in range(8))[vmcr.VBPR0]
    own1 = Array(0xFF << point & 0xFF for point in range(8))[vmcr.VBPR1]
    return mask0, Mux(vmcr.VCBPR, mask0, own1)
