"""``python -m sim.refinement``: a soak of the machine against the ideal GIC."""

from __future__ import annotations

import argparse
import sys

from hw.errors import InputError
from sim.kvm.profile import profile_named
from sim.refinement.report import describe
from sim.refinement.run import soak


def main(arguments: list[str] | None = None) -> int:
    """Run the soak; the status is 1 if there was a finding, 2 for bad arguments."""
    parser = argparse.ArgumentParser(prog="python -m sim.refinement", description=__doc__)
    parser.add_argument("--operations", type=int, default=200_000, help="guest operations for each latency")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first run")
    parser.add_argument("--profile", default="7.3", help="the kernel")
    parser.add_argument("--latency", type=int, nargs="*", default=[0], help="latencies to try, in operations")
    parser.add_argument("--strict", action="store_true", help="know no exception")
    options = parser.parse_args(arguments)
    try:
        profile_named(options.profile)
    except InputError as error:
        print(f"spillway: {error}", file=sys.stderr)
        return 2
    findings = 0
    for latency in options.latency:
        tally = soak(options.operations, options.seed, latency, options.profile, strict=options.strict)
        findings += len(tally.findings)
        print(f"seed {options.seed}, profile {options.profile}, {describe(tally, latency)}", flush=True)
    return int(findings > 0)


if __name__ == "__main__":
    sys.exit(main())
