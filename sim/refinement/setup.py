"""What a refinement run works with: the machine and its interrupts."""

from __future__ import annotations

import random
from dataclasses import dataclass

from hw.config import GicConfig
from sim.machine.latency import Latency
from sim.machine.parts import Part, part_named
from sim.refinement.actions import PRIORITIES
from sim.scenario.model import Interrupt, MachineSpec

__all__ = ["HW_PPI", "Setup", "random_setup"]

#: The mapped level PPI (a timer) of vCPU 0.
HW_PPI = 27


@dataclass(frozen=True)
class Setup:
    """One machine.

    Parameters
    ----------
    lrs : int, 1..16
        List registers.
    vcpus : int, 1 to 3
        vCPUs.
    pcpus : int
        Physical CPUs, 0 for as many as vCPUs. With fewer a vCPU that acts is scheduled in first.
    eoimode : int
        0 or 1, for all vCPUs; wide runs switch it.
    latency : int
        Guest operations until a maintenance interrupt or kick takes effect.
    trouble : bool
        Also do what leads into the known exceptions: rewrite priorities and groups of active interrupts,
        lower lines and change the distributor behind a running vCPU's back, trap registers, and so on.
    trapped : bool
        The host traps the registers of both groups, and hyp emulates them.
    profile : str
        The kernel's behaviour.
    interrupts : tuple of Interrupt
        The interrupts.
    part : str
        A part of :mod:`sim.machine.parts` in place of ``lrs``; empty: an ordinary GICv3.
    strict : bool
        No exception is known: every difference is a finding, and so is every hole of an invariant.
    """

    lrs: int = 2
    vcpus: int = 1
    eoimode: int = 0
    latency: int = 0
    trouble: bool = False
    profile: str = "7.3"
    interrupts: tuple[Interrupt, ...] = ()
    strict: bool = False
    part: str = ""
    pcpus: int = 0
    trapped: bool = False

    @property
    def spec(self) -> MachineSpec:
        """The same as the machine of a scenario; both groups are on."""
        latency = Latency(self.latency)
        part = part_named(self.part) if self.part else Part("", "", GicConfig(lrs=self.lrs))
        traps = (("group0_trap", True), ("group1_trap", True)) if self.trapped else ()
        return MachineSpec(
            part.config,
            self.vcpus,
            self.pcpus,
            mi=latency,
            kick=latency,
            eoimode=self.eoimode,
            group0=True,
            fiq=True,
            host=(*part.host, *traps),
        )

    def __str__(self) -> str:
        flags = "".join(f", {name}" for name in ("trouble", "trapped") if getattr(self, name))
        lrs = self.part or f"{self.lrs} LRs"
        head = (
            f"profile {self.profile}, {lrs}, {self.vcpus} vCPUs on {self.pcpus or self.vcpus} CPUs, "
            f"EOImode {self.eoimode}, latency {self.latency}{flags}"
        )
        lines = []
        for one in self.interrupts:
            kind = "level" if one.level else "edge"
            extra = f" hw {one.hw}" if one.hw is not None else ""
            extra += " resample" if one.resample else ""
            text = f"{one.intid} prio {one.priority:02x} group {one.group} {kind} vcpu {one.vcpu}{extra}"
            lines.append(text)
        return "\n".join([head, *(f"  {line}" for line in lines)])


def random_setup(
    generator: random.Random,
    latency: int = 0,
    profile: str = "7.3",
    trouble: bool | None = None,
    wide: bool = False,
) -> Setup:
    """Draw a machine with up to 14 interrupts of all kinds; ``wide``: with up to three vCPUs."""
    vcpus = generator.choice((1, 1, 2, 2, 3) if wide else (1, 1, 2))
    interrupts: list[Interrupt] = []

    def add(intid: int, level: bool = False, **settings: object) -> None:
        priority = generator.choice(PRIORITIES)
        group = settings.pop("group", None)
        group = generator.choice((0, 1, 1)) if group is None else group
        interrupts.append(Interrupt(intid, priority, level, group, **settings))

    spis = generator.choice((0, 2, 3, 4, 5, 6))
    for intid in range(32, 32 + spis):
        add(intid, generator.random() < 0.35, vcpu=generator.randrange(vcpus))
    for intid in range(16, 16 + generator.randrange(3) + (0 if spis else 3)):
        add(intid, True)
    for intid in range(generator.randrange(4)):
        add(intid)
    for intid in range(8192, 8192 + generator.randrange(4)):
        add(intid, group=1, vcpu=generator.randrange(vcpus))
    if generator.random() < 0.4:
        add(HW_PPI, True, hw=HW_PPI)
    if generator.random() < 0.2:
        add(40, True, hw=40, vcpu=generator.randrange(vcpus))
    trouble = generator.random() < 0.3 if trouble is None else trouble
    if trouble and generator.random() < 0.3:
        add(41, True, resample=True, vcpu=generator.randrange(vcpus))
    lrs = generator.choice((1, 2, 2, 2, 3, 3, 4))
    eoimode = generator.randrange(2)
    aside = random.Random(str(interrupts))  # so that the actions drawn next do not depend on it
    pcpus = 1 if aside.random() < 0.2 else 0
    trapped = trouble and aside.random() < 0.25
    return Setup(
        lrs, vcpus, eoimode, latency, trouble, profile, tuple(interrupts), pcpus=pcpus, trapped=trapped
    )
