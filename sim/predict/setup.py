"""The recorded machine's initial state, from a trace's meta line."""

from __future__ import annotations

from collections.abc import Callable

from hw.config import GicConfig
from hw.errors import InputError
from sim.kvm.host import Host
from sim.kvm.inject import kvm_vgic_map_phys_irq
from sim.kvm.irq import IrqOps
from sim.kvm.mmio_redist import GICR_STRIDE, dispatch_mmio_read, dispatch_mmio_write
from sim.kvm.profile import Profile, profile_for_kernel
from sim.kvm.vm import Vm
from sim.trace import Meta, Trace

__all__ = [
    "NOT_PREDICTABLE",
    "PTIMER",
    "VTIMER",
    "build_vm",
    "final_state_differences",
    "is_predictable",
    "placement",
    "profile_of",
]

#: The virtual and the physical timer's PPIs; KVM maps each to the physical interrupt of the same number.
VTIMER, PTIMER = 27, 30
#: What is wrong with a recording without its stimulus.
NOT_PREDICTABLE = (
    "{}: meta has no 'stimulus': this recording does not hold what the kernel was given, so there is nothing "
    "to predict from; replay it instead"
)
#: Registers whose reset value the recorder's machine decides, not the vgic: TYPER and IIDR of both frames.
_READ_ONLY = (0x4, 0x8)


def is_predictable(meta: Meta) -> bool:
    """Return whether the recording holds the complete or nearly complete stimulus."""
    return "stimulus" in meta.raw


def profile_of(trace: Trace) -> Profile:
    """Return the profile of the recorded kernel.

    Raises
    ------
    InputError
        When the meta line names no kernel.
    """
    if trace.meta.kernel is None:
        raise InputError(f"{trace.path}: meta names no kernel; choose the profile with --profile")
    try:
        return profile_for_kernel(trace.meta.kernel)
    except InputError as error:
        raise InputError(f"{trace.path}: {error}") from None


def build_vm(trace: Trace, profile: Profile, line_level: Callable[[int], bool]) -> Vm:
    """Return the recorded VM as it was before the first run.

    Parameters
    ----------
    trace : Trace
        Its meta line says everything needed.
    profile : Profile
        The kernel's behaviour.
    line_level : callable(vcpu number) -> bool
        Level of a vCPU's virtual timer line now.

    Raises
    ------
    InputError
        When something is missing or malformed.
    """
    raw, place = trace.meta.raw, trace.path
    if not is_predictable(trace.meta):
        raise InputError(NOT_PREDICTABLE.format(place))
    append = str(raw.get("append", ""))
    config: GicConfig = trace.config
    host = Host(
        config,
        vhe="kvm-arm.mode=nvhe" not in append,
        group0_trap="vgic_v3_group0_trap=1" in append,
        group1_trap="vgic_v3_group1_trap=1" in append,
        common_trap="vgic_v3_common_trap=1" in append,
    )
    vm = Vm(host, profile, len(placement(trace)), nr_spis=_nr_spis(raw.get("spis", "32..127"), place))
    vm.dist.vgic_dist_base = _number(raw.get("gicd", "0x8000000"), f"{place}: meta.gicd")
    vm.dist.vgic_redist_base = _number(raw.get("gicr", "0x80a0000"), f"{place}: meta.gicr")
    for vcpu in vm.vcpus:
        ops = IrqOps(lambda intid, number=vcpu.vcpu_id: intid == VTIMER and line_level(number))
        for timer in (VTIMER, PTIMER) if host.vhe else (VTIMER,):
            kvm_vgic_map_phys_irq(vcpu, timer, timer, ops)
    for address, value in _registers(trace, "init_state", vm):
        dispatch_mmio_write(vm.vcpus[0], address, 4, value)
    return vm


def placement(trace: Trace) -> dict[int, int]:
    """Return the physical CPU of each vCPU.

    Raises
    ------
    InputError
        When ``meta.vcpus`` or ``meta.vcpu_cpu`` is malformed.
    """
    raw, place = trace.meta.raw, f"{trace.path}: meta."
    given = raw.get("vcpu_cpu", {})
    if not isinstance(given, dict):
        raise InputError(f"{place}vcpu_cpu must be an object of vCPU: CPU")
    return {
        vcpu: _number(given.get(str(vcpu), vcpu), f"{place}vcpu_cpu.{vcpu}", 0, 7)
        for vcpu in range(_number(raw.get("vcpus", 1), f"{place}vcpus", 1, 8))
    }


