"""The cocotb module that runs one job inside the simulator's process; started by :mod:`tb.runner`.

The job comes as the JSON file named by $SPILLWAY_JOB, its result or its exception goes into another.
"""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path

import cocotb

from hw.config_physical import PhysicalConfig
from sim import progress
from sim.engines.job import config_from_json, find_function
from tb.bench_link import bring_up_bench
from tb.driver import bring_up
from tb.driver_system import bring_up_system

__all__ = ["run"]


def _describe(error: BaseException) -> dict:
    kind = type(error)
    plain = all(isinstance(argument, str | int | float | bool | None) for argument in error.args)
    return {
        "module": kind.__module__,
        "type": kind.__qualname__,
        "arguments": list(error.args) if plain else [],
        "message": str(error),
        "traceback": "".join(traceback.format_exception(error)),
    }


@cocotb.test()
async def run(dut) -> None:
    """Run the job on one CPU port per PE, or on a system."""
    job = json.loads(Path(os.environ["SPILLWAY_JOB"]).read_text())
    with progress.to_file(Path(job["progress"])):
        try:
            config, pes = config_from_json(job["config"]), job["pes"]
            if job["physical"]:
                subject = await bring_up_system(dut, config, PhysicalConfig(**job["physical"]), pes)
            elif job["bench"]:
                subject = await bring_up_bench(dut, config, pes)
            else:
                subject = await bring_up(dut, config, pes)
            answer = {"result": await find_function(job["function"])(subject, **job["arguments"])}
            text = json.dumps(answer)
        except Exception as error:  # carried over to the process that asked
            text = json.dumps({"error": _describe(error)})
    Path(job["answer"]).write_text(text)
