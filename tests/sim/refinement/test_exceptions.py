"""The named exceptions: each with its smallest example, and each gone or unrecognised where it should be."""

from dataclasses import replace

import pytest

from sim.kvm import flush_sync
from sim.kvm.bugs import BUGS
from sim.machine.parts import PARTS
from sim.refinement.actions import Action
from sim.refinement.exceptions import EXCEPTIONS
from sim.refinement.run import refine
from sim.refinement.setup import Setup
from sim.scenario.model import Interrupt


def edge(intid, priority, **settings):
    return Interrupt(intid, priority, False, **settings)


def level(intid, priority, **settings):
    return Interrupt(intid, priority, True, **settings)


def actions(text):
    """Parse ``kind a b c; kind a b c``; missing numbers are 0."""
    result = []
    for part in text.split(";"):
        kind, *numbers = part.split()
        result.append(Action(kind, *map(int, numbers)))
    return result


#: name -> (machine, actions). "ack 0" is vCPU 0's; devices are numbered among their kind.
EXAMPLES = {
    "22.1": (Setup(lrs=1, interrupts=(edge(32, 0x40), edge(33, 0x48))), "pulse 0; pulse 1"),
    "22.2": (
        Setup(
            lrs=2,
            eoimode=1,
            trouble=True,
            interrupts=(
                edge(32, 0x80, group=0),
                edge(33, 0x70, group=0),
                edge(40, 0x90),
                edge(41, 0x90),
                edge(42, 0x90),
            ),
        ),
        "igrpen 0 1 0; pulse 0; ack; pulse 1; ack; pulse 2; pulse 3; pulse 4",
    ),
    "22.4": (Setup(trouble=True, interrupts=(level(41, 0x80, resample=True),)), "raise 0; ack 0; eoi 0"),
    "22.5": (
        Setup(lrs=4, vcpus=2, eoimode=1, interrupts=(level(40, 0x40),)),
        "raise 0; ack 0; eoi 0; dir 0 0 1; exit 1; ack 0; eoi 0; lower 0; dir 1 0 0",
    ),
    "22.6": (
        Setup(
            trouble=True,
            interrupts=(edge(32, 0x80), edge(33, 0x70, group=0), edge(34, 0xA0), edge(35, 0xA0)),
        ),
        "pulse 0; ack; pulse 1; ack; pulse 2; pulse 3; igrpen 0 0 0; pulse 0",
    ),
    "22.7": (
        Setup(
            eoimode=1,
            trouble=True,
            trapped=True,
            interrupts=tuple(edge(n, p) for n, p in ((32, 0x80), (33, 0x40), (34, 0x20))),
        ),
        "pulse 0; ack; pulse 1; pulse 2; eoi; read",
    ),
    "22.8": (
        Setup(lrs=2, eoimode=1, trouble=True, interrupts=(edge(32, 0x80),)),
        "pulse 0; ack; eoi; alias; pulse 0",
    ),
    "22.9": (
        Setup(lrs=4, vcpus=2, eoimode=1, trouble=True, interrupts=(level(40, 0x40),)),
        "raise 0; ack 0; eoi 0; wfi 0; dir 1 0 0",
    ),
    "22.13": (
        Setup(lrs=2, trouble=True, interrupts=(level(32, 0x80),)),
        "raise 0; ack; pend",
    ),
    "22.14": (Setup(trouble=True, interrupts=(edge(32, 0x80),)), "pulse 0; gicd 0 0; gicd 0 1"),
    "R1": (Setup(interrupts=(edge(32, 0x80),)), "pulse 0; ack; pulse 0; enable 0 0 0"),
    "R2": (
        Setup(lrs=4, vcpus=2, trouble=True, interrupts=(edge(32, 0x80),)),
        "pulse 0; pmr 0 4; wfi 0; route 1 0 1",
    ),
    "R3": (
        Setup(lrs=4, vcpus=2, trouble=True, interrupts=(edge(32, 0x80),)),
        "pulse 0; enable 1 0 0",
    ),
    "R4": (
        Setup(lrs=2, trouble=True, interrupts=(level(27, 0x30, hw=27), edge(32, 0x10), edge(33, 0x20))),
        "pulse 0; pulse 1; phys 0 1; phys 0 0; ack; eoi; ack",
    ),
    "R5": (
        Setup(lrs=4, vcpus=2, trouble=True, interrupts=(edge(33, 0x80, vcpu=1),)),
        "pulse 0; unpend 0 0",
    ),
    "R6": (
        Setup(lrs=4, vcpus=2, eoimode=1, latency=8, interrupts=(edge(36, 0x10),)),
        "pulse 0; exit 0; ack 0; eoi 0; dir 1 0 0",
    ),
    "R7": (
        Setup(lrs=4, vcpus=2, trouble=True, interrupts=(edge(32, 0x80),)),
        "pulse 0; pmr 0 4; wfi 0; prio 1 0 1",
    ),
    "R9": (
        Setup(trouble=True, trapped=True, interrupts=(edge(32, 0x28), edge(33, 0x48, group=0))),
        "bpr 0 0 6; pulse 0; ack; pulse 1; ack 0 0",
    ),
}


def test_every_exception_has_its_example():
    assert set(EXAMPLES) == {known.name for known in EXCEPTIONS}


def test_every_exception_is_a_known_failure():
    """It has a scenario or a test of its own, which also runs on the gateware."""
    shown = {bug.name for bug in BUGS if bug.scenarios or bug.test}
    assert {known.name for known in EXCEPTIONS} <= shown


@pytest.mark.parametrize("name", EXAMPLES)
def test_smallest_example(name):
    setup, text = EXAMPLES[name]
    outcome = refine(setup, actions(text), log=40)
    assert outcome.divergence is not None, "\n".join(outcome.log)
    assert outcome.name == name, f"{outcome.divergence}\n" + "\n".join(outcome.log)


def test_r1_takes_an_end_without_an_exit():
    """R1 in EOImode 1: a DIR that traps to the kernel folds first; one that hyp emulates does not."""
    setup, text = EXAMPLES["R1"]
    setup = replace(setup, eoimode=1)
    met = {part: refine(replace(setup, part=part), actions(text)) for part in PARTS if part != "gic-400"}
    assert met["cortex-a76"].divergence is None and met["cortex-a76"].exits["TRAP"] == 1
    assert met["armv8.0-no-tdir"].name == "R1" and not met["armv8.0-no-tdir"].exits["TRAP"]
    cured = replace(setup, part="armv8.0-no-tdir", profile="7.3,+pending_if_enabled")
    assert refine(cured, actions(text)).divergence is None


def test_no_exception_holds_while_its_cure_is_on(monkeypatch):
    """A cure that does not cure is a finding."""
    setup, text = EXAMPLES["R4"]
    cured = replace(setup, profile="7.3,+sample_at_flush")
    assert refine(cured, actions(text)).divergence is None
    monkeypatch.setattr(flush_sync, "vgic_v3_sample_line", lambda irq: None)
    assert refine(cured, actions(text)).finding
    assert refine(setup, actions(text)).name == "R4"


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_in_the_example_is_idle(name):
    """Leaving out any one action leaves nothing of the exception: the examples are the smallest."""
    setup, text = EXAMPLES[name]
    whole = actions(text)
    for number in range(len(whole)):
        outcome = refine(setup, whole[:number] + whole[number + 1 :])
        assert outcome.name != name, f"{whole[number]} is not needed"
