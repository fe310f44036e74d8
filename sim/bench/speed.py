"""Speed of the compiled bench: ``python -m sim.bench.speed``.

Printed are the clock cycles a second that CXXRTL makes when it evaluates every part in every cycle, the
operations a second of guests with no exit in between, and the exits a second with the Python vgic as the
hypervisor. The operations leave out the parts at rest (``driver.cc``), so they may lie above what the raw
cycles would allow. All are for one core: they count the processor's time, not the clock on the wall; other
programs on the same core slow them down all the same.

An operation is one instruction of the guest language: arithmetic, compare, branch, register access; a
``NOP n`` is n of them. A register access takes eight cycles of the engine, others 2 or 3. How fast a guest
is depends on how often it accesses the interface, so there is a line for each of several mixes, and one
that says up to which a million operations a second are made.
"""

from __future__ import annotations

import sys
import time

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

__all__ = ["densest", "exits", "hypercalls", "main", "mix", "operations", "raw"]

#: A guest's own work: arithmetic, compare, branch (never taken), delay.
_WORK = ("ADD r1, 3", "CMP r1, 0x20000", "BEQ never", "AND r1, 0xffff", "NOP 2")
_WORK_OPERATIONS = (1, 1, 1, 1, 2)
#: What it does with the interface when nothing is pending: polls, masks interrupts and allows them again.
_ACCESSES = ("IAR r0", "PMR = 0", "PMR = f8", "RPR r2")
#: Operations of its own for each access, a line each; None: no access at all.
_MIXES = (None, 49, 19, 9, 4, 1, 0)
#: Accesses in a guest's loop.
_LOOP = 8
_MILLION = 1_000_000
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


def mix(own: int | None) -> tuple[str, int, int]:
    """Return a guest that makes one access after every ``own`` operations (None: none).

    Returns
    -------
    (str, int, int)
        Its source, a loop; the operations of one turn; how many of them are operations to the engine's
        counter: accesses and delays.
    """
    lines, done, timed, work = ["again:"], 0, 0, 0
    for n in range(_LOOP):
        left = len(_WORK) * 2 if own is None else own
        while left:
            line, takes = _WORK[work % len(_WORK)], _WORK_OPERATIONS[work % len(_WORK)]
            work += 1
            if takes > left:
                continue
            lines.append(line)
            left, done, timed = left - takes, done + takes, timed + takes * (takes > 1)
        if own is not None:
            lines.append(_ACCESSES[n % len(_ACCESSES)])
            done, timed = done + 1, timed + 1
    return "\n".join([*lines, "B again", "never:", "HALT"]), done + 1, timed


def operations(port: BenchPort, own: int | None, seconds: float = 0.5) -> float:
    """Return the operations a second of a guest of :func:`mix`, measured for about ``seconds``."""
    source, done, timed = mix(own)

    async def job() -> float:
        await port.reset()
        FreeGuest(parse_program(source, "speed"), port)
        turns, spent, entry = 100, 0.0, 1
        while spent < seconds:
            turns *= 2
            start = time.process_time()
            one = await port.run(turns * timed, entry=entry)
            spent, entry = time.process_time() - start, 0
            assert one.operations == turns * timed, one
        return turns * done / spent

    return run(job())


def densest(port: BenchPort, seconds: float = 0.5) -> float:
    """Return the share of accesses up to which a million operations a second are made."""
    own, access = 1 / operations(port, None, seconds), 1 / operations(port, 0, seconds)
    return min(max((1 / _MILLION - own) / (access - own), 0), 1)


async def hypercalls(port: BenchPort, count: int) -> int:
    """Let a guest make about ``count`` hypercalls, and return how many exits there were.

    Each comes with sync and flush by the model of KVM.
    """
    await port.reset()
    vm = Vm(kvm.Host(config=port.config, irqs=PhysicalInterrupts()), profile_named("7.3"), 1, 64)
    machine = Machine([port], vm, log=EventLog(enabled=False))
    machine.runners[0].guest = FreeGuest(parse_program(_EXITS, "speed"), port)
    await run_free(machine, limit=2 * count, watched=False, loops=False)
    return len(machine.runners[0].exits)


def exits(port: BenchPort, count: int) -> float:
    """Return exits a second, measured over ``count`` :func:`hypercalls`."""
    start = time.process_time()
    made = run(hypercalls(port, count))
    return made / (time.process_time() - start)


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
    print(f"{raw(link, 2_000_000):12,.0f} clock cycles, every part evaluated")
    for own in _MIXES:
        what = "no access" if own is None else f"one access in {own + 1}" if own else "accesses only"
        print(f"{operations(port, own):12,.0f} guest operations, {what}")
    print(f"{exits(port, 4_000):12,.0f} exits with the Python vgic")
    print(f"A million operations a second are made with up to {densest(port):.1%} accesses.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
