"""Tests of sim/cost."""
