"""Tests of the board side."""
