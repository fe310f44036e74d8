"""Tests of sim/predict."""
