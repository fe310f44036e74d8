"""Tests of the host of the bench."""
