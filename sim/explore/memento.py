"""Taking a Python object graph back to an earlier moment, in place.

A search goes back to each state once for every action it tries. Copying a whole machine takes milliseconds;
remembering what its few changing objects hold, and putting that back, takes microseconds.
"""

from __future__ import annotations

import enum
import functools
import types
from collections.abc import Iterable
from dataclasses import is_dataclass
from typing import Any

__all__ = ["Memento", "Plan"]

#: What one object held: its attributes in order, containers copied.
Memento = tuple[tuple[Any, ...], ...]

_SIMPLE = (
    int, float, str, bytes, bool, type(None), frozenset, range, enum.Enum, type, types.ModuleType,
    types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MappingProxyType, property,
    functools.partial,
)  # fmt: skip

#: The commonest of them, for speed.
_ATOMS = frozenset({int, bool, str, type(None)})


def _frozen(one: object) -> bool:
    return is_dataclass(one) and type(one).__dataclass_params__.frozen


def _attributes(kind: type) -> list[str]:
    """Return the names of the slots of a class."""
    names = []
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    return [name for name in names if name not in ("__dict__", "__weakref__")]


def _copy(value: Any) -> Any:
    """Copy a container and the containers in it; everything else stays itself."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is list:
        return [one if type(one) in _ATOMS else _copy(one) for one in value] if value else []
    if kind is set:
        return set(value)
    if isinstance(value, dict):
        copied = value.copy()
        for key, one in copied.items():
            if isinstance(one, (list, set, dict)):
                copied[key] = _copy(one)
        return copied
    if kind is tuple and any(isinstance(one, (list, set, dict)) for one in value):
        return tuple(_copy(one) for one in value)
    return value


class Plan:
    """The objects below some roots that can change, found once.

    Parameters
    ----------
    roots : iterable of object
        Where to start.
    fixed : iterable of object
        Objects that never change, with everything that only they lead to; by identity.

    Notes
    -----
    An object that comes into being later is found again through its container, and so must not itself change:
    records and exits are such. Containers inside containers are copied; instances are kept by identity.
    """

    def __init__(self, roots: Iterable[object], fixed: Iterable[object] = ()) -> None:
        self._keep = list(fixed)  # so that their identities stay theirs
        skip = {id(one) for one in self._keep}
        #: (object, names of the attributes that are remembered).
        self._instances: list[tuple[object, list[str]]] = []
        seen: set[int] = set()
        waiting = list(roots)
        while waiting:
            one = waiting.pop()
            if isinstance(one, _SIMPLE) or id(one) in seen or id(one) in skip:
                continue
            seen.add(id(one))
            if isinstance(one, (list, set, tuple)):
                waiting += one
            elif isinstance(one, dict):
                waiting += one.values()
                waiting += one.keys()
            elif not _frozen(one):
                names = list(vars(one)) if hasattr(one, "__dict__") else _attributes(type(one))
                names = [name for name in names if id(getattr(one, name)) not in skip]
                self._instances.append((one, names))
                waiting += (getattr(one, name) for name in names)

    def __len__(self) -> int:
        return len(self._instances)

    def objects(self) -> list[object]:
        """Return the objects that are remembered."""
        return [one for one, _ in self._instances]

    def take(self) -> Memento:
        """Remember what everything holds now."""
        return tuple(tuple(_copy(getattr(one, name)) for name in names) for one, names in self._instances)

    def restore(self, memento: Memento) -> None:
        """Put back what everything held. The memento stays good for another time."""
        for (one, names), values in zip(self._instances, memento, strict=True):
            for name, value in zip(names, values, strict=True):
                setattr(one, name, _copy(value))
