"""Tests of sim/guest."""
