"""Tests of sim/scenario."""
