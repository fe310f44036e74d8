"""The golden model: an untimed Python reference of the GICv3 virtual CPU interface.

>>> from hw.config import GicConfig
>>> from hw.registers import lookup
>>> from sim.golden import Golden
>>> from sim.port import Access
>>> golden = Golden(GicConfig())
>>> golden.access(Access(el=1, register=lookup("ICC_IAR1_EL1"))).value
1023
"""

from sim.golden.core import Golden

__all__ = ["Golden"]
