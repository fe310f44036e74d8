"""A replay that must differ: every kind of recorded value altered, and hardware broken in many ways."""

import pytest

from hw.registers import lookup
from sim.engines.golden import GoldenPort
from sim.golden import Golden
from sim.port import Lines, Outcome
from tests.sim.recording import TRACES, Hardware, edited, replayed

SEQUENCES = TRACES / "qemu-gicv3-fix.jsonl.gz"
EVENTS = TRACES / "kvm-real-7.3.4-nest-eoimode0.jsonl.gz"
TRAPS = TRACES / "kvm-real-7.3.4-manyactive-eoimode1.jsonl.gz"


def _find_op(lines, wanted):
    """Return the first operation that ``wanted`` accepts, and its line."""
    for line in lines[1:]:
        for op in line["ops"]:
            if wanted(op):
                return op
    raise AssertionError("no such operation")


def _find(lines, wanted):
    return next(line for line in lines[1:] if wanted(line))


def _value(lines):
    _find_op(lines, lambda op: op.get("reg") == "ICC_IAR1_EL1" and op.get("val", "0x3ff") != "0x3ff")[
        "val"
    ] = "0x3"


def _syndrome(lines):
    _find_op(lines, lambda op: op.get("trap") == "EL2")["esr"] = "0x62323036"


def _trap(lines):
    del _find_op(lines, lambda op: op.get("trap") == "EL2" and "val" in op)["trap"]


def _state(key, change):
    def edit(lines):
        op = _find_op(lines, lambda op: key in op["st"] and "hcr" not in op["st"])
        op["st"][key] = change(op["st"][key])

    return edit


def _flip_hex(bit):
    return lambda text: hex(int(text, 16) ^ 1 << bit)


def _word(value):
    return [value[0] ^ 4, *value[1:]]


#: Name -> (edit, what differs, field).
ALTERED_SEQUENCES = {
    "value": (_value, "value of ICC_IAR1_EL1", "INTID"),
    "syndrome": (_syndrome, "syndrome of", None),
    "trap": (_trap, "outcome of", None),
    "vmcr": (_state("vmcr", _flip_hex(1)), "ICH_VMCR_EL2 after it", "VENG1"),
    "lr state": (_state("lr0", _flip_hex(62)), "ICH_LR0_EL2 after it", "State"),
    "lr priority": (_state("lr1", _flip_hex(54)), "ICH_LR1_EL2 after it", "Priority"),
    "misr": (_state("misr", lambda value: value ^ 2), "ICH_MISR_EL2 after it", "U"),
    "eisr": (_state("eisr", lambda value: value ^ 8), "ICH_EISR_EL2 after it", "Status"),
    "elrsr": (_state("elrsr", lambda value: value ^ 8), "ICH_ELRSR_EL2 after it", "Status"),
    "ap0": (_state("ap0", _word), "ICH_AP0R0_EL2 after it", "P"),
    "ap1": (_state("ap1", _word), "ICH_AP1R0_EL2 after it", "P"),
    "virq": (_state("virq", lambda value: 1 - value), "line virq after it", None),
    "vfiq": (_state("vfiq", lambda value: 1 - value), "line vfiq after it", None),
    "maint": (_state("maint", lambda value: 1 - value), "line maint after it", None),
    "pact": (_state("pact", _word), "pact[0] after it", None),
}


@pytest.mark.parametrize("hardware", [GoldenPort, Hardware])
@pytest.mark.parametrize("name", ALTERED_SEQUENCES)
def test_an_altered_sequence_differs_in_that_field(tmp_path, name, hardware):
    edit, what, field = ALTERED_SEQUENCES[name]

    def shortened(lines):
        del lines[40:]
        edit(lines)

    report = replayed(edited(SEQUENCES, tmp_path / "t.jsonl.gz", shortened), hardware=hardware)
    assert 1 <= report.differences <= 2, report.first.lines  # a line and the state behind it
    assert what in report.first.what
    if field is not None:
        assert field in [row[0] for row in report.first.fields]
    assert "(sequence " in report.first.place


def _read(name):
    def edit(lines):
        line = _find(
            lines, lambda line: line.get("reg") == name and line["op"] == "rd" and line["val"] != "0x0"
        )
        line["val"] = hex(int(line["val"], 16) ^ 1)

    return edit


def _no_line(kind):
    def edit(lines):
        lines.remove(_find(lines, lambda line: line.get("ev") == kind))

    return edit


def _wrong_line(kind, key):
    def edit(lines):
        line = _find(lines, lambda line: line.get("ev") == kind)
        line[key] = 1 - line[key]

    return edit


def _early_line(lines):
    where = next(n for n, line in enumerate(lines) if line.get("ev") == "virq")
    lines[where - 1], lines[where] = lines[where], lines[where - 1]


def _untrapped(lines):
    line = _find(lines, lambda line: line.get("kind") == "sysreg")
    where, cpu = lines.index(line), line["cpu"]
    lines[where] = {"cpu": cpu, "el": 1, "op": "wr", "reg": "ICV_DIR_EL1", "val": line["val"]}


