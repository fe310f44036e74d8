"""Scenarios: data files that say machine, interrupts, steps and what must be seen (format: sim/scenarios)."""
