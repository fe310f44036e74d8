"""The trace reader: both formats are read completely, and everything malformed is one line."""

import gzip
import json
import shutil

import pytest

from hw.errors import InputError
from hw.registers import lookup
from sim.port import Outcome
from sim.trace import (
    Acknowledge,
    Entry,
    ExceptionTaken,
    Injection,
    Kind,
    MaintenanceLine,
    OperationKind,
    PeRegister,
    QemuVariant,
    RegisterAccess,
    Repeat,
    RunVcpu,
    TimerLine,
    VirtualLines,
    check_trace,
    find_traces,
    open_trace,
)
from tests.sim.recording import DATA, TRACES, fixtures, lines_of, write_trace

VTR = "0x90b80003"
META = {"meta": {"vtr": VTR}}
ACCESS = {"cpu": 0, "el": 2, "op": "wr", "reg": "ICH_HCR_EL2", "val": "0x1"}
STATE = {"hcr": "0x0", "vmcr": "0x4c0008", "misr": 0, "eisr": 0, "elrsr": 15, "virq": 0, "vfiq": 0,
         "maint": 0, "pact": [0, 0, 0], "ap0": [0], "ap1": [0], "lr0": "0x0", "lr1": "0x0", "lr2": "0x0",
         "lr3": "0x0"}  # fmt: skip
READ = {"el": 2, "op": "rd", "reg": "ICH_HCR_EL2", "val": "0x0", "st": STATE}
V2_VTR = "0x90000003"
V2_META = {"meta": {"vtr": V2_VTR, "machine": "virt,virtualization=on,gic-version=2"}}
V2_STATE = {k: v for k, v in STATE.items() if k not in ("ap0", "ap1")} | {"apr": "0x0"}
V2_READ = {"op": "rd", "reg": "GICH_HCR", "val": "0x0", "st": V2_STATE}


def _sequence(*ops):
    return {"seq": 0, "cls": "test", "ops": list(ops)}


@pytest.mark.parametrize("path", fixtures(), ids=lambda path: path.name)
def test_every_fixture_is_read_to_its_end(path):
    """As many sequences, or events, as the file has lines behind its first."""
    with open_trace(path) as trace:
        items = trace.sequences() if trace.kind is Kind.SEQUENCES else trace.events(expand=False)
        assert sum(1 for _ in items) == len(lines_of(path)) - 1
    assert check_trace(path).config.vtr == int(lines_of(path)[0]["meta"]["vtr"], 16)


def test_a_sequence_has_operations_traps_and_state():
    with open_trace(TRACES / "qemu-gicv3-fix.jsonl.gz") as trace:
        assert trace.kind is Kind.SEQUENCES
        assert trace.meta.variant is QemuVariant.UNSTATED
        sequence = list(trace.sequences())[1]
    first, trapped = sequence.operations[0], sequence.operations[2]
    assert (sequence.line, sequence.number, sequence.cls) == (3, 2, "wild")
    assert (first.kind, first.el, first.register) == (OperationKind.WRITE, 2, lookup("ICH_HCR_EL2"))
    assert first.value == 0x5C01
    assert first.changes["elrsr"] == 15
    assert first.changes["pact"] == (0, 0, 0)
    assert (trapped.outcome, trapped.esr, trapped.value) == (Outcome.TRAP_EL2, 0x62303019, None)
    assert sequence.operations[4].kind is OperationKind.SKIP
    assert trapped.place.endswith("qemu-gicv3-fix.jsonl.gz:3 op 2")


def test_registers_of_the_pe_are_known():
    with open_trace(TRACES / "qemu-gicv3-directed.jsonl.gz") as trace:
        used = {op.register for sequence in trace.sequences() for op in sequence.operations}
    assert PeRegister.HCR_EL2 in used


