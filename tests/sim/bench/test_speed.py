"""The speed figures count what the guest language counts."""

import pytest

from hw.config import GicConfig
from sim.bench.compiled import CompiledLink, build
from sim.bench.link import Host
from sim.bench.port import bench_ports
from sim.bench.speed import densest, exits, mix, operations, raw
from sim.guest.interpreter import ProgramGuest
from sim.guest.language import parse_program
from sim.guest.operation import Kind
from sim.guest.program import Op
from sim.port import run

#: The configuration of the other tests of the bench, so that there is one build.
CONFIG = GicConfig(lrs=2)


@pytest.mark.parametrize("own", [None, 9, 2, 0])
def test_a_mix_is_what_it_says(own):
    """Operations of one turn by the program's text, those that take time by the interpreter."""
    source, done, timed = mix(own)
    program = parse_program(source, "mix")
    *body, back, _ = program.instructions
    assert done == sum(one.src if one.op is Op.NOP else 1 for one in (*body, back))
    assert (back.op, back.target) == (Op.B, 0)
    guest, accesses = ProgramGuest(program), 0
    for _ in range(timed):
        operation = guest.next(False, False)
        accesses += operation.kind is Kind.SYSREG
        guest.complete(operation, 1023, 0)
    if own is None:
        assert accesses == 0
    else:
        assert accesses * (own + 1) == done - 1


def test_every_figure_is_measured():
    link = CompiledLink(build(CONFIG))

    async def bring_up():
        return await bench_ports(Host(link), CONFIG, 1)

    (port,) = run(bring_up())
    assert raw(link, 1000) > 0
    assert operations(port, 9, 0.01) > 0
    assert 0 <= densest(port, 0.01) <= 1
    assert exits(port, 20) > 0
    link.close()
