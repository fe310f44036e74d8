"""Replay of recorded traffic on any CPU port: every recorded operation applied, every value compared."""