def test_every_documented_event_has_its_class():
    kinds = set()
    for name in ("irq-driven-async", "timer-hw-level", "nest-eoimode0-alltraps"):
        with open_trace(TRACES / f"kvm-real-7.3.4-{name}.jsonl.gz") as trace:
            kinds |= {type(event) for event in trace.events()}
    assert kinds == {RegisterAccess, VirtualLines, MaintenanceLine, ExceptionTaken, Injection, RunVcpu, Entry,
                     Acknowledge, TimerLine}  # fmt: skip


def test_events_keep_every_documented_key(tmp_path):
    lines = [
        {"cpu": 0, "ev": "virq", "fiq": 0, "irq": 1},
        {"cpu": 1, "ev": "maint", "level": 1},
        {"cpu": 0, "ev": "exc", "from": 1, "to": 2, "kind": "mmio", "esr": "0x93810045", "addr": "0x8000104",
         "size": 4, "wr": 1, "val": "0xffffffff", "overlap": 3, "overlap_act": 1, "log": "c0"},
        {"cpu": 0, "ev": "exc", "from": 1, "to": 2, "kind": "sysreg", "tr": "ICC_DIR_EL1:wr",
         "esr": "0x62323036", "val": "0x22"},
        {"cpu": -1, "ev": "inject", "irq": 34, "level": 1, "src": "async", "on": 1, "window": 7},
        {"cpu": 0, "ev": "inject", "irq": 35, "level": 0, "src": "doorbell"},
        {"cpu": 0, "ev": "run", "vcpu": 1, "overlap": 2},
        {"cpu": 0, "ev": "entry", "pc": "0x8000151c"},
        {"cpu": 0, "ev": "ack", "intid": 25},
        {"cpu": 0, "ev": "vtimer", "level": 1},
        {"cpu": 0, "ev": "exc", "from": 1, "to": 1, "kind": "dabt", "host": 1, "esr": "0x96000044"},
        {"cpu": 0, "el": 1, "op": "rd", "reg": "ICV_IAR1_EL1", "val": "0x3ff", "n": 20},
    ]  # fmt: skip
    with open_trace(write_trace(tmp_path / "t.jsonl.gz", [META, *lines])) as trace:
        got = list(trace.events())
    assert got[0] == VirtualLines(2, 0, True, False)
    assert got[1] == MaintenanceLine(3, 1, True)
    assert got[2] == ExceptionTaken(4, 0, 1, 2, "mmio", 0x93810045, 0x8000104, 4, True, 0xFFFFFFFF,
                                    overlap=3, overlap_act=True, log=0xC0)  # fmt: skip
    assert got[3] == ExceptionTaken(5, 0, 1, 2, "sysreg", 0x62323036, write=True, value=0x22,
                                    register=lookup("ICC_DIR_EL1"), register_name="ICC_DIR_EL1")  # fmt: skip
    assert got[4] == Injection(6, -1, 34, True, "async", on=1, window=7)
    assert got[4].asynchronous
    assert got[5] == Injection(7, 0, 35, False, "doorbell")
    assert got[6] == RunVcpu(8, 0, 1, overlap=2)
    assert got[7] == Entry(9, 0, 0x8000151C)
    assert got[8] == Acknowledge(10, 0, 25)
    assert got[9] == TimerLine(11, 0, True)
    assert got[10].host
    assert got[11] == RegisterAccess(13, 0, 1, lookup("ICV_IAR1_EL1"), False, 0x3FF, 20)


def test_repeat_stands_for_the_lines_before_it(tmp_path):
    lines = [ACCESS | {"val": hex(n)} for n in range(3)]
    again = {"cpu": 0, "ev": "repeat", "of": 2, "n": 2}
    name = write_trace(tmp_path / "t.jsonl.gz", [META, *lines, again, ACCESS | {"val": "0x9"}])
    with open_trace(name) as trace:
        assert [event.value for event in trace.events()] == [0, 1, 2, 1, 2, 1, 2, 9]
    with open_trace(name) as trace:
        assert list(trace.events(expand=False))[3] == Repeat(5, 0, 2, 2)
    assert check_trace(name).operations == 8


