"""The names of what hardware can run on; :mod:`tb.runner` runs it."""

__all__ = ["ENGINES", "RECORDED"]

#: Everything a job runs on, quickest first.
ENGINES = (
    "golden", "verilator", "icarus", "amaranth",
    "bench-compiled", "bench-verilator", "bench-icarus", "bench-amaranth", "bench-uart",
)  # fmt: skip
#: No engine: the hardware's answers are the recorded ones (``spillway predict``).
RECORDED = "recorded"
