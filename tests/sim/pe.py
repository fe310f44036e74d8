"""A golden model with short names, for tests of single rules."""

from __future__ import annotations

from hw.config import GicConfig
from hw.registers import lookup
from sim.deviations import STRICT, Deviations
from sim.golden import Golden
from sim.port import GUEST, Access, Outcome, PeContext, Response

#: The profile of the directed tests.
CONFIG = GicConfig(id_bits=24)


def lr(
    state: str, vintid: int, priority: int, group: int = 1, pintid: int | None = None, eoi: bool = False
) -> int:
    """Compose an ICH_LR<n>_EL2 value; ``pintid`` makes it an HW entry."""
    value = ("I", "P", "A", "PA").index(state) << 62 | group << 60 | priority << 48 | vintid
    if pintid is not None:
        value |= 1 << 61 | pintid << 32
    return value | eoi << 41


class Pe:
    """One PE: ``pe["HCR"]`` is an ICH register at EL2, ``pe.read``/``pe.write`` are the guest's at EL1."""

    def __init__(self, config: GicConfig = CONFIG, deviations: Deviations = STRICT) -> None:
        self.golden = Golden(config, deviations)

    def access(
        self, el: int, name: str, value: int | None = None, context: PeContext = GUEST, rt: int = 0
    ) -> Response:
        """Read, or write when there is a value, a register by its full name."""
        return self.golden.access(Access(el, lookup(name), value is not None, value or 0, rt, context))

    def __getitem__(self, name: str) -> int:
        response = self.access(2, f"ICH_{name}_EL2")
        assert response.outcome is Outcome.OK, name
        return response.value

    def __setitem__(self, name: str, value: int) -> None:
        assert self.access(2, f"ICH_{name}_EL2", value).outcome is Outcome.OK, name

    def read(self, name: str) -> int:
        """Read an ICC register at EL1 as an untrapped guest."""
        response = self.access(1, f"ICC_{name}_EL1")
        assert response.outcome is Outcome.OK, name
        return response.value

    def write(self, name: str, value: int) -> None:
        """Write an ICC register at EL1 as an untrapped guest."""
        assert self.access(1, f"ICC_{name}_EL1", value).outcome is Outcome.OK, name

    @property
    def lines(self) -> str:
        """Asserted virtual lines: "", "irq" or "fiq"."""
        lines = self.golden.lines()
        return "+".join(name for name, level in (("irq", lines.virq), ("fiq", lines.vfiq)) if level)

    def observed(self):
        """Everything an access could change."""
        return self.golden.state(), self.golden.lines(), tuple(self.golden.deactivated)
