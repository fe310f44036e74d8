"""The names of what hardware can run on; :mod:`tb.runner` runs it."""

__all__ = ["ENGINES", "PLAYERS", "RECORDED", "SYSTEM_PREFIX", "WAVELESS"]

#: Everything a job runs on, quickest first.
ENGINES = (
    "golden", "verilator", "icarus", "amaranth",
    "bench-compiled", "bench-verilator", "bench-icarus", "bench-amaranth", "bench-uart",
)  # fmt: skip
#: Those that write no waveforms though they have cycles.
WAVELESS = ("bench-compiled", "bench-uart")
#: No engine: the hardware's answers are the recorded ones (``spillway predict``).
RECORDED = "recorded"
#: Prefix of an engine that runs a whole GIC: physical interrupts go through its distributor.
SYSTEM_PREFIX = "system-"
#: What scenarios can be played on.
PLAYERS = (
    *ENGINES,
    *(f"{SYSTEM_PREFIX}{engine}" for engine in ENGINES if not engine.startswith("bench-")),
)
