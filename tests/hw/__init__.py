"""Tests of the gateware."""
