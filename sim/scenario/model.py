"""What a scenario file says, as data."""

from __future__ import annotations

from dataclasses import dataclass, field

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from sim.guest.aarch64_image import Aarch64Program
from sim.guest.language import Where
from sim.guest.program import Instruction, Program
from sim.machine.latency import IMMEDIATE, Latency
from sim.notation import ANY_ENTRY, EntryPattern

__all__ = [
    "Abort",
    "Discard",
    "Enter",
    "ExpectAll",
    "ExpectEntry",
    "ExpectExits",
    "ExpectHardware",
    "ExpectList",
    "ExpectState",
    "ExpectVerdict",
    "GuestStep",
    "Hammer",
    "Inject",
    "Interrupt",
    "MachineSpec",
    "Maintenance",
    "Physical",
    "Probe",
    "Run",
    "Scenario",
    "SetLine",
    "Step",
    "Steps",
    "UserStep",
]


@dataclass
class MachineSpec:
    """The machine of a scenario.

    ``mi``: how late the exit of a maintenance interrupt is; SLOW: only at ``MI!``. ``kick``: the same for
    kicks. ``pmr``, ``eoimode``, ``group0`` and ``group1``: what the guest has already programmed, and the
    hypervisor already knows. ``vgic`` False: no in-kernel interrupt controller. ``guest``: 2 for a GICv2
    guest on GICv3; on GICv2 it has no other choice. ``fiq``: a GICv2 guest takes Group 0 as FIQ.
    """

    config: GicConfig | GicV2Config = field(default_factory=GicConfig)
    vcpus: int = 1
    pcpus: int = 0
    mi: Latency = IMMEDIATE
    kick: Latency = IMMEDIATE
    eoimode: int = 0
    pmr: int = 0xF8
    group0: bool = False
    group1: bool = True
    spis: int = 96
    vgic: bool = True
    guest: int = 3
    fiq: bool = False
    host: tuple[tuple[str, bool], ...] = ()

    @property
    def gicv2_guest(self) -> bool:
        """Whether the guest has a GICv2."""
        return self.guest == 2 or isinstance(self.config, GicV2Config)


@dataclass(frozen=True)
class Interrupt:
    """One interrupt of a scenario, as configured before the first step.

    ``vcpu`` is the target of an SPI or LPI; for an SGI or PPI the settings hold on every vCPU. ``hw``
    is the physical INTID it is mapped to. ``resample``: its device lowers the line when notified. ``timer``:
    period of a :class:`sim.machine.timer.Timer` behind it.
    """

    intid: int
    priority: int
    level: bool
    group: int = 1
    enabled: bool = True
    vcpu: int = 0
    hw: int | None = None
    resample: bool = False
    timer: int | None = None


@dataclass(frozen=True)
class _Base:
    """``where``: its line; ``text``: the line; ``only``: profiles it is meant for, () for all."""

    where: Where
    text: str
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class GuestStep(_Base):
    """Instructions of the guest language, executed by ``vcpu``. ``sleeps``: what a WFI must do."""

    vcpu: int = 0
    instructions: tuple[Instruction, ...] = ()
    sleeps: bool | None = None


@dataclass(frozen=True)
class Enter(_Base):
    """Let vCPUs enter their guest."""

    vcpus: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Abort(_Base):
    """An entry given up after flush."""

    vcpu: int = 0


@dataclass(frozen=True)
class Maintenance(_Base):
    """The maintenance interrupt is taken now."""

    vcpu: int = 0


@dataclass(frozen=True)
class Inject(_Base):
    """A rising edge from a device, or an MSI."""

    intids: tuple[int, ...] = ()
    vcpu: int = 0


@dataclass(frozen=True)
class SetLine(_Base):
    """A device sets the level of an interrupt line."""

    intid: int = 0
    level: bool = False
    vcpu: int = 0


@dataclass(frozen=True)
class Physical(_Base):
    """The physical interrupt's line or active state is set (None: unchanged)."""

    intid: int = 0
    line: bool | None = None
    active: bool | None = None


@dataclass(frozen=True)
class UserStep(_Base):
    """The virtual machine monitor writes a distributor register from outside."""

    instructions: tuple[Instruction, ...] = ()


@dataclass(frozen=True)
class Run(_Base):
    """Let the guest programs run under the scheduler; ``operations`` 0: to their end."""

    operations: int = 0


@dataclass(frozen=True)
class Hammer(_Base):
    """During the next RUN inject randomly chosen interrupts, ``times`` in all."""

    intids: tuple[int, ...] = ()
    times: int = 0


@dataclass(frozen=True)
class Discard(_Base):
    """The ITS unmaps LPIs: the mapping's reference goes."""

    intids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Probe(_Base):
    """The kernel looks for TDIR on a host: ``settings`` of :class:`sim.kvm.host.Host`, then the answer.

    ``found``: ICV_DIR_EL1 can be trapped alone; ``traps``: the constant trap bits.
    """

    settings: tuple[tuple[str, bool], ...] = ()
    found: bool = False
    traps: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExpectEntry(_Base):
    """``E:`` what the last entry put into the hardware."""

    vcpu: int = 0
    pattern: EntryPattern = ANY_ENTRY


@dataclass(frozen=True)
class ExpectExits(_Base):
    """``X:`` the exits since the last step; each is a set of causes. ``absent`` must not be among them."""

    vcpu: int = 0
    exits: tuple[frozenset[str], ...] = ()
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ExpectState(_Base):
    """``S:`` after the last sync and exit handler, ``F:`` after the last flush: ``items`` about memory."""

    vcpu: int = 0
    after: str = "S"
    items: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class ExpectHardware(_Base):
    """``H:`` the virtual CPU interface now; ``P:`` the physical interrupts now."""

    vcpu: int = 0
    items: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class ExpectList(_Base):
    """``D:`` software deactivations or ``N:`` resample notifications since the last such line."""

    what: str = "D"
    intids: tuple[int, ...] = ()


@dataclass(frozen=True)
class ExpectAll(_Base):
    """``A:`` over all entries and exits so far: bits seen set (``!``: never), and the highest EOIcount."""

    vcpu: int = 0
    bits: tuple[str, ...] = ()
    eoicount: int | None = None


@dataclass(frozen=True)
class ExpectVerdict(_Base):
    """``V:`` how the last RUN, or the last step, ended."""

    verdict: str = ""


Step = _Base


@dataclass(frozen=True)
class Steps:
    """One sequence of steps, the profiles it holds for and its machine."""

    profiles: tuple[str, ...]
    steps: tuple[Step, ...]
    where: Where
    title: str = ""
    machine: MachineSpec = field(default_factory=MachineSpec)


@dataclass
class Scenario:
    """A scenario file. ``open_reason``: why it cannot run with this build, None if it can."""

    file: str
    name: str = ""
    title: str = ""
    origin: str = ""
    open_reason: str | None = None
    machine: MachineSpec = field(default_factory=MachineSpec)
    interrupts: list[Interrupt] = field(default_factory=list)
    guests: dict[int, Program | Aarch64Program] = field(default_factory=dict)
    sequences: list[Steps] = field(default_factory=list)
