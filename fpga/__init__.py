"""Board tops and the host side of hardware runs."""
