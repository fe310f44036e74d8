"""Packing between the Python CPU port (:mod:`sim.port`) and the bits of the gateware's (:mod:`hw.port`).

Every position comes from the Amaranth layouts, so an engine never states a bit number. Packing is on the
path of every access of every timed engine; it is plain integer arithmetic prepared once.
"""

from __future__ import annotations

from amaranth.lib import data

from hw import port as gateware
from hw.config import GicConfig
from hw.errors import InputError
from hw.registers import Register
from sim.encoding import register_at
from sim.port import Access, Outcome, PeContext, Response, State

__all__ = ["PortCodec"]

_REQUEST = data.Layout.cast(gateware.Request)
_CONTEXT = data.Layout.cast(gateware.PeContext)
_RESPONSE = data.Layout.cast(gateware.Response)
_VALUE_LSB = _REQUEST["value"].offset
_OUTCOMES = tuple(Outcome)


def _slice(layout: data.Layout, name: str) -> tuple[int, int]:
    """Return position and mask, at bit 0, of a member."""
    member = layout[name]
    return member.offset, (1 << member.width) - 1


def _fixed_part(register: Register, write: bool, el: int, rt: int, context: PeContext) -> int:
    """Return a request without its value."""
    if not (0 <= el <= 3 and 0 <= rt <= 31):
        raise InputError(f"{register.name}: el must be 0 to 3 and rt 0 to 31, not {el} and {rt}")
    packed = register.encoding << _REQUEST["encoding"].offset
    packed |= int(write) << _REQUEST["write"].offset
    packed |= el << _REQUEST["el"].offset
    packed |= rt << _REQUEST["rt"].offset
    for name, value in context._asdict().items():
        packed |= int(value) << _REQUEST["context"].offset + _CONTEXT[name].offset
    return packed


class PortCodec:
    """Packer and unpacker for one configuration.

    Parameters
    ----------
    config : GicConfig
        Decides the width and the layout of the probe.

    Attributes
    ----------
    request_width, response_width, observe_width : int
        Widths in bits of the three packed values.
    """

    request_width = _REQUEST.size
    response_width = _RESPONSE.size

    def __init__(self, config: GicConfig):
        self.config = config
        layout = gateware.observe_layout(config)
        self.observe_width = layout.size
        self._scalars = [(name, *_slice(layout, name)) for name in ("hcr", "vmcr", "misr", "eisr", "elrsr")]
        self._arrays = []
        for name, count in (("ap0r", config.apr_words), ("ap1r", config.apr_words), ("lr", config.lrs)):
            slices = [_slice(layout, f"{name}{n}") for n in range(count)]
            self._arrays.append((name, [lsb for lsb, _ in slices], slices[0][1]))
        self._fixed: dict[tuple, int] = {}
        self._outcome = _slice(_RESPONSE, "outcome")
        self._value = _slice(_RESPONSE, "value")
        self._esr = _slice(_RESPONSE, "esr")

    def request(self, access: Access) -> int:
        """Pack an access.

        Raises
        ------
        InputError
            When a member does not fit: ``value`` is 64 bits wide, ``el`` 0..3, ``rt`` 0..31.
        """
        el, register, write, value, rt, context = access
        key = (register.encoding, write, el, rt, context)
        fixed = self._fixed.get(key)
        if fixed is None:
            fixed = self._fixed[key] = _fixed_part(register, write, el, rt, context)
        if not 0 <= value < 1 << 64:
            raise InputError(f"{register.name}: {value:#x} does not fit in 64 bits")
        return fixed | value << _VALUE_LSB

    def access(self, packed: int) -> Access:
        """Unpack a request, as a monitor sees it."""

        def member(name: str) -> int:
            lsb, mask = _slice(_REQUEST, name)
            return packed >> lsb & mask

        context = PeContext(
            **{name: bool(member("context") >> _CONTEXT[name].offset & 1) for name in PeContext._fields}
        )
        register = register_at(member("encoding"))
        return Access(member("el"), register, bool(member("write")), member("value"), member("rt"), context)

    def response(self, packed: int) -> Response:
        """Unpack a response."""
        lsb, mask = self._outcome
        outcome = _OUTCOMES[packed >> lsb & mask]
        value, value_mask = self._value
        esr, esr_mask = self._esr
        return Response(outcome, packed >> value & value_mask, packed >> esr & esr_mask)

    def answer(self, access: Access, packed: int) -> Response:
        """Unpack the response to ``access``, as a monitor sees it."""
        return self.response(packed)

    def state(self, packed: int) -> State:
        """Unpack the probe."""
        state = State()
        for name, lsb, mask in self._scalars:
            setattr(state, name, packed >> lsb & mask)
        for name, offsets, mask in self._arrays:
            setattr(state, name, [packed >> lsb & mask for lsb in offsets])
        return state
