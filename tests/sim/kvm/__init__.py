"""Tests of the vgic model."""
