"""The pictures of the documentation, taken of the real programs."""
