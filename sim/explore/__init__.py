"""Small-scope exhaustive exploration: every interleaving of a small machine, its guests and its devices."""
