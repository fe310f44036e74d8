"""Packing agrees with Amaranth's own layouts, in both directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw import port as gateware
from hw.config import GicConfig
from hw.errors import InputError
from hw.registers import BY_ENCODING, lookup
from sim.encoding import register_at
from sim.engines.codec import PortCodec
from sim.port import Access, Outcome, PeContext, Response, State

CODEC = PortCodec(GicConfig())
ACCESSES = st.builds(
    Access,
    st.integers(0, 3),
    st.builds(register_at, st.integers(0, 0xFFFF) | st.sampled_from(sorted(BY_ENCODING))),
    st.booleans(),
    st.integers(0, (1 << 64) - 1),
    st.integers(0, 31),
    st.builds(PeContext, *[st.booleans()] * 7),
)


@given(access=ACCESSES)
def test_a_request_is_what_amaranth_packs(access):
    constant = gateware.Request.const({
        "encoding": access.register.encoding,
        "write": access.write,
        "el": access.el,
        "rt": access.rt,
        "context": {name: int(value) for name, value in access.context._asdict().items()},
        "value": access.value,
    })  # fmt: skip
    packed = CODEC.request(access)
    assert packed == constant.as_bits()
    assert CODEC.access(packed) == access


@given(st.sampled_from(Outcome), st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 32) - 1))
def test_a_response_is_what_amaranth_unpacks(outcome, value, esr):
    constant = gateware.Response.const({
        "outcome": gateware.Outcome[outcome.name], "value": value, "esr": esr
    })  # fmt: skip
    assert CODEC.response(constant.as_bits()) == Response(outcome, value, esr)


@pytest.mark.parametrize("config", (GicConfig(lrs=1), GicConfig(lrs=16, pri_bits=8, pre_bits=7)))
def test_the_probe_is_what_amaranth_unpacks(config):
    scalars = {"hcr": 0x1111_1111, "vmcr": 0x2222_2222, "misr": 0x33, "eisr": 0x4444, "elrsr": 0x5555}
    arrays = {
        "ap0r": [0x6000_0000 + n for n in range(config.apr_words)],
        "ap1r": [0x7000_0000 + n for n in range(config.apr_words)],
        "lr": [0x8000_0000_0000_0000 + n for n in range(config.lrs)],
    }
    members = {f"{name}{n}": word for name, words in arrays.items() for n, word in enumerate(words)}
    codec = PortCodec(config)
    layout = gateware.observe_layout(config)
    assert codec.observe_width == layout.size
    state = codec.state(layout.const(scalars | members).as_bits())
    assert state == State(**scalars, **arrays)


@pytest.mark.parametrize(
    ("access", "text"),
    (
        (Access(2, lookup("ICH_LR0_EL2"), True, 1 << 64), "ICH_LR0_EL2: 0x10000000000000000 does not fit"),
        (Access(2, lookup("ICH_LR0_EL2"), True, -1), "ICH_LR0_EL2: -0x1 does not fit in 64 bits"),
        (Access(4, lookup("ICC_PMR_EL1")), "ICC_PMR_EL1: el must be 0 to 3 and rt 0 to 31, not 4 and 0"),
        (Access(1, lookup("ICC_PMR_EL1"), rt=32), "not 1 and 32"),
    ),
)
def test_what_does_not_fit_is_bad_input(access, text):
    with pytest.raises(InputError, match=text):
        CODEC.request(access)


def test_an_icv_register_stands_for_its_icc_encoding():
    assert CODEC.access(CODEC.request(Access(1, lookup("ICV_IAR1_EL1")))).register is lookup("ICC_IAR1_EL1")


def test_an_unknown_encoding_has_the_generic_name():
    register = register_at(lookup("ICC_IAR1_EL1").encoding ^ 0x80)
    assert register.name == "S3_0_C13_C12_0" and register_at(register.encoding) is register
