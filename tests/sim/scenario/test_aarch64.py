"""``guest ... aarch64 FILE``: what is accepted, and how mistakes are told."""

from pathlib import Path

import pytest

from hw.config import GicConfig
from hw.errors import InputError
from sim.engines.golden import GoldenPort
from sim.guest.aarch64_cpu import Aarch64Guest
from sim.kvm.profile import profile_named
from sim.scenario.build import build_machine
from sim.scenario.parser import parse_scenario, read_scenario

DIRECTORY = Path(__file__).parents[3] / "sim" / "guest" / "aarch64"


def parse(line, directory=DIRECTORY):
    return parse_scenario(f"scenario t: t\nmachine vcpus 2\n{line}\nsteps:\nRUN\n", "t", directory)


@pytest.mark.parametrize(("line", "vcpus"), [
    ("guest aarch64 overflow.elf 1 0x10", {0}),
    ("guest 1 aarch64 overflow.elf 1 0x10  # a comment", {1}),
    ("guest 0 1: aarch64 overflow.elf 1 0x10", {0, 1}),
])  # fmt: skip
def test_guests(line, vcpus):
    scenario = parse(line)
    assert set(scenario.guests) == vcpus
    (program,) = set(scenario.guests.values())
    assert (program.name, program.arguments) == ("overflow.elf", (1, 16))


def test_program_and_machine_code_side_by_side():
    scenario = parse("guest 1:\nWFI\nend\nguest 0 aarch64 overflow.elf")
    assert scenario.guests[1].name == "guest of line 3"
    assert scenario.guests[0].name == "overflow.elf"


def test_memory_is_shared_by_the_vcpus_of_one_line():
    ports = [GoldenPort(GicConfig()), GoldenPort(GicConfig())]
    one = parse("guest 0 1 aarch64 overflow.elf")
    two = parse("guest 0 aarch64 overflow.elf\nguest 1 aarch64 overflow.elf")
    for scenario, shared in ((one, True), (two, False)):
        machine = build_machine(scenario, scenario.machine, profile_named("7.3"), ports)
        first, second = (runner.guest for runner in machine.runners)
        assert isinstance(first, Aarch64Guest)
        assert (first.memory is second.memory) == shared
    again = build_machine(one, one.machine, profile_named("7.3"), ports).runners[0].guest
    assert again.memory is not first.memory


@pytest.mark.parametrize(("line", "text"), [
    ("guest aarch64", "expected an AArch64 ELF file after 'aarch64'"),
    ("guest aarch64 none.elf", "none.elf: No such file or directory; give an AArch64 ELF executable"),
    ("guest aarch64 start.S", "start.S: not a 64-bit little-endian ELF file; give a static AArch64 ELF "
     "executable (aarch64-linux-gnu-gcc -static -nostdlib)"),
    ("guest 2 aarch64 overflow.elf", "expected vCPU numbers from 0 to 1, found 2"),
    ("guest aarch64 overflow.elf 1 x", "expected an argument, a number of 64 bits, found 'x'"),
    ("guest aarch64 overflow.elf -1", "expected an argument, a number of 64 bits, found '-1'"),
    (f"guest aarch64 overflow.elf {1 << 64}", "expected an argument, a number of 64 bits, found "
     "'18446744073709551616'"),
    ("guest aarch64 overflow.elf 1 2 3 4 5 6 7 8 9", "expected at most 8 arguments, x0 to x7, found 9"),
])  # fmt: skip
def test_mistakes(line, text):
    with pytest.raises(InputError) as error:
        parse(line)
    assert str(error.value) == f"t:3: {text}"


def test_a_vcpu_has_one_guest():
    with pytest.raises(InputError, match="t:4: vCPU 0 has a guest program already"):
        parse("guest aarch64 overflow.elf\nguest 0 1 aarch64 overflow.elf")


def test_the_file_is_looked_for_beside_the_scenario(tmp_path):
    (tmp_path / "mine.elf").write_bytes((DIRECTORY / "overflow.elf").read_bytes())
    path = tmp_path / "s.scenario"
    path.write_text("scenario t: t\nguest aarch64 mine.elf\nsteps:\nRUN\n")
    assert read_scenario(path).guests[0].name == "mine.elf"
