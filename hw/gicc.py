"""The GICC frame: the GICv2 face of the physical CPU interface (GICC-1..7)."""

from amaranth.hdl import Cat, Module, Mux
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.bus import BusFrame, BusRequest, Size
from hw.config_physical import PhysicalConfig
from hw.decode import PhysicalAccess, Target
from hw.mmio import WORD, Frame
from hw.mmio_map import lookup_mmio
from hw.operations import SPURIOUS
from hw.physical_interface import PhysicalCpuInterface
from hw.registers_v2 import REGISTERS_V2

__all__ = ["DecodedGicc", "GiccDecoder", "GiccInterface"]

#: Names, without GICC_, whose target has another name; the others have the same.
_RENAMED = {
    "BPR": Target.BPR0,
    "ABPR": Target.BPR1,
    "IAR": Target.IAR0,
    "AIAR": Target.IAR1,
    "EOIR": Target.EOIR0,
    "AEOIR": Target.EOIR1,
    "HPPIR": Target.HPPIR0,
    "AHPPIR": Target.HPPIR1,
    "APR": Target.AP0R,
    "NSAPR": Target.AP1R,
}
#: INTID of "a Group 1 interrupt, and AckCtl is 0" (GICC-2).
_GROUP1_HIDDEN = 1022
#: Width of the INTID operand of EOIR and DIR (GICC-4).
_OPERAND_BITS = 10


class DecodedGicc(data.Struct):
    """What the register table says of an access to GICC.

    ``error``: nothing is mapped there, or not with that size and alignment (DIST-30). ``executes``: the
    register exists in this build and the direction is allowed; else the access reads 0 or is ignored
    (DIST-31, DIST-32).
    """

    error: 1
    executes: 1
    access: PhysicalAccess


class GiccDecoder(wiring.Component):
    """Look an access up in the register table; combinational.

    Parameters
    ----------
    config : PhysicalConfig
        Decides which active-priority words exist.

    Members
    -------
    request : In(BusRequest)
        An access to GICC.
    decoded : Out(DecodedGicc)
        Its entry.
    """

    def __init__(self, config: PhysicalConfig):
        self._config = config
        super().__init__({"request": In(BusRequest), "decoded": Out(DecodedGicc)})

    def elaborate(self, platform):
        m = Module()
        request, decoded = self.request, self.decoded
        m.d.comb += [
            decoded.error.eq(1),
            decoded.access.write.eq(request.write),
            decoded.access.value.eq(request.data[:32]),
        ]
        aligned = (request.size == Size.WORD) & (request.offset[:2] == 0)
        with m.If((request.frame == BusFrame.GICC) & aligned), m.Switch(request.offset[2:]):
            for register in REGISTERS_V2:
                if register.frame is not Frame.GICC:
                    continue
                assert register.sizes == WORD and register.width == 32
                name = register.name.removeprefix("GICC_").rstrip("0123456789")
                with m.Case(register.offset >> 2):
                    m.d.comb += [
                        decoded.error.eq(0),
                        decoded.access.target.eq(_RENAMED[name] if name in _RENAMED else Target[name]),
                        decoded.access.index.eq(register.index),
                    ]
                    if register.exists(self._config):
                        allowed = Mux(request.write, int(register.writable), int(register.readable))
                        m.d.comb += decoded.executes.eq(allowed)
        return m


class GiccInterface(PhysicalCpuInterface):
    """GICC storage and operations; members and latency are those of the class it extends.

    IAR0, EOIR0 and HPPIR0 are GICC_IAR, EOIR and HPPIR, which serve Group 1 too while AckCtl is 1; the ones
    of Group 1 are AIAR, AEOIR and AHPPIR.

    Parameters
    ----------
    config : PhysicalConfig
        Priority bits and the INTIDs of the distributor; ``are`` must be False.
    """

    def _is_fiq(self, group):
        return ~group & self._control.value.fiqen  # GICC-5

    def _ctlr(self):
        """Return what GICC_CTLR reads (GICC-1)."""
        stored, register = self._control.value, lookup_mmio("GICC_CTLR")
        bits = {
            "EnableGrp0": stored.igrpen[0],
            "EnableGrp1": stored.igrpen[1],
            "AckCtl": stored.ackctl,
            "FIQEn": stored.fiqen,
            "CBPR": stored.cbpr,
            "EOImode": stored.eoimode,
        }
        value = 0
        for name, bit in bits.items():
            value |= bit << register.field(name).lsb
        return value

    def _told(self, interrupt):
        return Cat(interrupt.intid, interrupt.source)  # DIST-26

    def _more_values(self):
        """Return what GICC reads otherwise (GICC-2, GICC-3)."""
        offer, ackctl = self._offer, self._control.value.ackctl
        hidden = offer.group & ~ackctl
        return {
            Target.IAR0: Mux(self._signalled & hidden, _GROUP1_HIDDEN, SPURIOUS),
            Target.HPPIR0: Mux(offer.valid, Mux(hidden, _GROUP1_HIDDEN, self._told(offer)), SPURIOUS),
            Target.IIDR: lookup_mmio("GICC_IIDR").reset_value(self.config),
        }

    def _operand(self):
        return self._request.value[:_OPERAND_BITS]

    def _serves(self, group):
        if group:
            return self._offer.group  # GICC-3
        return ~self._offer.group | self._control.value.ackctl  # GICC-2

    def _ends(self, group):
        if group:
            return ~self._active.running.group0
        return self._active.running.group0 | self._control.value.ackctl  # GICC-4
