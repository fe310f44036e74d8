"""A testbench in plain Verilog for an exported module: no Python, no library.

It lists an interrupt at EL2 (or in GICH), sees vIRQ rise, acknowledges and completes it as a guest, and
checks what every read returns. Written for Verilog-2005: Icarus runs it as it is, Verilator with
``--binary``. Signals change on the falling edge and are looked at before the next one, so no two processes
race.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from amaranth.lib import data

from hw.bus import BusFrame, BusRequest, BusResponse, Size
from hw.bus_access import GICV2_MAP
from hw.bus_cluster import address_map
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.mmio_map import lookup_mmio
from hw.port import Request, Response
from hw.ports import Port
from hw.registers import lookup
from hw.sysreg_window import HIGH, window_offset
from tb.instance import declarations, instance

__all__ = ["PASSED", "plain_testbench"]

#: The line that a run without a difference ends with.
PASSED = "PASS: an interrupt was listed, signalled, acknowledged and completed"


@dataclass(frozen=True)
class _Access:
    """A step: write ``value``, or read and expect it in the bits of ``mask``."""

    register: str
    write: bool
    value: int
    el: int = 2
    mask: int = (1 << 64) - 1


@dataclass(frozen=True)
class _Line:
    """A step: vIRQ of PE 0 becomes this within some cycles."""

    virq: int


_PENDING, _ACTIVE = 1, 2
_INTID = 37


def _lr_v3(state: int) -> int:
    """Group 1, priority 0x80."""
    return state << 62 | 1 << 60 | 0x80 << 48 | _INTID


def _lr_v2(state: int) -> int:
    """Group 0, priority 0x80."""
    return state << 28 | 0x80 >> 3 << 23 | _INTID


_STEPS_V3 = (
    _Access("ICH_VMCR_EL2", True, 0xF800_0002),
    _Access("ICH_LR0_EL2", True, _lr_v3(_PENDING)),
    _Line(0),
    _Access("ICH_HCR_EL2", True, 1),
    _Line(1),
    _Access("ICC_HPPIR1_EL1", False, _INTID, 1),
    _Access("ICC_IAR1_EL1", False, _INTID, 1),
    _Access("ICH_LR0_EL2", False, _lr_v3(_ACTIVE)),
    _Access("ICC_RPR_EL1", False, 0x80, 1),
    _Line(0),
    _Access("ICC_IAR1_EL1", False, 1023, 1),
    _Access("ICC_EOIR1_EL1", True, _INTID, 1),
    _Access("ICC_RPR_EL1", False, 0xFF, 1),
    _Access("ICH_LR0_EL2", False, 0, mask=3 << 62),
)
_STEPS_V2 = (
    _Access("GICH_VMCR", True, 0xF84C_0001),
    _Access("GICH_LR0", True, _lr_v2(_PENDING)),
    _Line(0),
    _Access("GICH_HCR", True, 1),
    _Line(1),
    _Access("GICV_HPPIR", False, _INTID),
    _Access("GICV_IAR", False, _INTID),
    _Access("GICH_LR0", False, _lr_v2(_ACTIVE)),
    _Access("GICV_RPR", False, 0x80),
    _Line(0),
    _Access("GICV_IAR", False, 1023),
    _Access("GICV_EOIR", True, _INTID),
    _Access("GICV_RPR", False, 0xFF),
    _Access("GICH_LR0", False, 0, mask=3 << 28),
)


def _fields(layout: type, values: dict[str, str]) -> str:
    """Return a concatenation that packs a structure; each value has a field's width."""
    names = [name for name, _ in data.Layout.cast(layout)]
    return "{" + ", ".join(values[name] for name in reversed(names)) + "}"


def _bits(layout: type, name: str, port: str) -> str:
    field = data.Layout.cast(layout)[name]
    high = field.offset + field.width - 1
    return f"{port}[{high}:{field.offset}]" if field.width > 1 else f"{port}[{field.offset}]"


def _hex(value: int, width: int) -> str:
    return f"{width}'h{value:x}"


