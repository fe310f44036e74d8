"""``spillway fpga``: bitstreams, boards, and scenarios on them."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from tb.cli.command import Command, Group, json_option
from tb.cli.options import build_options, config_options
from tb.cli.output import Bar, busy, print_json
from tb.cli.run import print_results

if TYPE_CHECKING:
    from fpga.build import Built

__all__ = ["command"]

_BAUD = 1_000_000
_NO_LOADER = (
    "openFPGALoader is not installed; on Debian and Ubuntu: apt-get install openfpgaloader, "
    "or see https://trabucayre.github.io/openFPGALoader"
)
_board = click.option(
    "--board", "name", required=True, metavar="NAME", help="`spillway fpga list` names them."
)
_directory = click.option("--directory", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
                          help="Where the files go; default: build/fpga/NAME.")  # fmt: skip
_baud = click.option("--baud", type=click.IntRange(min=1), default=_BAUD, show_default=True,
                     help="Bits a second of the serial line.")  # fmt: skip


@click.group(
    "fpga",
    cls=Group,
    examples=[
        "spillway fpga list",
        "spillway fpga build --board ulx3s-85f --lrs 16",
        "spillway fpga program --board ulx3s-85f",
        "spillway fpga run --port /dev/ttyUSB0 sim/scenarios/A08.scenario",
        "spillway fpga netlist sim/scenarios/A08.scenario",
        "spillway fpga simulate --lrs 4   # a board without a board: prints the port",
    ],
)
def command() -> None:
    """Put the synthesizable bench on a board, and play scenarios there.

    The Python hypervisor stays on this machine and talks to the board over its serial line (docs/uart.md);
    guests run in the FPGA at its speed. docs/fpga.md is a guide.

    Exit status: 0 success, 1 timing missed or expectations not met, 2 bad input, a missing tool, no board.
    """


@command.command("list", cls=Command, examples=["spillway fpga list"])
@json_option
def boards(as_json: bool) -> int:
    """List the boards, and what is built for each unless another is asked for.

    Exit status: 0.
    """
    from fpga.boards import BOARDS

    if as_json:
        rows = [
            {"name": board.name, "title": board.title, "part": board.part, "lrs": board.lrs,
             "mhz": board.frequency / 1e6, "bitstream": board.bitstream is not None}
            for board in BOARDS.values()
        ]  # fmt: skip
        return print_json("fpga list", 0, rows)
    for board in BOARDS.values():
        made = "" if board.bitstream else "; a project for Vivado, no bitstream"
        click.echo(
            f"{board.name:<11}{board.title}, {board.part}: "
            f"{board.lrs} LRs at {board.frequency / 1e6:g} MHz{made}"
        )
    return 0


@command.command(
    "build",
    cls=Command,
    examples=[
        "spillway fpga build --board ulx3s-85f --lrs 8 --freq 80",
        "spillway fpga build --board icebreaker --json",
    ],
)
@_board
@click.option(
    "--freq", type=click.FloatRange(min=1), metavar="MHZ", help="Clock asked for; default: the board's."
)
@click.option("--seed", type=int, help="Seed of the placement; default: the board's.")
@_baud
@_directory
@json_option
@build_options
@click.pass_context
def build(
    context: click.Context,
    name: str,
    freq: float | None,
    seed: int | None,
    baud: int,
    directory: Path | None,
    as_json: bool,
    config: GicConfig | GicV2Config,
) -> int:
    """Make a board's bitstream with Yosys and nextpnr from PyPI; print size and frequency.

    Exit status: 0 the bitstream is there, 1 the design is too slow for the clock, and there is none, 2 bad
    input, a missing tool, or a design too large for the board.
    """
    from dataclasses import replace

    from fpga.boards import board_named
    from fpga.build import build_board, default_directory

    board = board_named(name)
    if context.get_parameter_source("lrs") is click.core.ParameterSource.DEFAULT:
        config = replace(config, lrs=board.lrs)
    directory = directory or default_directory(board)
    with busy(f"synthesis, placement and routing for {name}, some minutes"):
        built = build_board(board, config, freq * 1e6 if freq else board.frequency, baud, directory, seed)
    if built is None:
        if as_json:
            return print_json(
                "fpga build", 0, [{"board": name, "lrs": config.lrs, "project": str(directory)}]
            )
        click.echo(
            f"{directory}: a project for {config.lrs} list registers; no open tool makes its bitstream here"
        )
        click.echo(f"with Vivado installed: cd {directory} && sh build_top.sh")
        return 0
    if as_json:
        row = {**asdict(built), "bitstream": built.bitstream and str(built.bitstream), "met": built.met}
        return print_json("fpga build", int(not built.met), [row], baud=baud)
    _show(built)
    return int(not built.met)


# The option is shared with commands where its default is the build's.
next(option for option in build.params if option.name == "lrs").show_default = "the board's"


def _show(built: Built) -> None:
    """Print what place and route found."""
    click.echo(f"list registers    {built.lrs}")
    for cell, (used, there) in built.used.items():
        if used and there:
            click.echo(f"{cell:<18}{used} of {there} ({100 * used / there:.0f} %)")
    click.echo(f"clock             {built.fmax:.1f} MHz possible, {built.frequency:.2f} MHz asked for")
    if built.bitstream:
        click.echo(f"bitstream         {built.bitstream}")
    else:
        click.echo(
            f"too slow: no bitstream was made; ask for {int(built.fmax)} MHz (--freq), fewer list registers "
            "(--lrs) or another placement (--seed)"
        )


@command.command("program", cls=Command, examples=["spillway fpga program --board ulx3s-85f"])
@_board
@_directory
@click.option("--flash", is_flag=True, help="Write the board's flash instead of the FPGA itself.")
@json_option
def program(name: str, directory: Path | None, flash: bool, as_json: bool) -> int:
    """Load a bitstream that was built into a board, with openFPGALoader.

    Exit status: 0 loaded, 1 openFPGALoader failed, 2 there is no bitstream or no openFPGALoader.
    """
    from fpga.boards import board_named
    from fpga.build import bitstream_of, default_directory

    board = board_named(name)
    if board.bitstream is None:
        raise InputError(f"{name}: its bitstream is made, and loaded, with Vivado")
    bitstream = bitstream_of(board, directory or default_directory(board))
    if not bitstream.exists():
        raise InputError(f"{bitstream}: no such file; run: spillway fpga build --board {name}")
    loader = shutil.which("openFPGALoader")
    if loader is None:
        raise InputError(_NO_LOADER)
    # An iCE40 board is loaded through its flash in any case.
    where = ["--write-flash" if flash or board.bitstream == "bin" else "--write-sram"]
    done = subprocess.run(
        [loader, "--board", board.loader, *where, str(bitstream)], capture_output=as_json, check=False
    )
    status = int(done.returncode != 0)
    if as_json:
        return print_json("fpga program", status, [{"board": name, "bitstream": str(bitstream)}])
    return status


@command.command(
    "run",
    cls=Command,
    examples=[
        "spillway fpga run --port /dev/ttyUSB0 sim/scenarios/A08.scenario",
        "spillway fpga run --port /dev/ttyUSB0 sim/scenarios --profile 7.3",
    ],
)
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO|DIRECTORY...",
                type=click.Path(path_type=Path))  # fmt: skip
@click.option(
    "--port", required=True, metavar="DEVICE", help="Serial device of the board, or a URL of pyserial."
)
@_baud
@click.option("--timeout", type=click.FloatRange(min=0.01), default=0.5, show_default=True, metavar="S",
              help="Seconds without a byte after which a frame is sent again.")  # fmt: skip
@click.option("--profile", metavar="NAME", help="Play only this profile, as for `spillway run`.")
@json_option
@click.option("--log", is_flag=True, help="Print every event.")
def run(
    scenarios: tuple[Path, ...],
    port: str,
    baud: int,
    timeout: float,
    profile: str | None,
    as_json: bool,
    log: bool,
) -> int:
    """Play scenarios on a board, as `spillway run` does on an engine.

    A board with more list registers than a scenario asks for is used as if it had no more; what a board
    cannot hold, for want of list registers or CPUs, is listed as open.

    Exit status: 0 all expectations held, 1 some did not, 2 a file or an option is wrong, or no board answers.
    """
    from sim.bench.attached import Attached
    from sim.bench.uart import open_port
    from sim.scenario.result import FAIL
    from tb.scenarios import play_scenarios

    with open_port(port, baud, timeout) as serial:
        board = Attached(serial)
        what = f"{board.pes} PE, {board.config.lrs} LRs, {board.link.clock / 1e6:g} MHz"
        if not as_json:
            click.echo(f"board at {port}: {what}")
        with Bar() as bar:
            results = play_scenarios(scenarios, "fpga", profile, listener=bar, board=board)
        resent = board.link.resent
    status = int(any(result.status == FAIL for result in results))
    if as_json:
        rows = (result.as_dict() for result in results)
        return print_json("fpga run", status, rows, port=port, board=what, resent=resent)
    print_results(results, log)
    if resent:
        click.echo(f"{resent} frames were sent again")
    return status


@command.command(
    "netlist",
    cls=Command,
    examples=[
        "spillway fpga netlist --lrs 2 --operations 500",
        "spillway fpga netlist sim/scenarios/A08.scenario --profile 7.3",
    ],
)
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO|DIRECTORY...]", type=click.Path(path_type=Path))
@click.option("--operations", type=click.IntRange(min=0), default=1000, show_default=True,
              help="Random operations in lockstep with the golden model.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="Of those.")
@click.option("--profile", metavar="NAME", help="Play only this profile, as for `spillway run`.")
@json_option
@config_options
def netlist(
    scenarios: tuple[Path, ...],
    operations: int,
    seed: int,
    profile: str | None,
    as_json: bool,
    config: GicConfig,
) -> int:
    """Synthesise for an ECP5 and hold the netlist, not the source, to the rest of the project.

    The interface's netlist runs random operations in lockstep with the golden model, the bench's plays the
    scenarios; both under Verilator, with Yosys' models of the cells. Compiling them takes minutes.

    Exit status: 0 all is equal and every expectation held, 1 not, 2 bad input or a missing tool.
    """
    from fpga.netlist import ecp5_netlist
    from sim.scenario.result import FAIL
    from tb.build import TOP, verilog_of
    from tb.runner import run_job
    from tb.scenarios import play_scenarios

    def made(verilog: str) -> str:
        return ecp5_netlist(verilog, TOP)

    rows: list[dict] = []
    status = 0
    if operations:
        with busy("the interface's netlist in lockstep, some minutes"):
            job = {"operations": operations, "seed": seed}
            lockstep = run_job("sim.lockstep:random_job", job, engine="verilator", config=config,
                               verilog=made(verilog_of(config)))  # fmt: skip
        difference = lockstep["difference"]
        status = int(difference is not None)
        rows.append({"operations": lockstep["operations"], "seed": seed, "difference": difference})
        if not as_json:
            same = f"{lockstep['operations']} operations in lockstep, seed {seed}: no difference"
            click.echo(difference["report"] if difference else same)
    if scenarios:
        with Bar() as bar:
            results = play_scenarios(scenarios, "bench-verilator", profile, listener=bar, netlist=made)
        status |= int(any(result.status == FAIL for result in results))
        rows += [result.as_dict() for result in results]
        if not as_json:
            print_results(results, False)
    return print_json("fpga netlist", status, rows) if as_json else status


@command.command(
    "simulate",
    cls=Command,
    examples=["spillway fpga simulate --lrs 4", "spillway fpga simulate --lrs 2 --pes 2"],
)
@click.option("--pes", type=click.IntRange(1, 8), default=1, show_default=True, help="Number of PEs.")
@build_options
def simulate(pes: int, config: GicConfig | GicV2Config) -> int:
    """Put a simulated board behind a pseudo-terminal, until interrupted; its name is printed.

    It is the design of a board, compiled, and everything up to its two serial pins is real: what works here
    needs only a bitstream to work on a board. Use it with `spillway fpga run --port`.

    Exit status: 0 when interrupted, 2 bad input or no C++ compiler.
    """
    from sim.bench.board import SimulatedBoard, pseudo_terminal

    with busy("compiling the board, half a minute for each new one"):
        board = SimulatedBoard(config, pes)
    with pseudo_terminal(board) as device:
        click.echo(f"{config.lrs} LRs, {pes} PE: spillway fpga run --port {device} --timeout 20 SCENARIO...")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return 0
