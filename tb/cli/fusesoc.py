"""The generator of ``spillway.core``: FuseSoC runs it with a file that says what is wanted.

It writes the Verilog and a core that lists it into the current directory, as FuseSoC's generator interface
(CAPI2, "Generators") asks. Exit status as of ``spillway export``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

__all__ = ["arguments", "generate"]


def arguments(parameters: dict[str, Any]) -> list[str]:
    """Return the options of ``spillway export`` for the parameters of a generate section.

    Parameters
    ----------
    parameters : dict
        Option names without dashes in front, ``_`` or ``-`` between words; True and False switch.
    """
    options = []
    for name, value in parameters.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            options.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            options += [f"--{flag}", str(value)]
    return options


def generate(wanted: dict[str, Any]) -> int:
    """Write what a generator file asks for and return the exit status."""
    from tb.cli import cli

    parameters = dict(wanted.get("parameters") or {})
    testbench = parameters.pop("testbench", False)
    name = str(parameters.get("name", "spillway"))
    files = {f"{name}.v": []} | ({f"{name}_tb.v": ["--testbench"]} if testbench else {})
    for file, extra in files.items():
        command = ["export", "verilog", *arguments(parameters), *extra, "-o", file]
        status = cli.main(command, prog_name="spillway", standalone_mode=False)
        if status:
            return status
    core = {
        "name": wanted["vlnv"],
        "filesets": {"rtl": {"files": list(files), "file_type": "verilogSource-2005"}},
        "targets": {"default": {"filesets": ["rtl"]}},
    }
    # JSON is YAML, which a core is.
    Path(f"{name}.core").write_text("CAPI=2:\n" + json.dumps(core, indent=2) + "\n")
    return 0


def _main() -> int:
    try:
        import click
        import yaml

        from hw.errors import InputError
    except ImportError as error:
        sys.stderr.write(
            f"spillway.core: {error.name} is not installed in {sys.executable}; pip install it there\n"
        )
        return 2
    try:
        return generate(yaml.safe_load(Path(sys.argv[1]).read_text()))
    except (InputError, click.ClickException) as error:
        text = error.format_message() if isinstance(error, click.ClickException) else str(error)
        sys.stderr.write(f"spillway.core: {text}\n")
        return 2


if __name__ == "__main__":
    sys.exit(_main())
