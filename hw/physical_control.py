"""Storage of the physical CPU interface's controls: PMR, BPRn, CTLR and IGRPENn (PHY-8, PHY-13, PHY-14)."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.binary_point import at_least
from hw.config_physical import PhysicalConfig
from hw.decode import Target
from hw.layouts import layout_of

__all__ = ["PhysicalControl", "PhysicalControls"]


class PhysicalControls(data.Struct):
    """The stored controls; ``igrpen`` bit n is ICC_IGRPENn_EL1. AckCtl and FIQEn are a GICv2's."""

    pmr: 8
    bpr0: 3
    bpr1: 3
    cbpr: 1
    eoimode: 1
    igrpen: 2
    ackctl: 1
    fiqen: 1


class PhysicalControl(wiring.Component):
    """The controls of one PE.

    Parameters
    ----------
    config : PhysicalConfig
        Priority bits and binary-point minimums.

    Members
    -------
    write : In(1)
        Store ``write_data`` in the register ``target`` names, if it lives here.
    target, write_data : In
        A register and the operand.
    value : Out(PhysicalControls)
        Storage.
    mask0, mask1 : Out(8)
        Group-priority masks (SIG-5), one cycle after storage.
    bpr1 : Out(3)
        What ICC_BPR1_EL1 reads (PHY-8).
    """

    def __init__(self, config: PhysicalConfig):
        self._config = config
        super().__init__({
            "write": In(1),
            "target": In(Target),
            "write_data": In(32),
            "value": Out(PhysicalControls),
            "mask0": Out(8),
            "mask1": Out(8),
            "bpr1": Out(3),
        })  # fmt: skip

    def elaborate(self, platform):
        m = Module()
        config, operand = self._config, self.write_data
        bpr0_min, bpr1_min = config.min_bpr0, config.min_bpr1
        reset = {"bpr0": bpr0_min, "bpr1": bpr1_min}
        stored = Signal(PhysicalControls, init=reset)
        control = layout_of("ICC_CTLR_EL1" if config.are else "GICC_CTLR")(operand)
        m.d.comb += self.value.eq(stored)

        with m.If(self.write), m.Switch(self.target):
            with m.Case(Target.PMR):
                m.d.sync += stored.pmr.eq(operand & config.pri_mask)
            with m.Case(Target.BPR0):
                m.d.sync += stored.bpr0.eq(at_least(operand[:3], bpr0_min))
            with m.Case(Target.BPR1), m.If(~stored.cbpr):
                m.d.sync += stored.bpr1.eq(at_least(operand[:3], bpr1_min))
            with m.Case(Target.CTLR):
                m.d.sync += [stored.cbpr.eq(control.CBPR), stored.eoimode.eq(control.EOImode)]
                if not config.are:  # GICC-1
                    m.d.sync += [
                        stored.igrpen.eq(Cat(control.EnableGrp0, control.EnableGrp1)),
                        stored.ackctl.eq(control.AckCtl),
                        stored.fiqen.eq(control.FIQEn),
                    ]
            with m.Case(Target.IGRPEN0):
                m.d.sync += stored.igrpen[0].eq(operand[0])
            with m.Case(Target.IGRPEN1):
                m.d.sync += stored.igrpen[1].eq(operand[0])

        shared = Mux(stored.bpr0 == 7, 7, (stored.bpr0 + 1)[:3])
        m.d.comb += self.bpr1.eq(Mux(stored.cbpr, shared, stored.bpr1))
        masks0 = Array(0xFF << (point + 1) & 0xFF for point in range(8))
        masks1 = Array(0xFF << point & 0xFF for point in range(8))
        m.d.sync += [
            self.mask0.eq(masks0[stored.bpr0]),
            self.mask1.eq(Mux(stored.cbpr, masks0[stored.bpr0], masks1[stored.bpr1])),
        ]
        return m
