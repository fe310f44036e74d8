"""The first line of a trace: what was recorded, on what."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import Any

from hw.config import ConfigError, GicConfig
from hw.config_v2 import GicV2Config
from sim.trace.fields import Fields

__all__ = ["Meta", "QemuVariant"]


class QemuVariant(enum.Enum):
    """Which QEMU a file says it was recorded on, as far as its behaviour differs (D2, D3, late)."""

    #: No QEMU in the meta: the file is compared strictly.
    NONE = "none"
    #: The file only says QEMU; whether D2 and D3 were repaired shows in the data.
    UNSTATED = "unstated"
    #: As shipped: D2 and D3 present.
    STOCK = "stock"
    #: D2 and D3 repaired.
    FIXED = "fixed"


@dataclass(frozen=True)
class Meta:
    """What the first line of a trace says.

    ``vtr`` is ICH_VTR_EL2 (or GICH_VTR) or None; ``qemu`` the recorder's own words or None; ``kernel``
    and ``scenario`` for the reader's information. ``raw`` is the whole object: injected initial state,
    counts, console.
    """

    vtr: int | None
    qemu: str | None
    machine: str
    kernel: str | None
    scenario: str | None
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, data: dict[str, Any], place: str) -> Meta:
        """Check the ``meta`` object of the line at ``place``.

        Raises
        ------
        InputError
            When a known key has a value of the wrong kind.
        """
        fields = Fields(data, place)

        def maybe_text(key: str) -> str | None:
            return fields.text(key) if key in data else None

        return cls(
            vtr=fields.maybe_number("vtr"),
            qemu=maybe_text("qemu"),
            machine=maybe_text("machine") or "",
            kernel=maybe_text("kernel"),
            scenario=maybe_text("scenario"),
            raw=data,
        )

    @property
    def gic_version(self) -> int:
        """2 when the recorded machine says so, else 3."""
        return 2 if re.search(r"gic-version=2\b", self.machine) else 3

    @property
    def variant(self) -> QemuVariant:
        """Which QEMU the words in ``qemu`` mean.

        A name such as ``qemu11-fix16`` or ``qemu11-late`` is a repaired build, ``qemu11`` and
        ``qemu11-stocklate`` are stock. Any other words, a version banner (``QEMU emulator version ...``)
        included, say nothing about repairs.
        """
        if self.qemu is None:
            return QemuVariant.NONE
        match = re.fullmatch(r"qemu[0-9.]*(?:-(fix|late|stock)[0-9a-z]*)?", self.qemu)
        if match is None:
            return QemuVariant.UNSTATED
        return QemuVariant.FIXED if match.group(1) in ("fix", "late") else QemuVariant.STOCK

    @property
    def late_maintenance(self) -> bool:
        """Whether the recorder says that its maintenance interrupt was made late."""
        return self.qemu is not None and "late" in self.qemu

    def config(self, place: str, generation: int = 3) -> GicConfig | GicV2Config:
        """Return the hardware configuration of a GICv3 or GICv2, from ICH_VTR_EL2 or GICH_VTR alone.

        Raises
        ------
        InputError
            When there is no ``vtr``, or none that a GIC of that generation can have.
        """
        fields = Fields(self.raw, place)
        if self.vtr is None:
            raise fields.fail(
                "meta has no vtr (ICH_VTR_EL2): nothing says which hardware to replay on, and a file of "
                "exceptions alone has no register accesses to replay"
            )
        try:
            return GicV2Config.from_vtr(self.vtr) if generation == 2 else GicConfig.from_vtr(self.vtr)
        except ConfigError as error:
            raise fields.fail(f"meta.vtr: {error}") from None
