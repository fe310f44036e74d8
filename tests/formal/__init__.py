"""Tests of the formal proofs, and the counter-examples that were kept."""
