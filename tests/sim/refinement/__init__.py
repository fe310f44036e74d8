"""Tests of sim/refinement."""
