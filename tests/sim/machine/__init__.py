"""Tests of sim/machine."""
