"""Every cure switched off in ``fixed``, on the gateware: its rows fail again, event by event as on golden.

That a cure alone cures its row is in the scenarios themselves (steps for ``7.3,SWITCH``): ``make scenarios``.
"""

from dataclasses import replace
from pathlib import Path

from sim.kvm.cures import CURES
from sim.scenario.job import Task, select
from sim.scenario.model import MachineSpec
from sim.scenario.result import FAIL
from tb.scenarios import play_selected

DIRECTORY = Path(__file__).parents[2] / "sim" / "scenarios"


def without_each() -> list[tuple[Task, MachineSpec]]:
    """Return the rows of each cure under ``fixed`` without it, held to what ``fixed`` must do."""
    tasks = []
    for cure in CURES:
        files = [DIRECTORY / f"{name}.scenario" for name in cure.scenarios]
        found, opened = select(files, f"fixed,-{cure.switch}")
        assert opened == [] and {Path(task.file) for task, _ in found} == set(files)
        tasks += [(replace(task, judged_as="fixed"), spec) for task, spec in found]
    return tasks


def test_without_a_cure_the_gateware_shows_its_fault():
    tasks = without_each()
    golden, found = play_selected(tasks), play_selected(tasks, "verilator")
    assert [one.as_dict() for one in found] == [one.as_dict() for one in golden]
    # A file may have further steps, of which the fault is no part.
    assert {one.name for one in found if one.status == FAIL} == {
        name for cure in CURES for name in cure.scenarios
    }