#: Takes a request over a port with valid and ready, and its response; ``%`` lines differ.
_PORT = """
  // One access over the module's own port: taken when valid meets ready, answered some cycles later.
  task transfer;
    begin
      @(negedge clk);
      pe0__request__valid = 1'b1;
      #1;
      while (pe0__request__ready !== 1'b1) begin @(negedge clk); #1; end
      @(negedge clk);
      pe0__request__valid = 1'b0;
      while (pe0__response__valid !== 1'b1) @(negedge clk);
      value = {value};
      failed = {failed};
    end
  endtask
"""
_SYSREG = """
  // MSR and MRS at an exception level, HCR_EL2.IMO and FMO and both SRE bits set.
  task access(input [1:0] el, input [15:0] encoding, input write, input [63:0] operand);
    begin
      pe0__request__payload = {request};
      transfer;
    end
  endtask
"""
_FRAME = """
  task access(input [2:0] frame, input [19:0] offset, input write, input [31:0] operand);
    begin
      pe0__request__payload = {request};
      transfer;
    end
  endtask
"""
_APB = """
  task access(input [31:0] address, input write, input [31:0] operand);
    begin
      @(negedge clk);
      pe0__psel = 1'b1;
      pe0__pwrite = write;
      pe0__paddr = address[{high}:0];
      pe0__pwdata = operand;
      pe0__pstrb = {{4{{write}}}};
      @(negedge clk);
      pe0__penable = 1'b1;
      #1;
      while (pe0__pready !== 1'b1) begin @(negedge clk); #1; end
      value = {{32'd0, pe0__prdata}};
      failed = pe0__pslverr;
      @(negedge clk);
      pe0__psel = 1'b0;
      pe0__penable = 1'b0;
    end
  endtask
"""
_AXI = """
  task access(input [31:0] address, input write, input [31:0] operand);
    begin
      @(negedge clk);
      if (write) begin
        pe0__awaddr = address[{high}:0];
        pe0__wdata = operand;
        pe0__wstrb = 4'hf;
        pe0__awvalid = 1'b1;
        pe0__wvalid = 1'b1;
        #1;
        while ((pe0__awready && pe0__wready) !== 1'b1) begin @(negedge clk); #1; end
        @(negedge clk);
        pe0__awvalid = 1'b0;
        pe0__wvalid = 1'b0;
        pe0__bready = 1'b1;
        while (pe0__bvalid !== 1'b1) @(negedge clk);
        failed = pe0__bresp != 2'd0;
        @(negedge clk);
        pe0__bready = 1'b0;
      end else begin
        pe0__araddr = address[{high}:0];
        pe0__arvalid = 1'b1;
        #1;
        while (pe0__arready !== 1'b1) begin @(negedge clk); #1; end
        @(negedge clk);
        pe0__arvalid = 1'b0;
        pe0__rready = 1'b1;
        while (pe0__rvalid !== 1'b1) @(negedge clk);
        value = {{32'd0, pe0__rdata}};
        failed = pe0__rresp != 2'd0;
        @(negedge clk);
        pe0__rready = 1'b0;
      end
    end
  endtask
"""
_WISHBONE = """
  task access(input [31:0] address, input write, input [31:0] operand);
    begin
      @(negedge clk);
      pe0__cyc = 1'b1;
      pe0__stb = 1'b1;
      pe0__we = write;
      pe0__adr = address[{high}:2];
      pe0__sel = 4'hf;
      pe0__dat_w = operand;
      #1;
      while ((pe0__ack || pe0__err) !== 1'b1) begin @(negedge clk); #1; end
      value = {{32'd0, pe0__dat_r}};
      failed = pe0__err;
      @(negedge clk);
      pe0__cyc = 1'b0;
      pe0__stb = 1'b0;
    end
  endtask
"""
_COMMON = """
  task check(input [63:0] expected, input [63:0] mask);
    begin
      if (failed !== 1'b0 || ((value ^ expected) & mask) !== 64'd0) begin
        $display("FAIL: step %0d: expected %h, got %h, error %b", step, expected, value, failed);
        wrong = wrong + 1;
      end
      step = step + 1;
    end
  endtask

  task check_virq(input expected);
    begin
      repeat (16) @(negedge clk);
      if (pe0__virq !== expected) begin
        $display("FAIL: step %0d: expected vIRQ %b, got %b", step, expected, pe0__virq);
        wrong = wrong + 1;
      end
      step = step + 1;
    end
  endtask
"""


def _port_v3() -> tuple[str, Callable[[_Access], list[str]]]:
    # Rt 0; IMO, FMO, SRE_EL1 and SRE_EL2 of the context.
    values = {"encoding": "encoding", "write": "write", "el": "el", "rt": "5'd0", "context": "7'b0011011"}
    port = "pe0__response__payload"
    tasks = _PORT.format(
        value=_bits(Response, "value", port), failed=f"{_bits(Response, 'outcome', port)} != 2'd0"
    ) + _SYSREG.format(request=_fields(Request, {**values, "value": "operand"}))

    def act(step: _Access) -> list[str]:
        place = f"2'd{step.el}, {_hex(lookup(step.register).encoding, 16)}"
        return [f"access({place}, 1'b{step.write:d}, {_hex(step.value if step.write else 0, 64)});"]

    return tasks, act


def _port_v2() -> tuple[str, Callable[[_Access], list[str]]]:
    values = {"frame": "frame", "offset": "offset", "size": f"2'd{Size.WORD.value}", "write": "write"}
    port = "pe0__response__payload"
    tasks = _PORT.format(
        value=_bits(BusResponse, "data", port), failed=_bits(BusResponse, "error", port)
    ) + _FRAME.format(request=_fields(BusRequest, {**values, "data": "{32'd0, operand}"}))

    def act(step: _Access) -> list[str]:
        register = lookup_mmio(step.register)
        place = f"3'd{BusFrame[register.frame.name].value}, {_hex(register.offset, 20)}"
        return [f"access({place}, 1'b{step.write:d}, {_hex(step.value if step.write else 0, 32)});"]

    return tasks, act


