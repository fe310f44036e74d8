"""Checked access to the keys of one recorded JSON object."""

from __future__ import annotations

from typing import Any

from hw.errors import InputError

__all__ = ["Fields", "describe"]

_MISSING = object()


def describe(value: Any) -> str:
    """Return a short text of a JSON value for an error message."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


class Fields:
    """One JSON object of a trace and the place it came from.

    Parameters
    ----------
    data : dict
        The decoded object.
    place : str
        ``file:line`` or finer, put before every message.
    """

    __slots__ = ("data", "place")

    def __init__(self, data: dict[str, Any], place: str):
        self.data = data
        self.place = place

    def fail(self, text: str) -> InputError:
        """Return the error to raise about this object."""
        return InputError(f"{self.place}: {text}")

    def _get(self, key: str) -> Any:
        value = self.data.get(key, _MISSING)
        if value is _MISSING:
            raise self.fail(f"key {key!r} is missing; record the line again or remove it")
        return value

    def number(self, key: str, bits: int = 64) -> int:
        """Return ``key`` as an unsigned integer of at most ``bits`` bits; a ``0x`` string or an integer."""
        return self.unsigned(key, self._get(key), bits)

    def unsigned(self, key: str, value: Any, bits: int) -> int:
        """Return ``value``, found under ``key``, as an unsigned integer of at most ``bits`` bits."""
        if isinstance(value, str) and value[:2] in ("0x", "0X") and "_" not in value:
            try:
                value = int(value, 16)
            except ValueError:
                raise self.fail(f"{key} {describe(value)} is not a hexadecimal number") from None
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.fail(f"{key} must be a '0x...' string or an integer, not {describe(value)}")
        if not 0 <= value < 1 << bits:
            raise self.fail(f"{key} {describe(hex(value))} does not fit in {bits} unsigned bits")
        return value

    def maybe_number(self, key: str, bits: int = 64) -> int | None:
        """Return ``key`` as :meth:`number` does, or None when it is absent."""
        return self.number(key, bits) if key in self.data else None

    def integer(self, key: str, low: int, high: int) -> int:
        """Return ``key`` as a plain integer from ``low`` to ``high``."""
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.fail(f"{key} must be an integer from {low} to {high}, not {describe(value)}")
        return value

    def maybe_integer(self, key: str, low: int, high: int) -> int | None:
        """Return ``key`` as :meth:`integer` does, or None when it is absent."""
        return self.integer(key, low, high) if key in self.data else None

    def level(self, key: str) -> bool:
        """Return ``key`` as the level of a line: 0 or 1."""
        return bool(self.integer(key, 0, 1))

    def flag(self, key: str) -> bool:
        """Return ``key`` as a mark that is 1 when present; absent means False."""
        return key in self.data and self.level(key)

    def text(self, key: str) -> str:
        """Return ``key`` as a string."""
        value = self._get(key)
        if not isinstance(value, str):
            raise self.fail(f"{key} must be a string, not {describe(value)}")
        return value

    def choice(self, key: str, choices: Any) -> str:
        """Return ``key`` as one of the strings ``choices``."""
        value = self.text(key)
        if value not in choices:
            raise self.fail(f"{key} {describe(value)} is none of {', '.join(choices)}")
        return value

    def objects(self, key: str) -> list[Any]:
        """Return ``key`` as a list."""
        value = self._get(key)
        if not isinstance(value, list):
            raise self.fail(f"{key} must be a list, not {describe(value)}")
        return value

    def inner(self, key: str) -> dict[str, Any]:
        """Return ``key`` as an object."""
        value = self._get(key)
        if not isinstance(value, dict):
            raise self.fail(f"{key} must be an object, not {describe(value)}")
        return value
