"""The story of scenarios as one self-contained page: recordings side by side, an ideal GIC below each."""
