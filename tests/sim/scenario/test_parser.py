"""The scenario format: every mistake is placed and explained."""

from pathlib import Path

import pytest

from hw.errors import InputError
from sim.machine.latency import IMMEDIATE, SLOW
from sim.scenario.model import ExpectExits, GuestStep
from sim.scenario.parser import find_scenarios, parse_scenario, read_scenario

HEAD = """scenario t: title
machine lrs 2, vcpus 2, mi slow
SPI 32 33 prio 40 48
LPI 8192 prio a0
steps 7.3 6.19:
"""


def steps(text):
    return parse_scenario(HEAD + text, "t").sequences[0].steps


def test_header():
    scenario = parse_scenario(HEAD + "ENTER\n", "t")
    assert (scenario.name, scenario.title) == ("t", "title")
    assert (scenario.machine.config.lrs, scenario.machine.vcpus, scenario.machine.mi) == (2, 2, SLOW)
    assert [(one.intid, one.priority) for one in scenario.interrupts] == [
        (32, 0x40),
        (33, 0x48),
        (8192, 0xA0),
    ]
    assert scenario.sequences[0].profiles == ("7.3", "6.19")


def test_interrupt_settings():
    text = "scenario t: x\nmachine vcpus 2\nSPI 40 prio 80 level group 0 disabled vcpu 1 resample\n"
    text += "steps:\nENTER\n"
    (one,) = parse_scenario(text, "t").interrupts
    assert (one.level, one.group, one.enabled, one.vcpu, one.resample) == (True, 0, False, 1, True)


def test_steps_with_another_machine_and_title():
    sequence = parse_scenario(HEAD + "ENTER\nsteps legacy with mi fast, lrs 4: late\nENTER\n", "t").sequences[
        1
    ]
    assert (sequence.title, sequence.machine.mi, sequence.machine.config.lrs) == ("late", IMMEDIATE, 4)
    assert sequence.machine.vcpus == 2


def test_guards_prefixes_and_comments():
    (step,) = steps("[6.19] vCPU1: EOI 32  # only there\n")
    assert isinstance(step, GuestStep)
    assert (step.only, step.vcpu) == (("6.19",), 1)


