"""Mutation of the gateware: small faults, one at a time, and which of the project's checks notices each."""
