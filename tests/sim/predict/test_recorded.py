"""Every recorded kernel is predicted: registers at each entry, access order, reads, and the end state."""

import pytest

from sim.engines.golden import GoldenPort
from sim.port import Access, Outcome, Response, run
from sim.predict import find_order, predict_trace
from sim.predict.job import predict_files
from sim.predict.predictor import Predictor
from sim.predict.setup import is_predictable, placement, profile_of
from sim.trace import open_trace
from tests.sim.recording import TRACES, fixtures


def _predictable(path):
    with open_trace(path) as trace:
        return is_predictable(trace.meta)


RECORDED = [path for path in fixtures("kvm-real-*") if _predictable(path)]


def name(path):
    return path.name.removesuffix(".jsonl.gz")


def test_there_are_recordings_of_all_kernels():
    kernels = {name(path).split("-")[2] for path in RECORDED}
    assert kernels >= {"6.1.0", "6.12.107", "6.18.15", "6.19.14", "7.3.4"}


@pytest.mark.parametrize("path", RECORDED, ids=name)
def test_open_loop(path):
    """All entries equal; where the recording leaves the order open, in one of the orders it allows."""
    report = predict_trace(str(path))
    assert report.differences == []
    assert (report.entries > 0, report.equal, report.lost) == (True, report.entries, "")
    assert (report.reads_different, report.final_state) == (0, [])
    assert report.good
    assert not report.placed or report.stimulus == "approximate"


@pytest.mark.parametrize("path", [path for path in RECORDED if path.stat().st_size < 6000], ids=name)
def test_closed_loop_on_golden(path):
    """Our hardware, our hypervisor and the recorded guest against what was recorded."""
    placements, open_loop = find_order(str(path))
    with open_trace(path) as trace:
        ports = [GoldenPort(trace.config) for _ in range(1 + max(placement(trace).values()))]
    task = {"path": str(path), "profile": open_loop.profile, "placements": list(placements.items())}
    (report,) = run(predict_files(ports, "golden", [task]))
    assert report["differences"] == []
    assert report["engine_reads"] > 0
    assert (report["equal"], report["engine_reads_different"]) == (open_loop.entries, 0)
    assert report["good"]


class _ForgetfulPort(GoldenPort):
    """Hardware whose ELRSR never shows an empty list register."""

    async def access(self, access: Access) -> Response:
        """Execute, and spoil ELRSR."""
        response = await super().access(access)
        if access.register.name == "ICH_ELRSR_EL2":
            return Response(Outcome.OK, 0)
        return response


def test_closed_loop_notices_other_hardware():
    path = TRACES / "kvm-real-7.3.4-nest-eoimode0-nvhe.jsonl.gz"
    with open_trace(path) as trace:
        config = trace.config
    task = {"path": str(path), "profile": "7.3", "placements": []}

    async def spoiled():
        from sim.deviations import STRICT
        from sim.replay.twins import Twins

        with open_trace(path) as trace:
            engines = {0: Twins(_ForgetfulPort(config), STRICT)}
            return await Predictor(trace, profile_of(trace), engines, "spoiled").run()

    report = run(spoiled())
    assert report.lost or report.engine_reads_different
    assert not report.good
    assert task["profile"] == report.profile


@pytest.mark.parametrize(
    ("trace", "profile"),
    [
        ("kvm-real-7.3.4-nest-eoimode0", "legacy"),
        ("kvm-real-7.3.4-nest-eoimode0", "7.3,-pending_first"),
        ("kvm-real-7.3.4-nest-eoimode0", "7.3,-misr_read_back"),
        ("kvm-real-7.3.4-nest-eoimode0", "7.3,-group_maintenance"),
        ("kvm-real-7.3.4-random-eoimode0", "7.3,-undeliverable_last"),
        ("kvm-real-6.19.14-nest-eoimode0", "7.3"),
        ("kvm-real-6.1.0-groups", "legacy"),
        ("kvm-real-6.18.15-nest-eoimode0", "7.3"),
        ("kvm-real-7.3.4-nest-eoimode0-alltraps", "7.3,-constant_traps"),
    ],
)
def test_another_kernel_is_told_apart(trace, profile):
    from sim.kvm.profile import profile_named

    report = predict_trace(str(TRACES / f"{trace}.jsonl.gz"), profile_named(profile))
    assert not report.good
    assert report.differences or report.lost
