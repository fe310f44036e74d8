"""The synthesizable bench: on every transport what the direct engines show, and cycle for cycle the same."""

import random
from pathlib import Path

import pytest

from hw.bench.protocol import LENGTHS, Opcode
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from sim.bench import compiled
from sim.bench.link import Host
from sim.bench.port import bench_ports
from sim.bench.words import command
from sim.port import run
from sim.scenario.result import PASS
from tb.runner import run_job
from tb.scenarios import play_scenarios
from tests.bench_jobs import clocks
from tests.simulators import PRESENT

DIRECTORY = Path(__file__).parents[2] / "sim" / "scenarios"
#: Two list registers and one CPU: one build for all of them.
CONFIG = GicConfig(lrs=2)
COMPILED = (
    "A01", "A03", "A05", "A06", "A07", "A08", "A09", "A10", "A12", "A17", "A18", "A20", "A28", "F18_2",
    "F21_2", "F22_13",
)  # fmt: skip
TIMED = tuple(f"bench-{name}" for name in (*PRESENT, "amaranth", "uart"))
OVERFLOW = """scenario overflow: All interrupts at once
machine lrs 2{settings}
SPI 32..39 prio 60 58 50 48 40 38 30 28
guest 0
    MOV r4, 8
    IGROUPR 32 -> 1
again:
    IAR r0
    CMP r0, 1023
    BEQ idle
    LOG r0
    RPR r1
    NOP 3
    EOI r0
    LOOP r4 again
    HPPIR -> none
    EXPECT r4, 1
    RPR -> 55
    SGI 1 to self
    EXIT
    HALT
idle:
    WFI
    B again
end
steps {profile}:
    ENTER
"""

LOOP = """scenario loop: An interrupt that never comes, or nothing to do
machine lrs 2
SPI 32..34 prio 60 58 50
guest 0
    ISPENDR 32
    IAR -> 32
    ISPENDR 33
    IAR -> 33
    ISPENDR 34
again:
    ADD r1, 1
    AND r1, 3
    IAR r0
    NOP 2
    B again
end
steps {profile}:
    ENTER
"""


def scenarios(*names):
    return [DIRECTORY / f"{name}.scenario" for name in names]


def assert_as_golden(engine, files, profile=None):
    found = play_scenarios(files, engine, profile)
    assert {result.status for result in found} == {PASS}
    golden = play_scenarios(files, profile=profile)
    assert [result.as_dict() for result in found] == [result.as_dict() for result in golden]


def test_scenarios_on_the_compiled_bench():
    """Every event is the one golden shows, under every profile."""
    assert_as_golden("bench-compiled", scenarios(*COMPILED))


def test_scenarios_over_a_serial_line():
    """The host's code for a board, at a pseudo-terminal with the board's design behind its pins."""
    assert_as_golden("bench-uart", scenarios("A01", "A03", "A08", "A28", "F21_2"), "7.3")


@pytest.mark.parametrize("engine", [f"bench-{name}" for name in PRESENT])
def test_scenarios_on_the_simulated_bench(engine):
    assert_as_golden(engine, scenarios("A03", "A08", "A28"), "7.3")


def test_a_scenario_on_the_bench_in_amaranth():
    assert_as_golden("bench-amaranth", scenarios("A03", "G12"), "7.3")


def test_cycle_for_cycle_the_same_on_every_transport():
    """Every record's clock, the report's, and what was read."""
    found = {
        engine: run_job("tests.bench_jobs:clocks", engine=engine, config=CONFIG)
        for engine in ("bench-compiled", *TIMED)
    }
    first = found["bench-compiled"]
    assert [record[-1] for record in first[0] if record[0] == 8] == [0x1234_5678_9ABC_DEF0]
    assert first[1][:2] == ["HALT", 11]
    assert all(one == first for one in found.values())