def test_a_plain_file_is_read_too(tmp_path):
    source, plain = TRACES / "kvm-real-7.3.4-nest-eoimode0.jsonl.gz", tmp_path / "t.jsonl"
    plain.write_bytes(gzip.decompress(source.read_bytes()))
    assert check_trace(plain).operations == check_trace(source).operations


def test_a_directory_gives_its_traces_in_order(tmp_path):
    for name in ("b.jsonl.gz", "a.jsonl", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in find_traces([tmp_path, tmp_path / "a.jsonl"])] == ["a.jsonl", "b.jsonl.gz"]


@pytest.mark.parametrize("make", [lambda path: path / "none", lambda path: path])
def test_a_path_without_traces_is_refused(tmp_path, make):
    with pytest.raises(InputError, match=r"no such file|no \*\.jsonl"):
        find_traces([make(tmp_path)])


MALFORMED = {
    "op neither rd nor wr": ([META, ACCESS | {"op": "xx"}], ":2: op 'xx' is none of rd, wr"),
    "unknown register": ([META, ACCESS | {"reg": "ICH_HRC_EL2"}], "unknown register 'ICH_HRC_EL2'; did"),
    "value not hexadecimal": ([META, ACCESS | {"val": "0xzz"}], ":2: val '0xzz' is not a hexadecimal"),
    "value without 0x": ([META, ACCESS | {"val": "12"}], ":2: val must be a '0x...' string"),
    "value negative": ([META, ACCESS | {"val": -1}], "does not fit in 64 unsigned bits"),
    "value too wide": ([META, ACCESS | {"val": "0x1" + "0" * 16}], "does not fit in 64 unsigned bits"),
    "value a list": ([META, ACCESS | {"val": [1]}], ":2: val must be"),
    "key missing": ([META, {k: v for k, v in ACCESS.items() if k != "val"}], ":2: key 'val' is missing"),
    "cpu missing": ([META, {k: v for k, v in ACCESS.items() if k != "cpu"}], ":2: key 'cpu' is missing"),
    "cpu no integer": ([META, ACCESS | {"cpu": "0"}], ":2: cpu must be an integer"),
    "cpu boolean": ([META, ACCESS | {"cpu": True}], ":2: cpu must be an integer"),
    "el out of range": ([META, ACCESS | {"el": 4}], ":2: el must be an integer from 0 to 3, not 4"),
    "count of zero": ([META, ACCESS | {"n": 0}], ":2: n must be an integer from 1"),
    "read of a write-only register": (
        [META, ACCESS | {"op": "rd", "reg": "ICV_DIR_EL1"}], "ICV_DIR_EL1 is WO and cannot have been read"),
    "unknown event": ([META, {"cpu": 0, "ev": "nap"}], ":2: unknown event 'nap'; known are virq, maint"),
    "neither op nor event": ([META, {"cpu": 0}], ":2: neither 'op'"),
    "level neither 0 nor 1": ([META, {"cpu": 0, "ev": "maint", "level": 2}], "level must be an integer"),
    "trapped register misspelt": (
        [META, {"cpu": 0, "ev": "exc", "from": 1, "to": 2, "kind": "sysreg", "tr": "ICC_DRI_EL1:wr",
                "esr": "0x0"}], "unknown register 'ICC_DRI_EL1'"),
    "trapped register without direction": (
        [META, {"cpu": 0, "ev": "exc", "from": 1, "to": 2, "kind": "sysreg", "tr": "ICC_DIR_EL1",
                "esr": "0x0"}], "is not REGISTER:rd or REGISTER:wr"),
    "injection from nowhere": (
        [META, {"cpu": 0, "ev": "inject", "irq": 32, "level": 1, "src": "sky"}], "src 'sky' is none of"),
    "log tag": ([META, {"cpu": 0, "ev": "exc", "from": 1, "to": 2, "kind": "mmio", "log": "zz"}], "log 'zz'"),
    "repeat of more than there is": (
        [META, ACCESS, {"cpu": 0, "ev": "repeat", "of": 2, "n": 1}], ":3: repeat of 2 lines, but only 1"),
    "line no object": ([META, [1, 2]], ":2: a line must be a JSON object"),
    "no meta": ([ACCESS], ":1: the first line must be"),
    "meta no object": ([{"meta": 5}, ACCESS], ":1: the first line must be"),
    "meta alone": ([META], "nothing after the meta line"),
    "no access": ([META, {"cpu": 0, "ev": "entry", "pc": "0x0"}], "no register access in it"),
    "no vtr": ([{"meta": {"kernel": "7.3"}}, ACCESS], ":1: meta has no vtr"),
    "vtr no number": ([{"meta": {"vtr": "four"}}, ACCESS], ":1: vtr must be"),
    "vtr impossible": ([{"meta": {"vtr": "0x90b8001f"}}, ACCESS], "meta.vtr: ICH_VTR_EL2 0x90b8001f: lrs"),
    "vtr reserved": ([{"meta": {"vtr": "0x90b80083"}}, ACCESS], "bits [17:5] are RES0"),
    "gicv2 events": ([V2_META, ACCESS], "events of a GICv2;"),
    "gicv3 vtr of a gicv2": (
        [{"meta": V2_META["meta"] | {"vtr": VTR}}, _sequence(READ)], "meta.vtr: GICH_VTR 0x90b80003"),
    "gicv2 register": ([META, _sequence(READ | {"reg": "GICH_HCR"})], "meta.vtr: GICH_VTR 0x90b80003"),
    "gicv2 with a gicv3 register": ([V2_META, _sequence(READ | {"st": V2_STATE})], "unknown register"),
    "gicv2 beyond the virtual interface": (
        [V2_META, _sequence(V2_READ | {"reg": "GICC_PMR"})], "GICC_PMR is not of the virtual CPU interface"),
    "gicv2 value of 64 bits": (
        [V2_META, _sequence(V2_READ | {"op": "wr", "val": "0x100000000"})], "does not fit in 32 unsigned"),
    "gicv2 with ap0": ([V2_META, _sequence(V2_READ | {"st": {"ap0": [0]}})], "unknown state 'ap0'"),
    "gicv2 without apr": (
        [V2_META, _sequence(V2_READ | {"st": {k: v for k, v in V2_STATE.items() if k != "apr"}})],
        "the first st of a sequence must have 'apr'"),
    "sequence without cls": ([META, {"seq": 0, "ops": []}], ":2: key 'cls' is missing"),
    "sequence with bad ops": ([META, {"seq": 0, "cls": "x", "ops": {}}], ":2: ops must be a list"),
    "operation no object": ([META, _sequence(READ, 7)], ":2 op 1: an operation must be an object"),
    "operation without st": ([META, _sequence({k: v for k, v in READ.items() if k != "st"})], "key 'st'"),
    "operation unknown": ([META, _sequence(READ, READ | {"op": "rdx"})], ":2 op 1: op 'rdx' is none of"),
    "operation register": ([META, _sequence(READ, READ | {"reg": "ICC_IAR2_EL1"})], "op 1: unknown register"),
    "trap unknown": ([META, _sequence(READ | {"trap": "EL9", "esr": "0x0"})], "trap 'EL9' is none of"),
    "trap without esr": ([META, _sequence(READ | {"trap": "EL2"})], "key 'esr' is missing"),
    "state incomplete": (
        [META, _sequence(READ | {"st": {k: v for k, v in STATE.items() if k != "vmcr"}})],
        ":2 op 0: the first st of a sequence must have 'vmcr'"),
    "state unknown": ([META, _sequence(READ | {"st": STATE | {"foo": 1}})], "unknown state 'foo'"),
    "state list register": ([META, _sequence(READ | {"st": STATE | {"lr4": "0x0"}})], "lr4 does not exist"),
    "state words": ([META, _sequence(READ | {"st": STATE | {"ap0": [0, 0]}})], "ap0 must be a list of 1"),
    "state word": ([META, _sequence(READ | {"st": STATE | {"pact": [0, 0, "x"]}})], "pact must be"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_one_line_with_its_place(tmp_path, name):
    lines, text = MALFORMED[name]
    path = write_trace(tmp_path / "bad.jsonl.gz", lines)
    with pytest.raises(InputError) as caught:
        check_trace(path)
    message = str(caught.value)
    assert message.startswith(path)
    assert text in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", ": empty; a trace starts with"),
        (gzip.compress(b""), ": empty; a trace starts with"),
        (b'{"meta": {}}\n{"cpu": 0, "op"', ":2: not JSON"),
        (b'{"meta": {}}\n{"cpu": \xff}', ":2: not JSON"),
        (b'{"meta": {}}\n' + b"[" * 100_000, ":2: not JSON"),
        (b'{"meta": {}}\n{"cpu": ' + b"9" * 5000 + b"}", ":2: not JSON"),
        (b"\x1f\x8b" + b"garbage" * 9, "damaged"),
        (b"\x7fELF\x02\x01\x01\x00\x80", ":1: not JSON"),
    ],
    ids=["empty", "empty gzip", "half a line", "not UTF-8", "deep", "huge number", "no gzip", "binary"],
)
def test_what_is_no_trace_is_one_line(tmp_path, content, text):
    path = tmp_path / "bad.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        check_trace(path)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("keep", [0.03, 0.5, 0.97])
