"""A guest on golden under the vgic, driven one operation at a time by the tests of sim/kvm."""

from __future__ import annotations

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.registers import BY_NAME
from sim.engines.golden import GoldenPort, GoldenV2Port
from sim.guest.operation import Kind, Operation
from sim.kvm.host import Host
from sim.kvm.inject import kvm_vgic_inject_irq
from sim.kvm.irq import Config, VgicModel
from sim.kvm.lpi import vgic_add_lpi, vgic_enable_lpis, vgic_its_trigger_msi
from sim.kvm.lr import vgic_get_vcpu_irq
from sim.kvm.profile import PROFILES, Profile
from sim.kvm.vm import Vm
from sim.machine.hardware import hardware_state
from sim.machine.latency import IMMEDIATE, SLOW
from sim.machine.machine import Machine
from sim.machine.physical import PhysicalInterrupts
from sim.port import Access, Response, run

GICD = 0x0800_0000
GICR = 0x080A_0000


class _Counting:
    """A record of the hypervisor's accesses: ("w", "HCR", value), ("r", "LR0", value) ..."""

    def __init__(self, config: GicConfig | GicV2Config) -> None:
        super().__init__(config)
        self.accesses: list[tuple[str, str, int]] = []

    async def access(self, access: Access) -> Response:
        """Execute and note."""
        response = await super().access(access)
        if access.el == 2:
            name = access.register.name.removeprefix("ICH_").removeprefix("GICH_").removesuffix("_EL2")
            value = access.value if access.write else response.value
            self.accesses.append(("w" if access.write else "r", name, value))
        return response


class CountingPort(_Counting, GoldenPort):
    """Golden, with that record."""


class CountingV2Port(_Counting, GoldenV2Port):
    """Golden of GICv2, with that record."""


