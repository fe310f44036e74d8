"""Tests of the synthesizable bench."""