@pytest.mark.parametrize(
    ("profile", "settings"),
    [
        ("7.3", ""), ("legacy", ""), ("7.3", ", mi 3, kick 2"), ("legacy", ", mi 3, kick 2"),
        ("7.3", ", eoimode 1, mi 1"),
    ],
)  # fmt: skip
def test_a_guest_that_runs_free_does_what_it_does_step_by_step(tmp_path, profile, settings):
    """Exits, events, failed expectations and the final state; Python was entered once per exit."""
    path = tmp_path / "overflow.scenario"
    path.write_text(OVERFLOW.format(settings=settings, profile=profile))
    golden, free = (
        run_job("tests.bench_jobs:overflow", {"path": str(path), "free": free}, engine=engine, config=CONFIG)
        for engine, free in (("golden", False), ("bench-compiled", True))
    )
    assert len(golden[4]) == 2, golden[4]
    assert free == golden


@pytest.mark.parametrize(("profile", "end"), [("legacy", "live-lock"), ("7.3", "running")])
def test_a_loop_of_a_guest_that_runs_free_is_found_as_step_by_step(tmp_path, profile, end):
    """A pending interrupt that no list register is left for; without the fault, a guest that only polls."""
    path = tmp_path / "loop.scenario"
    path.write_text(LOOP.format(profile=profile))

    def job(engine, free, watched):
        arguments = {"path": str(path), "free": free, "watched": watched}
        return run_job("tests.bench_jobs:ends", arguments, engine=engine, config=CONFIG)

    golden, free = job("golden", False, True), job("bench-compiled", True, True)
    assert golden[:2] == [end, {"0": [34]} if end == "live-lock" else {}]
    assert free == golden
    unwatched = job("bench-compiled", True, False)
    assert unwatched[:3] == golden[:3]


def test_leaving_out_parts_at_rest_changes_no_word_and_no_cycle():
    """The compiled bench, against its own full evaluation, on a program and on words of any kind."""
    assert conversation(False) == conversation(True)


def conversation(everything):
    """Return every word sent and received on a bench of its own, with the cycles they took."""
    link = compiled.CompiledLink(compiled.build(CONFIG))
    link.evaluate_everything(everything)
    told = []

    class Recorder:
        async def exchange(self, words, messages):
            found = [list(one) for one in await link.exchange(words, messages)]
            told.append((list(words), found, link.cycles))
            return found

    async def job():
        recorder, choices = Recorder(), random.Random(5)
        await clocks(await bench_ports(Host(recorder), CONFIG, 1))
        for _ in range(300):
            # RESUME is left out: a guest that never stops would be no end of the comparison, either.
            opcode = choices.choice([one for one in Opcode if one is not Opcode.RESUME])
            words = [choices.getrandbits(32) for _ in range(choices.choice(LENGTHS[opcode]))]
            await recorder.exchange(command(opcode, 0, words, 1 + choices.randrange(200)), 1)

    try:
        run(job())
    finally:
        link.close()
    return told


def test_a_missing_compiler_is_one_line_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(
        InputError, match=r"^engine bench-compiled needs a C\+\+ compiler.*apt-get install g\+\+$"
    ):
        compiled.build(CONFIG)


def test_gicv2_scenarios_on_the_compiled_bench():
    """GICH and GICV of a GICv2 host, HW interrupts, and a GICv2 guest on a GICv3 host."""
    assert_as_golden("bench-compiled", scenarios("A22", "G07", "G09", "G12"), "7.3")


def test_a_guest_does_not_run_free_on_gicv2():
    with pytest.raises(InputError, match="runs free on a GICv3 bench only"):
        run_job("tests.bench_jobs:free_guest", engine="bench-amaranth", config=GicV2Config(lrs=1))


def test_the_compiled_bench_writes_no_waves(tmp_path):
    with pytest.raises(InputError, match="bench-compiled writes no waves; use bench-verilator"):
        run_job("tests.jobs:identify", engine="bench-compiled", waves=tmp_path / "a.vcd")
