"""Counts of a recorded run, held against what the recorder and the guest counted themselves."""

import re
from pathlib import Path

import pytest

from hw.errors import InputError
from hw.registers import lookup
from sim.trace import (
    Acknowledge,
    Entry,
    ExceptionTaken,
    Injection,
    MaintenanceLine,
    RegisterAccess,
    open_trace,
)
from tb.cli.demo import DEMO_TRACE
from tb.traffic import MAINTENANCE, count_traffic, read_traffic

TRACES = Path(__file__).parents[1] / "data/traces"
#: Recordings whose guest only acknowledges, ends and deactivates through its CPU interface.
GUESTS = (
    "kvm-real-7.3.4-manyactive-eoimode1",
    "kvm-real-7.3.4-manyactive-shuffle-reinject-lifo",
    "kvm-real-7.3.4-nest-eoimode0",
    "kvm-real-7.3.4-nest-eoimode0-2lr",
    "kvm-real-7.3.4-nest-eoimode0-alltraps",
)


@pytest.mark.parametrize("name", GUESTS)
def test_peak_is_what_the_guest_counted(name):
    """The guest logs "actives reached" under tag 2."""
    meta, traffic = read_traffic(TRACES / f"{name}.jsonl.gz")
    logged = [int(n) for n in re.findall(r"tag 2 val (\d+)", "\n".join(meta.raw["console"]))]
    assert traffic.peak == max(logged)
    assert traffic.active[-1] == 0


@pytest.mark.parametrize("name", GUESTS[:4])
def test_counts_are_what_the_recorder_counted(name):
    meta, traffic = read_traffic(TRACES / f"{name}.jsonl.gz")
    counts = meta.raw["counts"]
    assert traffic.guest == sum(n for key, n in counts.items() if key.startswith("ICV_"))
    assert traffic.hypervisor == sum(n for key, n in counts.items() if key.startswith("ICH_"))
    assert traffic.entries == counts["entry"]
    assert traffic.lrs == meta.raw["nlr"]
    exits = sum(n for key, n in counts.items() if key.startswith("exc/"))
    with open_trace(TRACES / f"{name}.jsonl.gz") as trace:
        host = sum(isinstance(e, ExceptionTaken) and (e.host or e.to_el != 2) for e in trace.events())
    assert sum(traffic.exits.values()) == exits - host


def test_the_demo_overflows_and_takes_maintenance_interrupts():
    meta, traffic = read_traffic(DEMO_TRACE)
    assert meta.kernel.startswith("7.3")
    assert traffic.peak == 20 > traffic.lrs == 4
    assert traffic.exits[MAINTENANCE] > 0
    assert traffic.traps["ICC_DIR_EL1"] == 50


def _guest(name: str, write: bool, value: int, cpu: int = 0) -> RegisterAccess:
    return RegisterAccess(0, cpu, 1, lookup(name), write, value)


def test_eoimode_decides_what_deactivates():
    events = [
        _guest("ICV_IAR1_EL1", False, 40),
        _guest("ICV_IAR0_EL1", False, 41),
        _guest("ICV_EOIR1_EL1", True, 40),
        _guest("ICV_CTLR_EL1", True, 2),
        _guest("ICV_EOIR0_EL1", True, 41),
        _guest("ICV_DIR_EL1", True, 41),
        _guest("ICV_IAR1_EL1", False, 1023),
    ]
    traffic = count_traffic(events, 1)
    assert traffic.active == [1, 2, 1, 0]
    assert (traffic.acknowledged, traffic.spurious, traffic.peak) == (2, 1, 2)


def test_private_interrupts_are_one_for_each_cpu_and_shared_ones_are_not():
    events = [
        _guest("ICV_IAR1_EL1", False, 3, cpu=0),
        _guest("ICV_IAR1_EL1", False, 3, cpu=1),
        _guest("ICV_IAR1_EL1", False, 40, cpu=0),
        _guest("ICV_EOIR1_EL1", True, 40, cpu=1),
    ]
    assert count_traffic(events, 4).active == [1, 2, 3, 2]


def test_exits_have_causes():
    page = 0xA00_0000
    events = [
        Entry(1, 0, 0x8000_0000),
        MaintenanceLine(2, 0, True),
        ExceptionTaken(3, 0, 1, 2, "irq"),
        MaintenanceLine(4, 0, False),
        ExceptionTaken(5, 0, 1, 2, "irq"),
        Acknowledge(6, 0, 27),
        ExceptionTaken(7, 0, 1, 2, "mmio", address=page + 4, write=True, value=1),
        ExceptionTaken(8, 0, 1, 2, "mmio", address=0x800_0104, write=True, value=1),
        ExceptionTaken(9, 0, 1, 2, "sysreg", register=lookup("ICC_DIR_EL1"), register_name="ICC_DIR_EL1",
                       write=True, value=40),
        ExceptionTaken(10, 0, 1, 2, "hvc", host=True),
        ExceptionTaken(11, 0, 0, 1, "virtual irq"),
        Injection(12, 0, 40, True, "doorbell"),
        Injection(13, 0, 40, False, "doorbell"),
    ]  # fmt: skip
    traffic = count_traffic(events, 4, page)
    assert traffic.exits == {
        MAINTENANCE: 1,
        "other interrupt": 1,
        "doorbell": 1,
        "distributor access": 1,
        "trapped ICC_DIR_EL1": 1,
    }
    assert traffic.traps == {"ICC_DIR_EL1": 1}
    assert (traffic.entries, traffic.injections, traffic.accesses) == (1, 1, 1)


def test_sequences_are_not_a_run():
    with pytest.raises(InputError, match="sequences of single operations"):
        read_traffic(TRACES / "qemu-gicv3-directed.jsonl.gz")
