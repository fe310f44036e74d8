"""``docs/ports.md``: the ports of everything that can be exported. ``python -m tb.port_pages`` prints it."""

from __future__ import annotations

from hw.bus_access import GICV2_MAP
from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.export import exported_ports
from hw.mmio import Frame
from hw.registers import lookup
from hw.sysreg_window import CONTEXT, ESR, HIGH, OUTCOME, window_offset
from tb.instance import ports_markdown

__all__ = ["ports_page"]

_HEAD = """# Ports of exported modules

What `spillway export` writes has the ports below; names, widths and fields are kept from release to release,
and a change is named in the changelog. `spillway export --ports` prints them for any build, `--ports --json`
for programs, `--template` an instance to copy and `--testbench` a testbench in plain Verilog that uses them.

* Everything is synchronous to the rising edge of `clk`; `rst` is synchronous and active high.
* Ports of PE *n* begin with `pe<n>__`; those of PE 0 are shown. Members are joined by two underscores.
* A structure is one vector, its first field in the lowest bits.
* A stream moves in a cycle with `valid` and `ready`; `valid` does not wait for `ready`, nor falls before it.
* `virq`, `vfiq`, `maintenance` (and `irq`, `fiq`) are levels out of flip-flops.
* `deactivate` names physical interrupts that a HW list register has deactivated. Tie its `ready` to 1 when
  nothing listens: while one waits, no further access is made.
* `observe` is for testbenches: all storage. Left unconnected it costs nothing.

An access over the module's own port is answered exactly 6 cycles after it was taken, one every 7 cycles
(8 and 9 with more than 16 GICv2 list registers; later where the physical side of a whole GICv3 executes it).
`encoding` is op0, op1, CRn, CRm and op2 in 2, 3, 4, 4 and 3 bits.
"""
_BUSES = """Errors (PSLVERR, SLVERR, ERR) are answered to addresses where nothing is, to accesses that are no
naturally aligned byte, halfword or word, and to registers that do not take that size. Such an access changes
nothing and reads 0. GICH and GICV take words only. A read over APB4 or AXI4-Lite is one of a word.
"""
_V2 = """## GICv2 behind a bus

32 KiB of addresses for each PE, as in GIC-400:
"""
_V3 = """## GICv3 behind a bus

The CPU interface of GICv3 has no addresses; its registers are reached by MRS and MSR. For masters without
these instructions a window of 512 KiB stands in front of it, in which an address says who accesses what:

| address | is |
|---|---|
"""
_AFTER = """
A read of bits 31:0 executes the access; so does a write, with HIGH above its data. To write 64 bits, write
HIGH first; to read them, read bits 31:0 first. An access that does not execute is answered with an error.
"""
_NAMES = {"apb": "APB4", "axi4lite": "AXI4-Lite", "wishbone": "Wishbone B4"}
_BITS = {"v2": GicV2Config(4), "v3": GicConfig()}


def _section(title: str, text: str) -> str:
    return f"### {title}\n\n{text}"


def ports_page() -> str:
    """Return the page as Markdown."""
    parts = [_HEAD]
    parts.append("## The module's own port (`--bus none`)\n")
    parts.append(_section("GICv3, 4 list registers", ports_markdown(exported_ports(GicConfig()))))
    v2 = ports_markdown(exported_ports(GicV2Config(4)))
    parts.append(_section("GICv2, 4 list registers (`--gic v2`)", v2))
    system = exported_ports(GicConfig(), physical=PhysicalConfig(5, 64))
    text = "`bus` reaches the distributor (frame 3, GICD) and the redistributors (frame 4, GICR).\n\n"
    parts.append(_section("A whole GICv3 (`--spis 64`)", text + ports_markdown(system)))
    parts += [_V2 + _frames(), _V3 + _window() + "\n" + _BUSES]
    for bus, name in _NAMES.items():
        tables = {gic: ports_markdown(exported_ports(config, bus=bus)) for gic, config in _BITS.items()}
        lines = tables["v3"].splitlines()
        wider = [*lines[:2], *(line for line in lines if line not in tables["v2"].splitlines())]
        text = "\n".join([tables["v2"], "With GICv3 instead:", "", *wider, ""])
        parts.append(_section(f"{name} (`--bus {bus}`), GICv2", text))
    return "\n".join(parts)


def _frames() -> str:
    rows = [
        f"| `{base:#06x}` | {frame.name} | {Frame[frame.name].value}"
        + (" |" if frame.name in ("GICH", "GICV") else ": not in this module, an error |")
        for frame, (base, _) in GICV2_MAP.places.items()
    ]
    return "\n".join(["", "| address | frame | |", "|---|---|---|", *rows, ""])


def _window() -> str:
    example = lookup("ICH_HCR_EL2")
    shown = f"`{window_offset(example.encoding, 2):#x}` is {example.name} at EL2"
    rows = [
        ("EL << 17 \\| (encoding & 0x3fff) << 3", f"a register at EL1, EL2 or EL3, bits 31:0; {shown}"),
        ("the same plus 4", "bits 63:32: HIGH under another address"),
        (f"{CONTEXT:#x}", "CONTEXT: IMO, FMO, NV, SRE_EL1, SRE_EL2 and two trap bits in 6:0, Rt in 12:8"),
        (
            f"{OUTCOME:#x}",
            "OUTCOME of the last register access: 0 OK, 1 UNDEFINED, 2 trapped to EL1, 3 to EL2",
        ),
        (f"{ESR:#x}", "ESR: its syndrome when it did not execute, else 0"),
        (f"{HIGH:#x}", "HIGH: bits 63:32 of the last read; bits 63:32 of the next write, then 0"),
    ]
    return "".join(f"| {place} | {text} |\n" for place, text in rows) + _AFTER


if __name__ == "__main__":
    print(ports_page(), end="")
