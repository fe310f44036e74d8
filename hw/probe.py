"""Signals with plain, stable names for a waveform viewer.

A dump shows packed payloads, dotted field names and tool-made suffixes, differently on every engine. The
probes are the same under all of them: ``<scope>.pe0.probe_hcr``, ``<scope>.pe0.probe_encoding`` and so on.
Nothing reads them, so synthesis removes them.
"""

from amaranth.hdl import Signal, Value, ValueLike

__all__ = ["PREFIX", "show", "show_held"]

#: Every probe's name starts with this.
PREFIX = "probe_"


def _probe(name: str, value: Value) -> Signal:
    return Signal(len(value), name=PREFIX + name)


def show(m, **values: ValueLike) -> None:
    """Make each value visible in module ``m`` as ``probe_<name>``, without delay."""
    for name, value in values.items():
        value = Value.cast(value)
        m.d.comb += _probe(name, value).eq(value)


def show_held(m, when: ValueLike, **values: ValueLike) -> None:
    """Like :func:`show`, but sampled in cycles in which ``when`` is high and held until the next one."""
    for name, value in values.items():
        value = Value.cast(value)
        with m.If(when):
            m.d.sync += _probe(name, value).eq(value)
