"""Parameters of one GICv3 virtual CPU interface, validated.

Source: spec section 0; ICH_VTR_EL2 (spec 1.3) is the architecture's own description of most of them, so
a configuration can be read back from a recorded ICH_VTR_EL2 value (:meth:`GicConfig.from_vtr`).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields, replace

from hw.errors import InputError

__all__ = ["ConfigError", "GicConfig"]


class ConfigError(InputError):
    """A parameter, or a combination of parameters, that no GIC may have. The text names both."""


@dataclass(frozen=True)
class GicConfig:
    """Implementation choices of a virtual CPU interface.

    Parameters
    ----------
    lrs : int, 1..16
        Number of list registers (``NLR``, ICH_VTR_EL2.ListRegs + 1).
    pri_bits : int, 5..8
        Implemented virtual priority bits (``VPRI``, PRIbits + 1). 8 is what QEMU offers beyond the
        architecture's 5..7.
    pre_bits : int, 5..7 and at most ``pri_bits``
        Implemented virtual preemption bits (``VPRE``, PREbits + 1); gives 1, 2 or 4 active-priority words.
    id_bits : int, 16 or 24
        Implemented vINTID bits (``VID``, IDbits).
    tds : bool
        Separate trapping of EL1 writes to ICV_DIR_EL1 (HCR.TDIR) is implemented.
    seis : bool
        Reported in VTR and ICV_CTLR, and makes HCR.TSEI storable. No SError is ever generated.
    a3v : bool
        Non-zero Affinity 3 is supported in SGIs (reported only).
    nv4 : bool
        True: direct injection is *not* supported. False makes HCR.vSGIEOICount a real bit (EOI-12).
    dvim : bool
        HCR.DVIM is implemented; needs ``nv4=False``.
    eoicnt_mode1 : bool
        True counts an unmatched EOIR in EOImode 1 too, as QEMU and KVM's emulation do. The architecture
        says no (EOI-7); the switch exists to show what goes wrong.

    Raises
    ------
    ConfigError
        When a value is out of range or two of them contradict each other.
    """

    lrs: int = 4
    pri_bits: int = 5
    pre_bits: int = 5
    id_bits: int = 16
    tds: bool = True
    seis: bool = False
    a3v: bool = True
    nv4: bool = True
    dvim: bool = False
    eoicnt_mode1: bool = False

    def __post_init__(self) -> None:
        """Refuse what section 0 of the spec does not allow."""
        for name, low, high in (("lrs", 1, 16), ("pri_bits", 5, 8), ("pre_bits", 5, 7)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise ConfigError(f"{name} must be an integer from {low} to {high}, not {value!r}")
        if self.pre_bits > self.pri_bits:
            raise ConfigError(f"pre_bits ({self.pre_bits}) must not exceed pri_bits ({self.pri_bits})")
        if self.id_bits not in (16, 24) or isinstance(self.id_bits, bool):
            raise ConfigError(f"id_bits must be 16 or 24, not {self.id_bits!r}")
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, bool) and not isinstance(value, bool):
                raise ConfigError(f"{field.name} must be True or False, not {value!r}")
        if self.dvim and self.nv4:
            raise ConfigError("dvim needs nv4=False (--no-nv4): there is no injection to mask without it")

    @property
    def pri_mask(self) -> int:
        """Implemented bits of an 8-bit priority (``PMASK``)."""
        return (0xFF << (8 - self.pri_bits)) & 0xFF

    @property
    def min_bpr0(self) -> int:
        """Smallest value of VBPR0 (``MINB0``)."""
        return 7 - self.pre_bits

    @property
    def min_bpr1(self) -> int:
        """Smallest value of VBPR1 (``MINB1``)."""
        return 8 - self.pre_bits

    @property
    def apr_words(self) -> int:
        """Active-priority words per group (``NAPR``): 1, 2 or 4."""
        return 1 << (self.pre_bits - 5)

    @property
    def id_mask(self) -> int:
        """Implemented vINTID bits."""
        return (1 << self.id_bits) - 1

    @functools.cached_property
    def vtr(self) -> int:
        """ICH_VTR_EL2 as this configuration reads (REG-1)."""
        return (
            (self.pri_bits - 1) << 29
            | (self.pre_bits - 1) << 26
            | (1 if self.id_bits == 24 else 0) << 23
            | self.seis << 22
            | self.a3v << 21
            | self.nv4 << 20
            | self.tds << 19
            | self.dvim << 18
            | (self.lrs - 1)
        )

    @classmethod
    def from_vtr(cls, vtr: int, **overrides: object) -> GicConfig:
        """Return the configuration that reads as ``vtr``; ``overrides`` set what VTR does not show.

        Raises
        ------
        ConfigError
            When ``vtr`` has reserved bits set or describes a GIC that cannot exist.
        """
        if not 0 <= vtr < 1 << 32:
            raise ConfigError(f"ICH_VTR_EL2 {vtr:#x} does not fit in 32 bits")
        id_code = vtr >> 23 & 7
        if id_code > 1:
            raise ConfigError(f"ICH_VTR_EL2 {vtr:#x}: IDbits {id_code} is reserved (0: 16, 1: 24)")
        if vtr >> 5 & 0x1FFF:
            raise ConfigError(f"ICH_VTR_EL2 {vtr:#x}: bits [17:5] are RES0")
        try:
            config = cls(
                lrs=(vtr & 0x1F) + 1,
                pri_bits=(vtr >> 29 & 7) + 1,
                pre_bits=(vtr >> 26 & 7) + 1,
                id_bits=24 if id_code else 16,
                seis=bool(vtr >> 22 & 1),
                a3v=bool(vtr >> 21 & 1),
                nv4=bool(vtr >> 20 & 1),
                tds=bool(vtr >> 19 & 1),
                dvim=bool(vtr >> 18 & 1),
            )
        except ConfigError as error:
            raise ConfigError(f"ICH_VTR_EL2 {vtr:#x}: {error}") from None
        return replace(config, **overrides) if overrides else config