class Rig:
    """vCPUs in their guests. SPIs are edge, group 1, enabled, priority 0xA0; group 1 is on, PMR 0xF8."""

    def __init__(
        self,
        profile: Profile = PROFILES["7.3"],
        lrs: int = 4,
        vcpus: int = 1,
        *,
        slow: bool = False,
        eoimode: int = 0,
        tds: bool = True,
        igrpen0: bool = False,
        enter: bool = True,
        irqchip: bool = True,
        protected: bool = False,
        guest: VgicModel = VgicModel.V3,
        gicv2: bool = False,
        **host: bool,
    ) -> None:
        config = GicV2Config(lrs=lrs) if gicv2 else GicConfig(lrs=lrs, tds=tds, nv4=False)
        self.vm = Vm(
            Host(config, irqs=PhysicalInterrupts(), **host),
            profile,
            vcpus,
            irqchip_in_kernel=irqchip,
            protected=protected,
            vgic_model=guest,
        )
        self.vm.dist.enabled = True
        for irq in [*self.vm.dist.spis, *(irq for vcpu in self.vm.vcpus for irq in vcpu.private_irqs)]:
            irq.enabled, irq.priority, irq.group = True, 0xA0, 1
        port = CountingV2Port if gicv2 else CountingPort
        self.ports = [port(config) for _ in range(vcpus)]
        self.machine = Machine(self.ports, self.vm, mi_latency=SLOW if slow else IMMEDIATE)
        if enter:
            for vcpu in range(vcpus):
                run(self.machine.enter(self.machine.runners[vcpu]))
                self.write("PMR", 0xF8, vcpu)
                self.write("CTLR", eoimode << 1, vcpu)
                self.write("IGRPEN1", 1, vcpu)
                self.write("IGRPEN0", int(igrpen0), vcpu)
                self.exit(vcpu)

    # -- the guest -------------------------------------------------------------------------------------

    def operate(self, operation: Operation, vcpu: int = 0) -> tuple[int, int]:
        """Execute one operation; return the value read and ESR of a fault."""
        return run(self.machine.operate(self.machine.runners[vcpu], operation))

    def read(self, name: str, vcpu: int = 0) -> int:
        """Read ICC_<name>_EL1."""
        return self.operate(Operation(Kind.SYSREG, BY_NAME[f"ICC_{name}_EL1"]), vcpu)[0]

    def fault(self, name: str, vcpu: int = 0) -> int:
        """Read a register and return ESR of the fault, 0 if there is none."""
        return self.operate(Operation(Kind.SYSREG, BY_NAME[f"ICC_{name}_EL1"]), vcpu)[1]

    def write(self, name: str, value: int, vcpu: int = 0) -> None:
        """Write ICC_<name>_EL1."""
        self.operate(Operation(Kind.SYSREG, BY_NAME[f"ICC_{name}_EL1"], True, value), vcpu)

    def iar(self, vcpu: int = 0) -> int:
        """Acknowledge in group 1."""
        return self.read("IAR1", vcpu)

    def eoi(self, *intids: int, vcpu: int = 0) -> None:
        """End interrupts of group 1, in this order."""
        for intid in intids:
            self.write("EOIR1", intid, vcpu)

    def dir(self, intid: int, vcpu: int = 0) -> None:
        """Deactivate."""
        self.write("DIR", intid, vcpu)

    def exit(self, vcpu: int = 0) -> None:
        """Exit for an unrelated reason, and enter again."""
        self.operate(Operation(Kind.EXIT), vcpu)

    def mmio(self, address: int, value: int | None = None, size: int = 4, vcpu: int = 0) -> int:
        """Write ``value``, or read if there is none."""
        write = value is not None
        return self.operate(
            Operation(Kind.MMIO, write=write, value=value or 0, address=address, size=size), vcpu
        )[0]

    # -- devices and the host --------------------------------------------------------------------------

    def irq(self, intid: int, vcpu: int = 0):
        """Return an interrupt as a vCPU sees it."""
        return vgic_get_vcpu_irq(self.vm.vcpus[vcpu], intid)

    def setup(self, intid: int, priority: int = 0xA0, vcpu: int = 0, **fields) -> None:
        """Set fields of an interrupt; an LPI is mapped first."""
        if intid >= 8192:
            vgic_enable_lpis(self.vm.vcpus[vcpu])
            vgic_add_lpi(self.vm.vcpus[vcpu], intid, priority)
        irq = self.irq(intid, vcpu)
        irq.priority = priority
        for name, value in fields.items():
            setattr(irq, name, value)

    def inj(self, *intids: int, vcpu: int = 0) -> None:
        """Pulse edge interrupts."""
        for intid in intids:
            if intid >= 8192:
                vgic_its_trigger_msi(self.vm, intid)
            else:
                kvm_vgic_inject_irq(self.vm, self.vm.vcpus[vcpu] if intid < 32 else None, intid, True)
            self._settle()

    def line(self, intid: int, level: bool, vcpu: int = 0) -> None:
        """Set the line of a level interrupt."""
        kvm_vgic_inject_irq(self.vm, self.vm.vcpus[vcpu] if intid < 32 else None, intid, level)
        self._settle()

    def map(self, intid: int, vcpu: int = 0) -> None:
        """Map an interrupt to the physical one of its number."""
        self.machine.physical.map(self.vm.vcpus[vcpu], intid, intid)

    def phys(self, intid: int, level: bool) -> None:
        """Set a physical line; the host takes it and injects."""
        self.machine.physical.set_line(intid, level)
        self._settle()

    def nest(self, *intids: int) -> None:
        """Inject and acknowledge, one inside the other."""
        for intid in intids:
            if self.irq(intid).config is Config.LEVEL:
                self.line(intid, True)
            else:
                self.inj(intid)
            assert self.iar() == intid, f"IAR does not give {intid}"

    def mi(self, vcpu: int = 0) -> bool:
        """Take a slow maintenance interrupt now."""
        return run(self.machine.maintenance(self.machine.runners[vcpu]))

    def _settle(self) -> None:
        self.machine.stimulate()
        run(self.machine.settle())

    # -- what there is to see --------------------------------------------------------------------------

    def state(self, vcpu: int = 0):
        """Return the hardware's state, in the layout of GICv3."""
        return run(hardware_state(self.ports[vcpu]))

    def lrs(self, vcpu: int = 0) -> list[int]:
        """INTIDs in the hardware's list registers, in order; 0 for an empty one."""
        return [lr & 0xFFFF_FFFF if lr >> 62 else 0 for lr in self.state(vcpu).lr]

    def hcr(self, vcpu: int = 0) -> int:
        """Return ICH_HCR_EL2 of the hardware."""
        return self.state(vcpu).hcr

    def active(self, *intids: int) -> list[bool]:
        """Return the active states in memory."""
        return [self.irq(intid).active for intid in intids]

    def causes(self, vcpu: int = 0) -> list[str]:
        """Causes of all exits so far."""
        return ["+".join(sorted(one.causes)) for one in self.machine.runners[vcpu].exits]
