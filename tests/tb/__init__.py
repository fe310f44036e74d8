"""Tests of tb/."""