def test_a_truncated_gzip_is_one_line(tmp_path, keep):
    content = (TRACES / "kvm-real-7.3.4-nest-eoimode0.jsonl.gz").read_bytes()
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(InputError, match="ends too early; copy it again"):
        check_trace(path)


def test_a_damaged_gzip_is_one_line(tmp_path):
    """The checksum at the end is looked at."""
    content = bytearray((TRACES / "kvm-real-7.3.4-nest-eoimode0.jsonl.gz").read_bytes())
    content[-6] ^= 1
    path = tmp_path / "bad.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        check_trace(path)


def test_a_file_that_cannot_be_opened_is_one_line(tmp_path):
    with pytest.raises(InputError, match="cannot be opened"):
        open_trace(tmp_path / "none.jsonl.gz")
    shutil.copy(TRACES / "kvm-real-7.3.4-nest-eoimode0.jsonl.gz", tmp_path / "t.jsonl.gz")
    with pytest.raises(InputError, match="cannot be"):
        open_trace(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("7.3.4-s22_10-timer-exceptions.jsonl.gz", "meta has no vtr"),
    ],
)
def test_recordings_without_anything_to_replay_say_so(name, text):
    with pytest.raises(InputError, match=text):
        check_trace(DATA / "not_replayable" / name)


@pytest.mark.parametrize(
    ("qemu", "variant", "late"),
    [
        (None, QemuVariant.NONE, False),
        ("qemu11", QemuVariant.STOCK, False),
        ("qemu11-fix", QemuVariant.FIXED, False),
        ("qemu11-fix16", QemuVariant.FIXED, False),
        ("qemu11-late", QemuVariant.FIXED, True),
        ("qemu11-stocklate", QemuVariant.STOCK, True),
        ("QEMU emulator version 11.1.3 (Debian 1:11.1.3+ds-1~bpo13+1)", QemuVariant.UNSTATED, False),
        ("qemu12-something", QemuVariant.UNSTATED, False),
    ],
)
def test_the_recorder_is_what_meta_says(tmp_path, qemu, variant, late):
    meta = {"meta": {"vtr": VTR} | ({"qemu": qemu} if qemu else {})}
    with open_trace(write_trace(tmp_path / "t.jsonl.gz", [meta, ACCESS])) as trace:
        assert trace.meta.variant is variant
        assert trace.meta.late_maintenance is late


def test_json_numbers_and_extra_keys_are_taken(tmp_path):
    """An integer is as good as a 0x string, and a key nobody knows says more, not less."""
    line = ACCESS | {"val": 1, "comment": "x"}
    with open_trace(write_trace(tmp_path / "t.jsonl.gz", [META, line])) as trace:
        assert next(trace.events()).value == 1
    assert json.dumps(line)