def final_state_differences(trace: Trace, vm: Vm) -> list[str]:
    """Compare the distributor and the redistributors with what was read after the end."""
    recorded = dict(_registers(trace, "final_state", vm))
    if not recorded:
        return []
    different = []
    for address in _compared_addresses(vm):
        ours = _userspace_read(vm, address)
        theirs = recorded.get(address, 0)
        if ours != theirs:
            different.append(f"{_register_name(vm, address)}: the kernel {theirs:#x}, ours {ours:#x}")
    return different


def _compared_addresses(vm: Vm) -> list[int]:
    """Return the addresses of the state registers the recorder reads."""
    dist = vm.dist
    words = (dist.nr_spis + 32) // 32
    spans = [(0x80, 1), (0x100, 1), (0x200, 1), (0x300, 1), (0x400, 8), (0xC00, 2)]
    addresses = [dist.vgic_dist_base]
    for offset, factor in spans:
        addresses += [dist.vgic_dist_base + offset + 4 * n for n in range(factor, words * factor)]
    for number in range(len(vm.vcpus)):
        frame = dist.vgic_redist_base + number * GICR_STRIDE + 0x10000
        for offset, factor in spans:
            addresses += [frame + offset + 4 * n for n in range(factor)]
    return addresses


def _userspace_read(vm: Vm, address: int) -> int:
    """Read as the VMM does: the pending registers give the latch alone, without the level of the line."""
    number, offset = divmod(address - vm.dist.vgic_redist_base, GICR_STRIDE)
    if 0 <= number < len(vm.vcpus) and offset == 0x10200:
        irqs = vm.vcpus[number].private_irqs
        return sum(irq.pending_latch << n for n, irq in enumerate(irqs))
    offset = address - vm.dist.vgic_dist_base
    if 0x204 <= offset < 0x280:
        first = (offset - 0x204) * 8
        return sum(irq.pending_latch << n for n, irq in enumerate(vm.dist.spis[first : first + 32]))
    value = dispatch_mmio_read(vm.vcpus[0], address, 4)
    assert value is not None
    return value


def _register_name(vm: Vm, address: int) -> str:
    offset = address - vm.dist.vgic_redist_base
    if 0 <= offset < len(vm.vcpus) * GICR_STRIDE:
        return f"GICR{offset // GICR_STRIDE}+{offset % GICR_STRIDE:#x}"
    return f"GICD+{address - vm.dist.vgic_dist_base:#x}"


def _registers(trace: Trace, key: str, vm: Vm) -> list[tuple[int, int]]:
    """Return (address, value) of the state registers in ``meta[key]``."""
    place = f"{trace.path}: meta.{key}"
    state = trace.meta.raw.get(key, {})
    if not isinstance(state, dict):
        raise InputError(f"{place} must be an object of frames, GICD and GICR0 ..")
    found = []
    for frame, registers in state.items():
        if frame == "GICD":
            base = vm.dist.vgic_dist_base
        elif frame.startswith("GICR") and frame[4:].isdecimal() and int(frame[4:]) < len(vm.vcpus):
            base = vm.dist.vgic_redist_base + int(frame[4:]) * GICR_STRIDE
        else:
            raise InputError(f"{place}: unknown frame {frame!r}; frames are GICD and GICR0 .. by vCPU")
        if not isinstance(registers, dict):
            raise InputError(f"{place}.{frame} must be an object of offset: value")
        for offset, value in registers.items():
            where = _number(offset, f"{place}.{frame}")
            if where not in _READ_ONLY:
                found.append((base + where, _number(value, f"{place}.{frame}.{offset}")))
    return found


def _nr_spis(text: object, place: str) -> int:
    first, dots, last = str(text).partition("..")
    if first != "32" or not dots or not last.isdecimal() or not 32 <= int(last) <= 1019:
        raise InputError(f"{place}: meta.spis must be 32..LAST with LAST up to 1019, not {text!r}")
    return int(last) - 31


def _number(value: object, place: str, low: int = 0, high: int = (1 << 64) - 1) -> int:
    try:
        number = int(value, 0) if isinstance(value, str) else value
    except ValueError:
        number = None
    if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
        raise InputError(f"{place}: {value!r} is not a number from {low} to {high:#x}")
    return number
