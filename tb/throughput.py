"""How many accesses a second each engine makes: ``python -m tb.throughput``.

The load is an interrupt's life, over and over: list register written, acknowledged, completed. It is
measured alone, and with lines and storage looked at after every access, as a lockstep does. Building and
starting the simulator are not counted.
"""

from __future__ import annotations

import time

import click

from hw.config import GicConfig
from hw.errors import InputError
from hw.registers import lookup
from sim.module_command import run_command
from sim.port import Access, CpuPort, write
from tb.runner import ENGINES, run_job

__all__ = ["main", "measure", "throughput_job"]

#: Operations measured: enough for a second or so.
_OPERATIONS = {"golden": 300_000, "verilator": 60_000, "icarus": 9_000, "amaranth": 1_500}
_PENDING = 0x5080_0000_0000_0000


async def throughput_job(ports: list[CpuPort], operations: int, observe: bool) -> float:
    """Return accesses per second of wall-clock time on the first port."""
    port = ports[0]
    slots = [lookup(f"ICH_LR{n}_EL2") for n in range(port.config.lrs)]
    acknowledge = Access(1, lookup("ICC_IAR1_EL1"))
    end = lookup("ICC_EOIR1_EL1")
    await write(port, 2, lookup("ICH_VMCR_EL2"), 0xF84C_0003)
    await write(port, 2, lookup("ICH_HCR_EL2"), 1)
    start = time.perf_counter()
    for n in range(operations // 3):
        intid = 32 + n % 900
        life = (
            Access(2, slots[n % len(slots)], True, _PENDING | intid),
            acknowledge,
            Access(1, end, True, intid),
        )
        for access in life:
            response = await port.access(access)
            if access is acknowledge and response.value != intid:
                raise RuntimeError(f"acknowledged {response.value}, expected {intid}")
            if observe:
                await port.state()
                await port.lines()
    return operations / (time.perf_counter() - start)


def measure(engine: str, config: GicConfig, operations: int | None = None) -> tuple[float, float]:
    """Return accesses per second of an engine: alone, and with lines and storage observed.

    Raises
    ------
    InputError
        When the engine is not available.
    """
    count = operations or _OPERATIONS[engine]
    alone, observed = (
        run_job(
            "tb.throughput:throughput_job",
            {"operations": count, "observe": observe},
            engine=engine,
            config=config,
        )
        for observe in (False, True)
    )
    return alone, observed


@click.command()
@click.option("--engine", "engines", type=click.Choice(ENGINES), multiple=True, help="All if not given.")
@click.option("--lrs", type=int, default=4, show_default=True, help="List registers.")
@click.option("--operations", type=int, help="Accesses to measure; depends on the engine if not given.")
def main(engines: tuple[str, ...], lrs: int, operations: int | None) -> None:
    """Measure accesses per second on every engine that is available."""
    config = GicConfig(lrs=lrs)
    print(f"{'engine':10} {'accesses/s':>12} {'observed':>12}")
    for engine in engines or ENGINES:
        try:
            alone, observed = measure(engine, config, operations)
        except InputError as error:
            if engines:
                raise
            print(f"{engine:10} {error}")
        else:
            print(f"{engine:10} {alone:12,.0f} {observed:12,.0f}")


if __name__ == "__main__":
    run_command(main, "tb.throughput")
