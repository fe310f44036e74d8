"""The recorder's model and the architecture's side by side with the hardware that is replayed on.

A recorder may deviate from the architecture (:mod:`sim.deviations`). The hardware does not, unless it is
the golden model itself. So two golden models go along: one that deviates as the recorder does, one that
is strict. Where they agree, the hardware must reproduce what was recorded. Where they part, the deviation
that did it is named, the hardware must do what the strict one does, and then both are brought back to the
recorder's state by register writes, as far as registers can express it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.mmio import MmioRegister
from hw.mmio_map import find_register
from hw.registers import Register
from sim.deviations import STRICT, Deviations
from sim.deviations_v2 import STRICT_V2, DeviationsV2
from sim.engines.golden import GoldenPort, GoldenV2Port, golden_port
from sim.golden import Golden
from sim.golden_v2 import GoldenV2
from sim.port import Access, CpuPort, Response
from sim.replay.report import FileReport
from sim.state_registers import storage_registers

__all__ = ["Twins"]


def _deviating(
    config: GicConfig | GicV2Config, deviations: Deviations | DeviationsV2
) -> GoldenPort | GoldenV2Port:
    """Return a golden engine that deviates; the two must be of one generation."""
    if isinstance(config, GicV2Config) and isinstance(deviations, DeviationsV2):
        return GoldenV2Port(config, deviations)
    if isinstance(config, GicConfig) and isinstance(deviations, Deviations):
        return GoldenPort(config, deviations)
    raise TypeError(f"{deviations} does not fit {config}")


@dataclass
class Twins:
    """One CPU port under replay and what is known about how it should behave.

    Parameters
    ----------
    port : CpuPort
        The hardware.
    deviations : Deviations or DeviationsV2
        What the recorder does differently.

    Attributes
    ----------
    port : CpuPort
        The hardware; a golden model is replaced by one that deviates like the recorder.
    faithful : bool
        The hardware is expected to do all that was recorded.
    recorder, strict : Golden, GoldenV2 or None
        The two models; None when there is no deviation and so nothing to explain.
    """

    port: CpuPort
    deviations: Deviations | DeviationsV2
    faithful: bool = True
    recorder: Golden | GoldenV2 | None = None
    strict: Golden | GoldenV2 | None = None
    _stuck: dict[str, tuple[int, int, set[str]]] = field(default_factory=dict)
    _stored_by: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Make the models."""
        if self.deviations in (STRICT, STRICT_V2):
            return
        config = self.port.config
        self.strict = golden_port(config).golden
        recorder = _deviating(config, self.deviations)
        self.recorder = recorder.golden
        if isinstance(self.port, GoldenPort | GoldenV2Port):
            self.port = recorder
        else:
            self.faithful = False

    @property
    def config(self) -> GicConfig | GicV2Config:
        """Parameters of the hardware."""
        return self.port.config

    async def reset(self) -> None:
        """Reset the hardware and the models."""
        await self.port.reset()
        self._stuck.clear()
        if self.strict is not None and self.recorder is not None:
            self.strict.reset()
            self.recorder.reset()

    async def access(self, access: Access) -> tuple[Response, Response, Response]:
        """Apply an access to all; return the answers of hardware, recorder and architecture."""
        response = await self.port.access(access)
        if self.strict is None or self.recorder is None:
            return response, response, response
        recorder = response if self.faithful else self.recorder.access(access)
        self._stored_by = set(self.recorder.effects)
        return response, recorder, self.strict.access(access)

    @property
    def residue(self) -> set[str]:
        """Deviations behind storage that still differs between the two models."""
        return {name for _, _, names in self._stuck.values() for name in names}

    @property
    def newest(self) -> set[str]:
        """Deviations that took effect in the last access, or else those still behind different storage."""
        return set(self.recorder.effects if self.recorder is not None else ()) or self.residue

    @property
    def parted(self) -> bool:
        """Whether the last access made the two models store different things."""
        return bool(self._stored_by) and self.recorder.stored != self.strict.stored

    @property
    def agree(self) -> bool:
        """Whether the two models hold the same and no deviation took effect: all they show is equal."""
        one, two = self.recorder, self.strict
        return one is None or two is None or (not one.effects and one.stored == two.stored)

    async def resynchronise(self, report: FileReport) -> None:
        """Bring the strict model and the hardware to the recorder's state, as far as registers can.

        Call it after :meth:`access` when the two models have parted. What cannot be stored (bits that do
        not exist) is remembered in ``residue`` with the deviation that stored it.
        """
        assert self.strict is not None and self.recorder is not None
        names = self._stored_by or self.residue
        target = storage_registers(self.config, self.recorder.state())
        wrote, stuck = False, False
        for name, before in storage_registers(self.config, self.strict.state()).items():
            value = target[name]
            if value == before:
                self._stuck.pop(name, None)
                continue
            known = self._stuck.get(name)
            if known is not None and known[:2] == (value, before):
                continue
            register = find_register(name)
            after = self._write_strict(register, value)
            if after != before:
                wrote = True
                if not self.faithful:
                    await self.port.access(Access(2, register, True, value))
            if after == value:
                self._stuck.pop(name, None)
            else:
                # Bits that were stuck before keep their names.
                still = known is not None and (known[0] ^ known[1]) == (value ^ after)
                self._stuck[name] = (value, after, known[2] if known is not None and still else names)
                stuck |= not still
        for name in names:
            report.explain(name).resynchronised += wrote
            report.explain(name).cut += stuck

    def _write_strict(self, register: Register | MmioRegister, value: int) -> int:
        assert self.strict is not None
        self.strict.access(Access(2, register, True, value))
        return self.strict.access(Access(2, register)).value
