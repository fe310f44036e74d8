"""The one kind of error a user can cause and mend."""

__all__ = ["InputError"]


class InputError(ValueError):
    """Bad input: one line that names the place and the remedy. The front door exits with status 2."""