def _other_trap(lines):
    _find(lines, lambda line: line.get("kind") == "sysreg")["esr"] = "0x62303019"


def _spurious(lines):
    where = next(n for n, line in enumerate(lines) if line.get("reg") == "ICH_HCR_EL2" and line["cpu"] == 0)
    taken = {"cpu": 0, "ev": "exc", "from": 1, "to": 1, "kind": "virtual irq"}
    lines.insert(where + 1, taken)


ALTERED_EVENTS = {
    "read of HCR": (EVENTS, _read("ICH_HCR_EL2"), "value of ICH_HCR_EL2", "En"),
    "read of an LR": (EVENTS, _read("ICH_LR0_EL2"), "value of ICH_LR0_EL2", "vINTID"),
    "acknowledge": (EVENTS, _read("ICV_IAR1_EL1"), "value of ICV_IAR1_EL1", "INTID"),
    "virq change missing": (EVENTS, _no_line("virq"), "line v", None),
    "maint change missing": (EVENTS, _no_line("maint"), "line maintenance after it", None),
    "virq change wrong": (EVENTS, _wrong_line("virq", "irq"), "line virq after it", None),
    "vfiq change wrong": (EVENTS, _wrong_line("virq", "fiq"), "line vfiq after it", None),
    "maint change wrong": (EVENTS, _wrong_line("maint", "level"), "line maintenance after it", None),
    "virq change early": (EVENTS, _early_line, "line v", None),
    "interrupt taken without one": (EVENTS, _spurious, "when the guest took its virtual irq", None),
    "trap that did not happen": (TRAPS, _untrapped, "outcome of ICV_DIR_EL1", None),
    "syndrome of a trap": (TRAPS, _other_trap, "syndrome of ICC_DIR_EL1", None),
}


@pytest.mark.parametrize("hardware", [GoldenPort, Hardware])
@pytest.mark.parametrize("name", ALTERED_EVENTS)
def test_an_altered_run_differs_in_that_field(tmp_path, name, hardware):
    source, edit, what, field = ALTERED_EVENTS[name]
    report = replayed(edited(source, tmp_path / "t.jsonl.gz", edit), hardware=hardware)
    assert report.differences >= 1
    assert what in report.first.what
    if field is not None:
        assert field in [row[0] for row in report.first.fields]
    assert report.first.state
    assert report.first.place.startswith(report.path + ":")


def test_a_difference_tells_what_happened(tmp_path):
    """Operation, register, both values, the field in words, what came before and the state around it."""
    path = edited(EVENTS, tmp_path / "t.jsonl.gz", _read("ICV_IAR1_EL1"))
    text = "\n".join(replayed(path).first.lines)
    assert "CPU 0 EL1 rd ICV_IAR1_EL1" in text
    assert "value of ICV_IAR1_EL1: expected 0x" in text
    assert "INTID  expected 0x" in text
    assert "operations before it:" in text
    assert "ICH_LR0_EL2 0x" in text
    assert "ACTIVE vINTID" in text


class _SilentMaintenance(Golden):
    def lines(self):
        virq, vfiq, *_ = super().lines()
        return Lines(virq, vfiq, False)


class _LateVirq(Golden):
    def lines(self):
        return super().lines()._replace(virq=False)


class _NoDeactivation(Golden):
    def take_deactivations(self):
        super().take_deactivations()
        return []


class _TrapActs(Golden):
    """Breaks TRP-5: a trapped DIR still deactivates."""

    def access(self, access):
        response = super().access(access)
        if response.outcome is Outcome.TRAP_EL2 and access.register is lookup("ICC_DIR_EL1"):
            self.write_dir(access.value)
        return response


class _WrongSyndrome(Golden):
    def access(self, access):
        response = super().access(access)
        return response._replace(esr=response.esr ^ 2) if response.esr else response


class _SharedGroups(Golden):
    def read_iar(self, group):
        return super().read_iar(1)


class _Forgetful(Golden):
    """Loses what LR 1 holds when HCR is written."""

    def write_hcr(self, value):
        super().write_hcr(value)
        self.lr[1] &= ~(1 << 62)


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        (_SilentMaintenance, SEQUENCES),
        (_SilentMaintenance, EVENTS),
        (_LateVirq, SEQUENCES),
        (_LateVirq, EVENTS),
        (_NoDeactivation, SEQUENCES),
        (_TrapActs, SEQUENCES),
        (_TrapActs, TRAPS),
        (_WrongSyndrome, SEQUENCES),
        (_WrongSyndrome, TRAPS),
        (_SharedGroups, SEQUENCES),
        (_Forgetful, SEQUENCES),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_broken_hardware_differs(tmp_path, broken, path):
    def shortened(lines):
        del lines[80 if path is SEQUENCES else 2000 :]

    path = edited(path, tmp_path / "t.jsonl.gz", shortened)
    report = replayed(path, hardware=lambda config: Hardware(config, broken(config)))
    assert report.differences > 0


def test_a_trapped_access_that_acts_is_named_trp5():
    report = replayed(TRAPS, hardware=lambda config: Hardware(config, _TrapActs(config)))
    assert report.first.what == "storage after a trapped access (TRP-5)"
