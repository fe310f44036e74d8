"""The golden model of the physical side: ICC or GICC interfaces, distributor and redistributors.

The rules are numbered in :mod:`hw.distributor_rules`; the gateware is written from the same list and
never from this package.

>>> from hw.config import GicConfig
>>> from hw.config_physical import PhysicalConfig
>>> from sim.port import run
>>> system = GoldenSystem(GicConfig(), PhysicalConfig(), pes=2)
>>> run(system.ports[1].lines()).irq
False
"""

from sim.golden_physical.system import GoldenSystem

__all__ = ["GoldenSystem"]
