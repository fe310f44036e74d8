"""What a guest written for GICv3 does on a GICv2: the same operations, where GICv2 has them.

Scenarios and random guests are written once, in terms of ICC registers and of GICv3's distributor. For a
GICv2 guest every operation becomes an access to its CPU interface (the GICV frame, which the guest takes
for a GICC) or to its distributor:

===============================  ========================================================================
ICC_IAR1, EOIR1, HPPIR1, BPR1    AIAR, AEOIR, AHPPIR, ABPR
ICC_IAR0, EOIR0, HPPIR0, BPR0    IAR, EOIR, HPPIR, BPR; 1022, which stands for the other group, becomes 1023
ICC_CTLR, ICC_IGRPENn            fields of CTLR; the guest remembers the others
ICC_SGInR                        GICD_SGIR
GICR SGI frame, own vCPU         the banked registers of the distributor
ISPENDR0, ICPENDR0 of one SGI     GICD_SPENDSGIR from itself, GICD_CPENDSGIR
GICD_IROUTER                     GICD_ITARGETSR
===============================  ========================================================================

Operations on addresses are a GICv2 guest's own ones and stay what they are.
"""

from __future__ import annotations

from hw.mmio import Frame, MmioRegister
from hw.mmio_map import MMIO_BY_NAME, register_on
from hw.registers import BY_NAME
from sim.guest.memory_map import GICC_BASE, GICC_SIZE, GICD_BASE, GICR_BASE, GICR_STRIDE
from sim.guest.operation import Kind, Operation

__all__ = [
    "CTLR_FIELDS",
    "GICV_DIR",
    "cpu_interface_register",
    "distributor_access",
    "frame_register",
    "sgir",
]

GICV_DIR = MMIO_BY_NAME["GICV_DIR"]
_FRAME = {
    "IAR0": "IAR", "IAR1": "AIAR", "EOIR0": "EOIR", "EOIR1": "AEOIR", "HPPIR0": "HPPIR", "HPPIR1": "AHPPIR",
    "BPR0": "BPR", "BPR1": "ABPR", "PMR": "PMR", "RPR": "RPR", "DIR": "DIR", "AP0R0": "APR0",
}  # fmt: skip
#: ICC name -> (field of GICV_CTLR, bit of the ICC register).
CTLR_FIELDS: dict[str, tuple[tuple[str, int], ...]] = {
    "CTLR": (("CBPR", 0), ("EOImode", 1)),
    "IGRPEN0": (("EnableGrp0", 0),),
    "IGRPEN1": (("EnableGrp1", 0),),
}
_SGI1R = {field.name: field for field in BY_NAME["ICC_SGI1R_EL1"].fields}
_SGI_FRAME = 0x1_0000
_IROUTER, _ITARGETSR, _SGIR = 0x6000, 0x800, 0xF00
_ISPENDR, _ICPENDR, _CPENDSGIR, _SPENDSGIR = 0x200, 0x280, 0xF10, 0xF20
_FILTER_OTHERS = 1 << 24


def frame_register(short: str) -> MmioRegister | None:
    """Return the GICV register that stands for ICC_<short>_EL1; None if it is part of CTLR, or none does."""
    name = _FRAME.get(short)
    return MMIO_BY_NAME[f"GICV_{name}"] if name else None


def cpu_interface_register(address: int) -> MmioRegister | None:
    """Return the GICV register at a guest physical address, None where the guest has none."""
    offset = address - GICC_BASE
    return register_on(Frame.GICV, offset) if 0 <= offset < GICC_SIZE else None


def sgir(operation: Operation) -> Operation:
    """Return the GICD_SGIR write for an ICC_SGI<n>R_EL1 one."""
    get = {name: field.get(operation.value) for name, field in _SGI1R.items()}
    value = _FILTER_OTHERS if get["IRM"] else (get["TargetList"] & 0xFF) << 16
    return Operation(Kind.MMIO, None, True, value | get["INTID"], 0, GICD_BASE + _SGIR, 4, operation.line)


def distributor_access(operation: Operation, vcpu: int) -> Operation:
    """Return what a distributor or redistributor access by vCPU number ``vcpu`` is on GICv2."""
    number, offset = divmod(operation.address - GICR_BASE, GICR_STRIDE)
    if number == vcpu and offset >= _SGI_FRAME:
        return _pend_sgi(operation._replace(address=GICD_BASE + offset - _SGI_FRAME), vcpu)
    offset = operation.address - GICD_BASE
    if _IROUTER <= offset < _IROUTER + 8 * 1020 and offset % 8 == 0:
        place = GICD_BASE + _ITARGETSR + (offset - _IROUTER) // 8
        return operation._replace(address=place, size=1, value=1 << (operation.value & 7))
    return operation


def _pend_sgi(operation: Operation, vcpu: int) -> Operation:
    """Return the write of SPENDSGIR or CPENDSGIR for one of ISPENDR0 or ICPENDR0 that means a single SGI."""
    place = {_ISPENDR: _SPENDSGIR, _ICPENDR: _CPENDSGIR}.get(operation.address - GICD_BASE)
    bits = operation.value
    if place is None or not operation.write or bits.bit_count() != 1 or bits >> 16:
        return operation
    value = 1 << vcpu if place == _SPENDSGIR else 0xFF
    return operation._replace(address=GICD_BASE + place + bits.bit_length() - 1, size=1, value=value)
