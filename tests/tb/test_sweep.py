"""The sweep over registers, levels, contexts and traps: on the gateware and on models that forget."""

from hw.config import GicConfig
from sim.engines.golden import golden_port
from sim.lockstep import sweep_job
from sim.port import Outcome, run
from sim.stimulus.sweep import every_access
from tb.runner import run_job

CONFIG = GicConfig()


class Forgetful:
    """A golden port that never looks at one part of the context."""

    def __init__(self, name, value):
        self._port, self._part = golden_port(CONFIG), {name: value}
        self.config = CONFIG

    def __getattr__(self, name):
        return getattr(self._port, name)

    async def access(self, access):
        """Execute an access in another context."""
        return await self._port.access(access._replace(context=access.context._replace(**self._part)))


def test_the_gateware_agrees_with_golden_on_every_access():
    assert run_job("sim.lockstep:sweep_job", engine="verilator", config=CONFIG) is None


def test_each_part_of_the_context_matters():
    guest = next(iter(every_access())).context
    for name, value in guest._asdict().items():
        report = run(sweep_job([Forgetful(name, value)]))
        assert report and "response outcome" in report, name


def test_every_outcome_is_met():
    golden = golden_port(CONFIG).golden
    assert {golden.access(access).outcome for access in every_access()} == set(Outcome)
