"""The golden model of GICv2: an untimed Python reference of the GICH and GICV frames.

>>> from hw.config_v2 import GicV2Config
>>> from hw.mmio_map import lookup_mmio
>>> from sim.golden_v2 import GoldenV2
>>> from sim.port import Access
>>> golden = GoldenV2(GicV2Config())
>>> golden.access(Access(el=1, register=lookup_mmio("GICV_IAR"))).value
1023
"""

from sim.golden_v2.core import GoldenV2

__all__ = ["GoldenV2"]
