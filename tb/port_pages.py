"""``docs/ports.md``: the ports of everything that can be exported. ``python -m tb.port_pages`` prints it."""

from __future__ import annotations

from hw.bus_access import GICV2_MAP
from hw.bus_cluster import cycles
from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.export import exported_ports
from hw.mmio import Frame
from hw.registers import lookup
from hw.sysreg_window import CONTEXT, CONTEXT_RESET, ESR, HIGH, OUTCOME, window_offset
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
* `settled`: no access is under way, and the lines reflect all storage. Nothing has to wait for it.
* `observe` is for testbenches: all storage. Left unconnected it costs nothing.

[Connect it](connect.md) says what a CPU or a bus has to do with them, step by step.

An access over the module's own port is answered exactly 6 cycles after it was taken, one every 7 cycles
(8 and 9 with more than 16 GICv2 list registers; later where the physical side of a whole GICv3 executes it).
A response is valid for one cycle and cannot be held off. Behind a bus it takes longer, see below.

## What a request says

GICv3, from the instruction and the PE that executes it:

| field | is |
|---|---|
| `encoding` | op0 in 15:14, op1 in 13:11, CRn in 10:7, CRm in 6:3, op2 in 2:0; EXAMPLE |
| `write` | 1 MSR, 0 MRS |
| `el` | exception level of the instruction: 1 or 2; all is UNDEFINED at others |
| `rt` | number of its general-purpose register; only for the syndrome of a trap |
| `context.imo`, `fmo`, `nv` | HCR_EL2.IMO, FMO, NV |
| `context.sre_el1`, `sre_el2` | ICC_SRE_EL1.SRE, ICC_SRE_EL2.SRE |
| `context.hfgrtr_igrpen`, `hfgwtr_igrpen` | HFGRTR_EL2, HFGWTR_EL2.ICC_IGRPENn_EL1 |
| `value` | the operand of an MSR |

`spillway registers` prints all encodings. The context is effective values, taken with the request. A PE
without these controls ties IMO, FMO and both SRE to 1 and the others to 0, `7'b0011011`; that is what CONTEXT
of the window below has after reset. With an `outcome` other than OK the access has changed nothing; the PE
takes an exception, to EL1 or EL2 when it is a trap, with `esr` as the syndrome (ESR_ELx).

GICv2: a load or store of `size` at byte `offset` of a `frame`; `data` is right-aligned, that of a read too.
"""
_BUSES = """Errors (PSLVERR, SLVERR, ERR) are answered to addresses where nothing is, to accesses that are no
naturally aligned byte, halfword or word, and to registers that do not take that size. Such an access changes
nothing and reads 0. GICH and GICV take words only. A read over APB4 or AXI4-Lite is one of a word.

Cycles from a request to its answer: PENABLE to PREADY, ARVALID to RVALID (AWVALID and WVALID to BVALID),
STB to ACK or ERR. The next access can begin in the cycle after. In a whole GICv2 it is two more, and GICC and
GICD take longer.

| bus | GICv2 | more than 16 list registers | GICv3 | CONTEXT, OUTCOME, ESR, HIGH |
|---|---|---|---|---|
"""
_SYSTEM_V2 = """### A whole GICv2 (`--gic v2 --spis 64`)

The port of each PE is that of a GICv2 and reaches frames 0 to 3, INTIDs 0 to 31 of GICD being the PE's own.
There is no `bus`; `irq`, `fiq`, `observe_physical`, `spi`, `ppi<n>`, `settled` and `deactivate` are as above.
With `--bus` each PE has a bus in the place of the port, and no `observe`; the map is that of GIC-400, below.
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
    parts = [_HEAD.replace("EXAMPLE", f"ICH_HCR_EL2 is `{lookup('ICH_HCR_EL2').encoding:#06x}`")]
    parts.append("## The module's own port (`--bus none`)\n")
    parts.append(_section("GICv3, 4 list registers", ports_markdown(exported_ports(GicConfig()))))
    v2 = ports_markdown(exported_ports(GicV2Config(4)))
    parts.append(_section("GICv2, 4 list registers (`--gic v2`)", v2))
    system = exported_ports(GicConfig(), physical=PhysicalConfig(5, 64))
    text = (
        "`bus` reaches the distributor (frame 3, GICD) and the redistributors (frame 4, GICR). `deactivate`\n"
        "only shows what the distributor is told, so it has no `ready`. `spi` and `ppi<n>` are levels or\n"
        "edges, as GICD_ICFGR says, synchronous to `clk`. Bit 9 of `ppi<n>`, PPI 25, is the maintenance\n"
        "interrupt's and not used.\n\n"
    )
    parts.append(_section("A whole GICv3 (`--spis 64`)", text + ports_markdown(system)))
    parts.append(_SYSTEM_V2)
    parts += [_V2 + _frames(), _V3 + _window() + "\n" + _BUSES + _cycles()]
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
        + (" |" if frame.name in ("GICH", "GICV") else ": with `--spis`; else an error |")
        for frame, (base, _) in GICV2_MAP.places.items()
    ]
    return "\n".join(["", "| address | frame | |", "|---|---|---|", *rows, ""])


def _cycles() -> str:
    rows = [
        f"| {name} | {cycles(bus, GicV2Config(4))} | {cycles(bus, GicV2Config(17))} "
        f"| {cycles(bus, GicConfig())} | {cycles(bus, GicConfig(), own=True)} |\n"
        for bus, name in _NAMES.items()
    ]
    return "".join(rows)


def _window() -> str:
    example = lookup("ICH_HCR_EL2")
    shown = f"`{window_offset(example.encoding, 2):#x}` is {example.name} at EL2"
    rows = [
        ("EL << 17 \\| (encoding & 0x3fff) << 3", f"a register at EL1 or EL2, bits 31:0; {shown}"),
        ("the same plus 4", "bits 63:32: HIGH under another address"),
        (
            f"{CONTEXT:#x}",
            f"CONTEXT: `context` of a request in 6:0, `rt` in 12:8; {CONTEXT_RESET:#x} after reset",
        ),
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
