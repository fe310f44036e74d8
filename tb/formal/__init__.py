"""Formal proofs of the gateware: specifications, seeded bugs, and the tools that run them."""
