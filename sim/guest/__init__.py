"""Guests: software at EL1, as programs in a small line-oriented language or as real AArch64 code."""
