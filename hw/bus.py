"""The internal bus: accesses to the memory-mapped frames, one at a time.

Every frame (GICH, GICV, GICC, GICD, GICR) answers on this bus; a wrapper such as :mod:`hw.apb` turns it into
a standard one. An access is told by its size, so a value is as software sees it whatever the byte lanes of
the outer bus are: bit 0 of ``data`` is bit 0 of the byte, halfword, word or doubleword at ``offset``.
"""

from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["OFFSET_BITS", "BusFrame", "BusRequest", "BusResponse", "BusSignature", "Size"]

#: Width of an offset: the redistributors of eight PEs, 128 KiB each, are the largest frame.
OFFSET_BITS = 20


class BusFrame(enum.Enum, shape=3):
    """Which memory-mapped block an access reaches."""

    #: Virtual interface control, for the hypervisor (GICv2).
    GICH = 0
    #: Virtual CPU interface, for the guest (GICv2).
    GICV = 1
    #: Physical CPU interface (GICv2).
    GICC = 2
    #: Distributor.
    GICD = 3
    #: Redistributors, one after another.
    GICR = 4
    #: System registers of one PE as memory (:mod:`hw.sysreg_window`).
    SYSREG = 5


class Size(enum.Enum, shape=2):
    """Bytes of an access as a power of two."""

    BYTE = 0
    HALF = 1
    WORD = 2
    DOUBLE = 3


class BusRequest(data.Struct):
    """One access: ``offset`` in bytes from the start of ``frame``; ``data`` of a write, right-aligned."""

    frame: BusFrame
    offset: OFFSET_BITS
    size: Size
    write: 1
    data: 64


class BusResponse(data.Struct):
    """Answer: ``data`` of a read, right-aligned (0 for a write).

    ``error``: the offset is not mapped, not aligned to the size, or the register has no access of that
    size. Such an access changes nothing and reads 0.
    """

    error: 1
    data: 64


class BusSignature(wiring.Signature):
    """The bus from the initiator's side.

    Members
    -------
    request : Out(stream.Signature(BusRequest))
        An access; taken in a cycle with ``valid`` and ``ready``. A read may be destructive (IAR-8).
    response : In(Signature: valid, payload)
        ``valid`` for one cycle, once for every access and before the next one is taken. It cannot be held
        off, so it has no ``ready``. Each component states its latency.
    """

    def __init__(self):
        super().__init__({
            "request": Out(stream.Signature(BusRequest)),
            "response": In(wiring.Signature({"valid": Out(1), "payload": Out(BusResponse)})),
        })  # fmt: skip

    def __eq__(self, other):
        return type(self) is type(other)

    def __repr__(self):
        return "BusSignature()"