def _over_bus(text: str, bits: int, v2: bool) -> tuple[str, Callable[[_Access], list[str]]]:
    def access(address: int, write: bool, value: int = 0) -> str:
        return f"access({_hex(address, 32)}, 1'b{write:d}, {_hex(value & 0xFFFF_FFFF, 32)});"

    def frames(step: _Access) -> list[str]:
        register = lookup_mmio(step.register)
        place = GICV2_MAP.places[BusFrame[register.frame.name]][0] + register.offset
        return [access(place, step.write, step.value)]

    def window(step: _Access) -> list[str]:
        place = window_offset(lookup(step.register).encoding, step.el)
        if step.write:
            return [access(HIGH, True, step.value >> 32), access(place, True, step.value)]
        high = ["low = value[31:0];", access(place + 4, False), "value = {value[31:0], low};"]
        return [access(place, False), *high]

    return text.format(high=bits - 1), frames if v2 else window


def plain_testbench(
    config: GicConfig | GicV2Config, ports: Sequence[Port], name: str, bus: str = "none"
) -> str:
    """Return a testbench, a module ``<name>_tb``.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        The build.
    ports : sequence of Port
        Of the exported module, as :func:`hw.export.exported_ports` returns them.
    name : str
        The exported module.
    bus : str
        One of :data:`hw.export.BUSES`.
    """
    v2 = isinstance(config, GicV2Config)
    buses = {"apb": _APB, "axi4lite": _AXI, "wishbone": _WISHBONE}
    if bus == "none":
        tasks, act = _port_v2() if v2 else _port_v3()
    else:
        tasks, act = _over_bus(buses[bus], address_map(config).bits, v2)
    body: list[str] = []
    for step in _STEPS_V2 if v2 else _STEPS_V3:
        if isinstance(step, _Line):
            body.append(f"check_virq(1'b{step.virq});")
            continue
        register = f"{'write' if step.write else 'read'} {step.register}" + ("" if v2 else f" at EL{step.el}")
        body += [f"// {register}", *act(step)]
        expected = (0, 0) if step.write else (step.value, step.mask)
        body.append(f"check({_hex(expected[0], 64)}, {_hex(expected[1], 64)});")
    inputs = [port for port in ports if port.input and port.name not in ("clk", "rst")]
    idle = [f"{port.name} = {port.width}'d{int(port.name.endswith('deactivate__ready'))};" for port in inputs]
    lines = [
        f"// Plain Verilog testbench of {name}: iverilog -o tb.vvp {name}_tb.v {name}.v && vvp -n tb.vvp",
        f"// or: verilator --binary --top-module {name}_tb {name}_tb.v {name}.v && obj_dir/V{name}_tb",
        f"// Waveform {name}_tb.vcd: vvp -n tb.vvp +vcd; verilator --trace-vcd ..., obj_dir/V{name}_tb +vcd",
        f"// and in words: spillway waves {name}_tb.vcd --open",
        f"module {name}_tb;",
        *(f"  {line}" for line in declarations(ports, "reg")),
        "  reg [63:0] value;",
        *(["  reg [31:0] low;"] if bus != "none" and not v2 else []),
        "  reg failed;",
        "  integer step, wrong;",
        "",
        *(f"  {line}" for line in instance(ports, name, "dut")),
        "",
        "  always #5 clk = ~clk;",
        tasks.strip("\n"),
        _COMMON.rstrip("\n"),
        "",
        "  initial begin",
        '    if ($test$plusargs("vcd")) begin',
        f'      $dumpfile("{name}_tb.vcd");',
        f"      $dumpvars(0, {name}_tb);",
        "    end",
        *(f"    {line}" for line in ("clk = 1'b0;", "rst = 1'b1;", *idle)),
        "    value = 64'd0;",
        "    failed = 1'b0;",
        "    step = 1;",
        "    wrong = 0;",
        "    repeat (4) @(negedge clk);",
        "    rst = 1'b0;",
        *(f"    {line}" for line in body),
        f'    if (wrong == 0) $display("{PASSED}");',
        '    else $display("FAIL: %0d steps", wrong);',
        "    $finish;",
        "  end",
        "",
        "  // Whatever waits for an answer that does not come ends here.",
        "  initial begin",
        "    repeat (100000) @(negedge clk);",
        '    $display("FAIL: no end after 100000 cycles, step %0d", step);',
        "    $finish;",
        "  end",
        "endmodule",
    ]
    return "\n".join(lines) + "\n"
