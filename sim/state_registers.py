"""Which registers hold a :class:`sim.port.State`, for each generation of the virtual CPU interface."""

from __future__ import annotations

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from sim.port import State

__all__ = ["HCR", "state_registers", "storage_registers"]

#: Name of the hypervisor control register by the type of the configuration.
HCR = {GicConfig: "ICH_HCR_EL2", GicV2Config: "GICH_HCR"}
_WORD = 0xFFFF_FFFF


def storage_registers(config: GicConfig | GicV2Config, state: State) -> dict[str, int]:
    """Return the writable registers of the hypervisor's side by name: all that is stored."""
    if isinstance(config, GicV2Config):
        parts = {"GICH_HCR": state.hcr, "GICH_VMCR": state.vmcr}
        if state.ap0r:
            parts["GICH_APR"] = state.ap0r[0]
        return parts | {f"GICH_LR{n}": lr for n, lr in enumerate(state.lr)}
    parts = {"ICH_HCR_EL2": state.hcr, "ICH_VMCR_EL2": state.vmcr}
    for group, words in ((0, state.ap0r), (1, state.ap1r)):
        parts |= {f"ICH_AP{group}R{n}_EL2": word for n, word in enumerate(words)}
    return parts | {f"ICH_LR{n}_EL2": lr for n, lr in enumerate(state.lr)}


def state_registers(config: GicConfig | GicV2Config, state: State) -> dict[str, int]:
    """Return the whole state by register name, computed status included."""
    if isinstance(config, GicV2Config):
        status = {
            "GICH_MISR": state.misr,
            "GICH_EISR0": state.eisr & _WORD,
            "GICH_EISR1": state.eisr >> 32,
            "GICH_ELRSR0": state.elrsr & _WORD,
            "GICH_ELRSR1": state.elrsr >> 32,
        }
    else:
        status = {"ICH_MISR_EL2": state.misr, "ICH_EISR_EL2": state.eisr, "ICH_ELRSR_EL2": state.elrsr}
    storage = storage_registers(config, state)
    controls = dict(list(storage.items())[:2])
    return controls | status | storage