def test_exits_are_sets_in_order():
    (step,) = steps("X(1): LRENP U; TRAP !KICK\n")
    assert isinstance(step, ExpectExits)
    assert step.vcpu == 1
    assert step.exits == (frozenset({"LRENP", "U"}), frozenset({"TRAP"}))
    assert step.absent == {"KICK"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("IRA -> 32", "did you mean IAR?"),
        ("frobnicate", "expected a guest instruction, ENTER"),
        ("inj 99", "interrupt 99 is not described"),
        ("inj", "expected INTIDs to inject"),
        ("line 32 = 2", "expected 'line INTID = 0'"),
        ("phys 27 up=1", "expected 'phys INTID line=0|1"),
        ("vCPU2: IAR", "no vCPU2: the machine has 2"),
        ("ENTER 2", "expected vCPU numbers or all from 0 to 1"),
        ("ABORT now", "expected the end of the line after ABORT"),
        ("WFI -> dreams", "expected 'sleeps' or 'returns'"),
        ("LOG r0", "LOG needs a program"),
        ("RUN", "RUN needs a 'guest' program"),
        ("user IAR", "expected a distributor access after 'user'"),
        ("hammer 32", "expected 'hammer INTIDS times N'"),
        ("probe tds=maybe -> yes", "expected host settings"),
        ("[7.0] ENTER", "[7.0]: these steps are for 7.3 6.19 only"),
        ("E: 32X", "expected a list register such as 36P"),
        ("E: 32P | UI", "expected ICH_HCR_EL2 bits"),
        ("X: Q", "expected exit causes"),
        ("S: 32 busy", "expected one of idle pending"),
        ("S: 32", "expected what interrupt 32 is"),
        ("S: nothing", "expected INTIDs and their state"),
        ("H: LR0 3", "expected 'LRs ...'"),
        ("H: emulated few", "expected a number of accesses"),
        ("P: 27 on", "expected 'P: INTID active'"),
        ("D: x", "expected INTIDs or none"),
        ("V: over", "expected one of finished"),
        ("A: !FOO", "expected HCR bits"),
    ],
)
def test_wrong_steps(line, message):
    with pytest.raises(InputError) as caught:
        steps(f"ENTER\n{line}\n")
    assert str(caught.value).startswith("t:7: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t:1: expected 'scenario NAME: title'"),
        ("steps:\n", "t:1: expected 'scenario NAME: title' first"),
        ("scenario x\n", "t:1: expected one line 'scenario NAME: title'"),
        ("scenario x: y\n", "t:1: expected at least one 'steps' section"),
        ("scenario x: y\nsteps:\n", "t:2: these steps are empty"),
        ("scenario x: y\nsteps 9.9:\nENTER\n", "t:2: unknown hypervisor '9.9'"),
        ("scenario x: y\nsteps 7.3\nENTER\n", "t:2: expected 'steps"),
        ("scenario x: y\nmachine lrs\n", "t:2: expected 'key value' settings"),
        ("scenario x: y\nmachine lrs 17\n", "t:2: lrs must be an integer from 1 to 16"),
        ("scenario x: y\nmachine lsr 2\n", "t:2: unknown machine setting 'lsr'; did you mean lrs?"),
        (
            "scenario x: y\nmachine mi late\n",
            "t:2: expected fast, slow, a number of guest operations, or of cycles",
        ),
        ("scenario x: y\nmachine tds 2\n", "t:2: expected on, off, yes or no"),
        ("scenario x: y\nSPI 32\n", "t:2: expected 'prio'"),
        ("scenario x: y\nSPI 32 33 prio 8 10 18\n", "t:2: expected one priority or 2"),
        (
            "scenario x: y\nSPI 32 prio 96\n",
            "t:2: expected a multiple of 8 as priority, hexadecimal, found 96; did you mean 60, which is 96?",
        ),
        ("scenario x: y\nSPI 32 prio 61\n", "t:2: expected a multiple of 8 as priority"),
        ("scenario x: y\nLPI 8192 prio 42\n", "t:2: expected a multiple of 4"),
        ("scenario x: y\nSPI 16 prio 80\n", "t:2: 16 is not the INTID of an SPI"),
        ("scenario x: y\nSPI 32 prio 80\nSPI 32 prio 80\n", "t:3: interrupt 32 is described twice"),
        ("scenario x: y\nSPI 200 prio 80\n", "t:2: SPI 200 is beyond the machine's 96"),
        ("scenario x: y\nSPI 32 prio 80 vcpu 1\n", "t:2: vcpu 1: the machine has 1"),
        ("scenario x: y\nSPI 32 prio 80 loud\n", "t:2: expected an interrupt setting"),
        ("scenario x: y\nSGI 3 prio 80 level\n", "t:2: an SGI is always edge-triggered"),
        ("scenario x: y\nguest 0\nWFI\n", "t:2: the guest program has no 'end' line"),
        (
            "scenario x: y\nguest 0\nWIF\nend\n",
            "t:3: expected an instruction, found 'WIF'; did you mean WFI?",
        ),
        ("scenario x: y\nopen\n", "t:2: expected the reason"),
        ("scenario x: y\nfoo\n", "t:2: expected scenario, origin, open, machine"),
    ],
)
def test_wrong_headers(text, message):
    with pytest.raises(InputError) as caught:
        parse_scenario(text, "t")
    assert str(caught.value).startswith(message)


def test_files_that_are_not_scenarios(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        find_scenarios(tmp_path / "missing.scenario")
    with pytest.raises(InputError, match=r"no \.scenario files"):
        find_scenarios(tmp_path)
    binary = tmp_path / "x.scenario"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text file"):
        read_scenario(binary)
    assert find_scenarios(tmp_path) == [Path(binary)]
