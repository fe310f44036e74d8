"""Jobs that the runner's tests run on every engine."""

import os
import sys

from hw.errors import InputError
from hw.mmio import Frame
from hw.mmio_map import MMIO_REGISTERS
from hw.registers import lookup
from sim import progress
from sim.lockstep_physical import SystemLockstep
from sim.port import Access, MmioAccess, Outcome, read, write
from sim.system_port import SystemStep

_PENDING = 0x5080_0000_0000_0000  # State pending, Group 1, priority 0x80
_HW = 1 << 61


class OddError(Exception):
    """An exception that cannot be made from its message."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


async def identify(ports):
    """Read every PE's identity."""
    return [await read(port, 2, lookup("ICH_VTR_EL2")) for port in ports]


async def life(ports, intid):
    """Take one HW interrupt of the last PE through its life; return all that can be seen on the way."""
    seen = []
    port = ports[-1]
    for each in ports:
        await each.reset()

    async def look():
        for each in ports:
            seen.append([list(await each.lines()), await each.deactivations()])

    await write(port, 2, lookup("ICH_VMCR_EL2"), 0xF84C_0003)
    await write(port, 2, lookup("ICH_HCR_EL2"), 1)
    await look()
    await write(port, 2, lookup("ICH_LR0_EL2"), _PENDING | _HW | (intid + 8) << 32 | intid)
    await look()
    seen.append(await read(port, 1, lookup("ICC_IAR1_EL1")))
    await look()
    await write(port, 1, lookup("ICC_EOIR1_EL1"), intid)
    await look()
    state = await port.state()
    return [*seen, state.hcr, state.vmcr, state.elrsr, state.lr, state.ap1r]


async def interrupts(ports, count):
    """Raise, acknowledge and end ``count`` interrupts without looking at anything else (no settling)."""
    (port,) = ports
    await port.reset()
    await write(port, 2, lookup("ICH_VMCR_EL2"), 0xF84C_0003)
    await write(port, 2, lookup("ICH_HCR_EL2"), 1)
    taken = []
    for n in range(count):
        await write(port, 2, lookup("ICH_LR1_EL2"), _PENDING | _HW | (100 + n) << 32 | 32 + n)
        taken.append(await read(port, 1, lookup("ICC_IAR1_EL1")))
        await write(port, 1, lookup("ICC_EOIR1_EL1"), taken[-1])
    return [taken, await port.deactivations(), await port.deactivations()]


async def reset_one(ports):
    """Dirty two PEs, reset the first; return both."""
    for port in ports:
        await write(port, 2, lookup("ICH_HCR_EL2"), 0xF800_0001)
        await write(port, 2, lookup("ICH_LR0_EL2"), _PENDING | 40)
        await write(port, 2, lookup("ICH_AP1R0_EL2"), 6)
        await write(port, 2, lookup("ICH_VMCR_EL2"), 0xFFFF_FFFF)
    await ports[0].reset()
    states = [await port.state() for port in ports]
    return [[state.hcr, state.vmcr, state.lr[0], state.ap1r[0]] for state in states]


async def from_reset(ports):
    """Write an active priority before any other register; return everything."""
    await write(ports[0], 2, lookup("ICH_AP1R0_EL2"), 6)
    state = await ports[0].state()
    return [state.hcr, state.vmcr, state.ap0r, state.ap1r, await read(ports[0], 1, lookup("ICC_RPR_EL1"))]


async def trapped(ports):
    """Make a trapped and an undefined access; return outcomes and syndromes."""
    await write(ports[0], 2, lookup("ICH_HCR_EL2"), 0x1001)
    trap = await ports[0].access(Access(1, lookup("ICC_IAR1_EL1"), rt=3))
    undefined = await ports[0].access(Access(0, lookup("ICC_IAR1_EL1")))
    assert trap.outcome is Outcome.TRAP_EL2 and undefined.outcome is Outcome.UNDEF
    return [trap, undefined]


async def bad_value(ports):
    """Write more than 64 bits."""
    await write(ports[0], 2, lookup("ICH_LR0_EL2"), 1 << 64)


async def fail(ports, kind):
    """Raise something."""
    if kind == "input":
        raise InputError("line 7: not a number; write one")
    if kind == "lookup":
        raise KeyError("missing")
    raise OddError(1, 2)


async def die(ports):
    """End the process without a word, when it is a simulator's."""
    print("last words")
    sys.stdout.flush()
    os._exit(3)


async def slow(ports, total):
    """Report progress."""
    for done in range(1, total + 1):
        await read(ports[0], 2, lookup("ICH_VTR_EL2"))
        progress.report(done, total)
    return total


async def unspeakable(ports):
    """Return what JSON cannot carry."""
    return {1, 2}


def not_a_coroutine(ports):
    """Be no job."""


async def sweep_frames(system):
    """Access the borders of every register family and all of GICC, at every size; return the difference."""
    gicv2 = not system.physical.are
    frames = [Frame.GICD, Frame.GICC] if gicv2 else [Frame.GICD, Frame.GICR]
    offsets: dict[Frame, set[int]] = {frame: set() for frame in frames}
    for register in MMIO_REGISTERS:
        if register.frame in offsets and (register.index in (0, 1, 2, 32) or register.frame is Frame.GICC):
            end = register.offset + register.width // 8
            offsets[register.frame] |= {max(register.offset - 4, 0), *range(register.offset, end + 1)}
    offsets[frames[1]] |= {0x1FFC, 0x2000, 0x1FFFC, 0xFFFF8, 0xFFFFC}
    steps = [
        SystemStep(0, MmioAccess(frame, offset, size, write, (1 << 8 * size) - 1 if write else 0))
        for frame in frames
        for offset in sorted(offsets[frame])
        for size in (1, 2, 4, 8)
        for write in (False, True)
    ]
    answers = SystemLockstep(system, every=len(steps))
    difference = await answers.start()
    for step in steps:
        difference = difference or await answers.step(step)
    await answers.finish()
    return [len(steps), difference and difference.report]
