"""Tests of the serial line's gateware."""
