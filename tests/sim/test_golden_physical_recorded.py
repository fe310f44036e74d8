"""The golden physical side against recorded KVM hosts: a timer's level, taken, forwarded, sampled again.

The recordings have the virtual timer's line, every ICH and ICV access, and what the host read from
ICC_IAR1. What they leave out is the host's own completion of interrupts and the active state that KVM gives
the timer's interrupt in vcpu_load and at a trapped ICC_DIR_EL1; all are done here as Linux does them.
"""

import gzip
import json
from pathlib import Path

import pytest

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.mmio_map import lookup_mmio
from hw.registers import lookup
from sim.golden_physical import GoldenSystem
from sim.port import Access, PeContext, run

DATA = Path(__file__).parents[1] / "data" / "traces"
RECORDINGS = sorted(DATA.glob("kvm-real-*-timer-hw-level.jsonl.gz"))
TIMER, HOST = 27, PeContext(imo=False, fmo=False)


class Host:
    """One recorded machine, replayed on a golden system that is programmed as Linux programs it."""

    def __init__(self, meta):
        pes = 1 + max(int(n) for n in meta.get("vcpu_cpu", {"0": 0}).values())
        self.system = GoldenSystem(GicConfig.from_vtr(int(meta["vtr"], 16)), PhysicalConfig(), max(pes, 2))
        self.taken, self.loaded = [], False
        self.level = self.fired = False
        run(self.system.reset())
        self.write("GICD_CTLR", 2)
        for pe in range(len(self.system.ports)):
            self.write("GICR_WAKER", 0, pe)
            self.write("GICR_IGROUPR0", 0xFFFF_FFFF, pe)
            self.write("GICR_ISENABLER0", 1 << TIMER | 1 << 25, pe)
            for n in range(8):
                self.write(f"GICR_IPRIORITYR{n}", 0xA0A0_A0A0, pe)
            for name, value in (("PMR", 0xF0), ("CTLR", 2), ("IGRPEN1", 1)):
                self.host(pe, name, value)

    def write(self, name, value, pe=0):
        """Write a register of a frame."""
        run(self.system.ports[pe].access(Access(2, lookup_mmio(name), True, value)))

    def host(self, pe, name, value=None):
        """Access an ICC register as the host; the value of a read."""
        access = Access(2, lookup(f"ICC_{name}_EL1"), value is not None, value or 0, context=HOST)
        return run(self.system.ports[pe].access(access)).value

    def access(self, event):
        """Execute a recorded access; the value of a read."""
        register = lookup(event["reg"])
        write = event["op"] == "wr"
        if write and event["reg"] == "ICH_HCR_EL2" and int(event["val"], 16):
            self.fired = self.level  # the flush begins, vcpu_load is over
        access = Access(event["el"], register, write, int(event["val"], 16) if write else 0)
        return run(self.system.ports[event["cpu"]].access(access)).value

    def timer_irq(self, pe=0):
        """Whether the timer's interrupt would end a guest's run now."""
        lines, state = run(self.system.ports[pe].lines()), run(self.system.physical_state())
        return lines.irq and state.pes[pe].offered == TIMER

    def vcpu_load(self, pe=0):
        """Give the interrupt the active state that KVM has for it: fired, or still in a list register."""
        lrs = run(self.system.ports[pe].state()).lr
        mapped = any(lr >> 62 and lr >> 61 & 1 and lr >> 32 & 0x1FFF == TIMER for lr in lrs)
        self.write("GICR_ISACTIVER0" if self.fired or mapped else "GICR_ICACTIVER0", 1 << TIMER, pe)

    def event(self, event):
        """Follow one event that is no access."""
        pe = event["cpu"]
        match event["ev"]:
            case "vtimer":
                self.level = bool(event["level"])
                run(self.system.drive(TIMER, self.level, pe))
            case "run":
                self.loaded, self.fired = True, self.level
            case "entry" if self.loaded:
                self.loaded = False
                self.vcpu_load(pe)
            case "exc" if event.get("tr") == "ICC_DIR_EL1:wr" and int(event["val"], 16) == TIMER:
                self.write("GICR_ICACTIVER0", 1 << TIMER, pe)  # KVM deactivates for the guest
            case "ack" if event["intid"] == TIMER:
                self.taken.append(self.host(pe, "IAR1"))
                self.host(pe, "EOIR1", TIMER)  # the drop alone; a list register deactivates


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name.split("-timer")[0])
def test_the_timer_is_taken_when_the_recorded_host_took_it(path):
    """DIST-13, 18, 20: IAR1 gives the timer each time the host got it; no guest runs on while it is due."""
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    host = Host(json.loads(lines[0])["meta"])
    guest_accesses = late = 0
    for number, line in enumerate(lines[1:], 2):
        event = json.loads(line)
        if "reg" not in event:
            host.event(event)
            continue
        if event["el"] == 1:
            guest_accesses += 1
            # The recorder takes interrupts at the end of a block of code: one access may still be in it.
            late = late + 1 if host.timer_irq() else 0
            assert late <= 1, f"line {number}: the guest ran on with the timer's interrupt due"
        value = host.access(event)
        if event["op"] == "rd" and "_LR" in event["reg"]:
            assert value == int(event["val"], 16), f"line {number}"
    assert guest_accesses > 50
    assert len(host.taken) > 5
    assert set(host.taken) == {TIMER}


def test_there_are_recordings():
    assert len(RECORDINGS) >= 2
