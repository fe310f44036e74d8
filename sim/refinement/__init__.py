"""Refinement: the machine against the ideal GIC, operation by operation, on random guests.

With immediate maintenance interrupts every result a guest sees must be one the ideal GIC allows. Where it
is not, the divergence is one of the named exceptions (:mod:`sim.refinement.exceptions`), or a finding. With
latency nothing may be lost, delivered twice, or starved; how long a guest sees the wrong order is measured.
"""
