"""Speed of the compiled bench: ``python -m sim.bench.speed``.

Printed are the clock cycles a second that CXXRTL makes when it evaluates every part in every cycle, what a
guest does a second with no exit in between, and the exits a second with the Python vgic as the hypervisor.
These leave out the parts at rest (``driver.cc``), so they may lie above what the raw cycles would allow. All
are for one core: they count the processor's time, not the clock on the wall.
"""

from __future__ import annotations

import sys
import time

from hw.bench.instruction import FREE_LIMIT
from hw.config import GicConfig
from hw.errors import InputError
from sim.bench.compiled import CompiledLink, build
from sim.bench.free import FreeGuest, run_free
from sim.bench.link import Host
from sim.bench.port import BenchPort, bench_ports
from sim.guest.language import parse_program
from sim.kvm import host as kvm
from sim.kvm.profile import profile_named
from sim.kvm.vm import Vm
from sim.machine.events import EventLog
from sim.machine.machine import Machine
from sim.machine.physical import PhysicalInterrupts
from sim.port import run

__all__ = ["exits", "main", "operations", "raw"]

_ACCESSES = """
again:
    HPPIR r1
    RPR r2
    IAR r0
    PMR = f8
    B again
"""
_PAUSES = """
again:
    NOP 1000000
    B again
"""
_FREE = """
again:
    ADD r1, 1
    CMP r1, 0
    BNE again
    B again
"""
#: Free instructions that pass for one operation, and that operation.
_PER_OPERATION = FREE_LIMIT + 1
_EXITS = """
again:
    IAR r0
    EXIT
    B again
"""


def raw(link: CompiledLink, cycles: int) -> float:
    """Return clock cycles a second, every part evaluated in each."""
    link.evaluate_everything(True)
    start = time.process_time()
    link.spin(cycles)
    rate = cycles / (time.process_time() - start)
    link.evaluate_everything(False)
    return rate


def operations(port: BenchPort, source: str, count: int, exact: bool) -> float:
    """Return guest operations a second without an exit; ``exact`` as in ``ResumeWord``."""

    async def job() -> float:
        await port.reset()
        FreeGuest(parse_program(source, "speed"), port)
        start = time.process_time()
        one = await port.run(count, exact=int(exact), entry=1)
        assert one.operations == count, one
        return count / (time.process_time() - start)

    return run(job())


def exits(port: BenchPort, count: int) -> float:
    """Return exits a second: hypercalls, each with sync and flush by the model of KVM."""

    async def job() -> float:
        await port.reset()
        vm = Vm(kvm.Host(config=port.config, irqs=PhysicalInterrupts()), profile_named("7.3"), 1, 64)
        machine = Machine([port], vm, log=EventLog(enabled=False))
        machine.runners[0].guest = FreeGuest(parse_program(_EXITS, "speed"), port)
        start = time.process_time()
        await run_free(machine, limit=2 * count, watched=False)
        return len(machine.runners[0].exits) / (time.process_time() - start)

    return run(job())


def main(arguments: list[str]) -> int:
    """Print the figures; the optional argument is the number of list registers."""
    try:
        config = GicConfig(lrs=int(arguments[0]) if arguments else 4)
    except ValueError:
        raise InputError(f"list registers must be a number from 1 to 16, not {arguments[0]!r}") from None
    link = CompiledLink(build(config))

    async def bring_up() -> BenchPort:
        (port,) = await bench_ports(Host(link), config, 1)
        return port

    port = run(bring_up())
    print(f"compiled bench, {config.lrs} LRs, one core, per second:")
    print(f"{raw(link, 400_000):12,.0f} clock cycles, every part evaluated")
    print(f"{operations(port, _PAUSES, 200_000, False):12,.0f} guest operations, pauses")
    instructions = _PER_OPERATION * operations(port, _FREE, 10_000, False)
    print(f"{instructions:12,.0f} guest instructions, arithmetic, compare and branch")
    print(f"{operations(port, _ACCESSES, 40_000, False):12,.0f} guest operations, register accesses")
    print(f"{operations(port, _ACCESSES, 40_000, True):12,.0f} guest operations, lines looked at after each")
    print(f"{exits(port, 2_000):12,.0f} exits with the Python vgic")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
