"""Tests of sim/policy."""
