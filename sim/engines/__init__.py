"""Adapters that put a CPU port (:mod:`sim.port`) on each kind of simulated hardware."""
