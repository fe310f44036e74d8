"""Tests; the tree mirrors hw, sim, tb and fpga."""
