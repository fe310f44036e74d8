"""``spillway export``: the gateware as Verilog or RTLIL."""

from __future__ import annotations

import re
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hw.config import GicConfig
from hw.config_physical import PhysicalConfig
from hw.config_v2 import GicV2Config
from hw.errors import InputError
from tb.cli.command import Command, json_option
from tb.cli.options import build_options, physical_options
from tb.cli.output import busy, check_writable, print_json, write_text

if TYPE_CHECKING:
    from hw.ports import Port

__all__ = ["command"]

#: :data:`hw.export.BUSES`, named here because importing it takes long.
BUSES = ("none", "apb", "axi4lite", "wishbone")
#: Words that are identifiers to Python and taken in Verilog; the likely ones.
KEYWORDS = re.compile(
    "always|and|assign|begin|bit|buf|byte|case|default|edge|else|end|endmodule|event|for|force|fork|function|if|"
    "initial|inout|input|integer|join|logic|module|nand|nor|not|or|output|parameter|real|reg|release|repeat|"
    "signed|table|task|time|tri|use|vectored|wait|wand|while|wire|wor|xnor|xor"
)


@click.command(
    "export",
    cls=Command,
    examples=[
        "spillway export verilog --lrs 16 --pri-bits 7 -o spillway.v",
        "spillway export verilog --gic v2 --bus apb --name gicv -o gicv.v",
        "spillway export verilog --bus axi4lite --testbench -o spillway_tb.v",
        "spillway export verilog --gic v2 --bus wishbone --template",
        "spillway export verilog --ports --json | jq '.results[].name'",
        "spillway export rtlil --spis 64 --pes 2 -o gic.il",
    ],
)
@click.argument("language", type=click.Choice(["verilog", "rtlil"]), default="verilog")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Where to write  [default: standard output].")  # fmt: skip
@click.option("--pes", type=int, default=1, show_default=True, metavar="N", help="PEs, 1..8.")
@click.option("--name", default="spillway", show_default=True, help="Name of the top module.")
@click.option("--bus", type=click.Choice(BUSES), default="none", show_default=True,
              help="none: the interface's own port; else a bus for each PE, in front of GICv2's frames or "
              "of a window onto GICv3's system registers.")  # fmt: skip
@click.option("--template", is_flag=True, help="Instead: an instance of it to copy (Verilog).")
@click.option("--testbench", is_flag=True, help="Instead: a testbench in plain Verilog, module NAME_tb.")
@click.option("--ports", is_flag=True, help="Instead: a table of its ports, as Markdown.")
@json_option
@physical_options
@build_options
def command(
    language: str,
    output: Path | None,
    pes: int,
    name: str,
    bus: str,
    as_json: bool,
    config: GicConfig | GicV2Config,
    physical: PhysicalConfig | None,
    **instead: bool,
) -> int:
    """Write the virtual CPU interface of a build, or a whole GIC, as one self-contained module.

    The same parameters give the same text. docs/ports.md describes the ports, which stay as they are.
    --json reports the ports and where the text went (-o, but for --ports).

    Exit status: 0 done, 2 bad options or the file cannot be written.
    """
    if not (name.isascii() and name.isidentifier()) or KEYWORDS.fullmatch(name):
        raise InputError(f"--name {name!r} is not a plain identifier; use letters, digits and underscores")
    wanted = [kind for kind, given in instead.items() if given]
    if len(wanted) > 1:
        raise InputError(f"one text at a time: give one of --{' and --'.join(wanted)}")
    what = wanted[0] if wanted else None
    if as_json and output is None and what != "ports":
        raise InputError("--json reports where the text went: name a file with -o, or ask for --ports")
    if what is not None and language != "verilog":
        raise InputError(f"--{what} is Verilog; leave out {language}")
    check_writable(output)
    with busy("exporting"):
        ports, text = _made(language, what, config, pes, name, bus, physical)
    if what in (None, "testbench"):
        text = _origin("//" if language == "verilog" else "#") + text
    if output is not None:
        write_text(output, text)
    if as_json:
        written = None if output is None else str(output)
        return print_json("export", 0, map(asdict, ports), written=written, module=name, bus=bus)
    if output is None:
        click.echo(text, nl=False)
    return 0


def _origin(comment: str) -> str:
    """Return where the text comes from: the version, and the command that makes it again."""
    context = click.get_current_context()
    words = ["spillway", "export", context.params["language"]]
    for option in context.command.params:
        value = context.params.get(option.name)
        if option.name in ("language", "output", "as_json") or value == option.get_default(context):
            continue
        if isinstance(value, bool):
            words += option.opts if value else option.secondary_opts
        else:
            words += [option.opts[0], str(value)]
    lines = (f"Spillway {version('spillway')}: {' '.join(words)}", "SPDX-License-Identifier: Apache-2.0")
    return "".join(f"{comment} {line}\n" for line in lines)


def _made(
    language: str,
    what: str | None,
    config: GicConfig | GicV2Config,
    pes: int,
    name: str,
    bus: str,
    physical: PhysicalConfig | None,
) -> tuple[list[Port], str]:
    """Return the ports of the module and the text that is asked for."""
    from hw.export import exported_ports, to_rtlil, to_verilog
    from tb.instance import ports_markdown, template
    from tb.plain_bench import plain_testbench

    ports = exported_ports(config, pes, bus, physical)
    if what == "ports":
        return ports, ports_markdown(ports)
    if what == "template":
        return ports, template(ports, name)
    if what == "testbench":
        return ports, plain_testbench(config, ports, name, bus)
    return ports, (to_verilog if language == "verilog" else to_rtlil)(config, pes, name, bus, physical)
