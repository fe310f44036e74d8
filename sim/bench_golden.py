"""Speed of the golden model: register operations a second on one core.

``python -m sim.bench_golden [SECONDS]`` runs a mix of list-register refills, acknowledges, completions,
deactivations and status reads on 4 list registers and prints the figure.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable

from hw.config import GicConfig
from hw.errors import InputError
from hw.registers import lookup
from sim.golden import Golden
from sim.port import Access

__all__ = ["main", "make_workload", "measure"]


def make_workload(config: GicConfig, length: int, seed: int = 1) -> list[Access]:
    """Return a mixed stream of ``length`` accesses in the proportions of a busy guest.

    Four in ten fill list registers or read hypervisor status, the others are the guest's acknowledges,
    completions and looks. Half of the way through EOImode changes, so DIR does work too.
    """
    rng = random.Random(seed)
    lrs = [lookup(f"ICH_LR{n}_EL2") for n in range(config.lrs)]
    hcr, vmcr = lookup("ICH_HCR_EL2"), lookup("ICH_VMCR_EL2")
    guest = {name: lookup(f"ICC_{name}_EL1") for name in ("IAR1", "EOIR1", "DIR", "HPPIR1", "RPR", "PMR")}
    status = [lookup(f"ICH_{name}_EL2") for name in ("ELRSR", "EISR", "MISR", "HCR", "VMCR", "AP1R0")]

    def refill() -> Access:
        n = rng.randrange(config.lrs)
        value = 1 << 62 | 1 << 60 | rng.randrange(32) << 51 | 32 + n
        return Access(2, lrs[n], True, value)

    def intid() -> int:
        return 32 + rng.randrange(config.lrs)

    makers: list[tuple[int, Callable[[], Access]]] = [
        (25, refill),
        (5, lambda: Access(2, rng.choice(lrs))),
        (10, lambda: Access(2, rng.choice(status))),
        (20, lambda: Access(1, guest["IAR1"])),
        (20, lambda: Access(1, guest["EOIR1"], True, intid())),
        (10, lambda: Access(1, guest["DIR"], True, intid())),
        (6, lambda: Access(1, guest["HPPIR1"])),
        (2, lambda: Access(1, guest["RPR"])),
        (2, lambda: Access(1, guest["PMR"], True, 0xF8)),
    ]
    weights = [weight for weight, _ in makers]
    makes = [make for _, make in makers]
    stream = [make() for make in rng.choices(makes, weights, k=length)]
    stream[:2] = [Access(2, vmcr, True, 0xF84C0003), Access(2, hcr, True, 1)]
    stream[length // 2] = Access(2, vmcr, True, 0xF84C0203)
    return stream


def measure(seconds: float = 2.0) -> float:
    """Return accesses per second of a strict 4-LR model, over at least ``seconds``."""
    config = GicConfig()
    golden = Golden(config)
    workload = make_workload(config, 50_000)
    access = golden.access
    done, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        for operation in workload:
            access(operation)
        golden.take_deactivations()
        done += len(workload)
    return done / elapsed


def main(arguments: list[str]) -> int:
    """Print the figure; the optional argument is the time to spend, in seconds."""
    try:
        seconds = float(arguments[0]) if arguments else 2.0
        if not 0 < seconds <= 3600:
            raise ValueError
    except ValueError:
        raise InputError(f"seconds must be a number above 0, at most 3600, not {arguments[0]!r}") from None
    print(f"golden: {measure(seconds):,.0f} register operations/s (4 LRs, one core)")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
