"""Pages that are made from the project's tables whenever the documentation is built."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import click

from docs.figures import bit_fields, timing
from hw.config import GicConfig
from hw.mmio import Frame, MmioRegister
from hw.registers import REGISTERS, Register, Space
from sim.divergences import DIVERGENCES, load_divergences
from sim.kvm.bugs import BUGS
from sim.kvm.cures import CURES
from sim.kvm.patches import patches
from sim.kvm.profile import PROFILES, SWITCHES
from sim.policy.applies import TABLE, applies
from sim.policy.names import POLICIES
from sim.scenario.parser import find_scenarios, read_scenario
from tb.cli import COMMANDS, cli
from tb.parameters import parameters_markdown
from tb.register_pages import mapped_registers, register_page
from tests.testplan import markdown

__all__ = ["write_pages"]

ROOT = Path(__file__).parents[1]
#: Page -> (title, what is on it).
_REGISTER_PAGES: dict[str, tuple[str, Space | Frame]] = {
    "ich": ("ICH: hypervisor control registers", Space.ICH),
    "icv": ("ICV: the virtual CPU interface", Space.ICV),
    "icc": ("ICC: the physical CPU interface", Space.ICC),
    "gich": ("GICH: hypervisor control of GICv2", Frame.GICH),
    "gicv": ("GICV: the virtual CPU interface of GICv2", Frame.GICV),
    "gicc": ("GICC: the physical CPU interface of GICv2", Frame.GICC),
    "gicd": ("GICD: the distributor", Frame.GICD),
    "gicr": ("GICR: the redistributor", Frame.GICR),
}
#: Accesses, what the hypervisor has written before, title.
_TIMING = {
    "acknowledge": (
        [("ICC_IAR1_EL1", False, 0), ("ICC_EOIR1_EL1", True, 32)],
        [("ICH_VMCR_EL2", 0xF84C0002), ("ICH_LR0_EL2", 0x5040_0000_0000_0020), ("ICH_HCR_EL2", 1)],
        "IAR and EOIR of vINTID 32, back to back",
    ),
    "lrenp": (
        [("ICC_EOIR1_EL1", True, 40)],
        [("ICH_VMCR_EL2", 0xF84C0002), ("ICH_AP1R0_EL2", 1 << 8), ("ICH_HCR_EL2", 5)],
        "EOIR without a list register: EOIcount, LRENP, the maintenance interrupt",
    ),
    "trap": (
        [("ICC_DIR_EL1", True, 40)],
        [("ICH_VMCR_EL2", 0xF84C0202), ("ICH_HCR_EL2", 0x4001)],
        "DIR while ICH_HCR_EL2.TDIR is set: a trap, and nothing changes",
    ),
}


def write_pages(target: Path) -> None:
    """Write every generated page and picture below ``target``."""
    figures = target / "figures"
    figures.mkdir(parents=True)
    _registers(target, figures)
    for name, (accesses, before, title) in _TIMING.items():
        timing(accesses, before, title, figures / f"timing-{name}.svg")
    pages = {
        "parameters": _page("Parameters of a build", parameters_markdown()),
        "commands": _commands(),
        "patches": _patches(),
        "faults": _faults(),
        "switches": _switches(),
        "policy-table": _policies(),
        "scenario-index": _scenarios(),
        "divergence-tests": _divergences(),
        "testplan": _page("Testplan", markdown()),
    }
    for name, text in pages.items():
        (target / f"{name}.md").write_text(text, encoding="utf-8")


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", *parts]) + "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Return text for a table: pipes, and angle brackets that would be HTML, escaped."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


# -- registers ---------------------------------------------------------------------------------------


def _registers(target: Path, figures: Path) -> None:
    config = GicConfig()
    names = []
    for page, (title, kind) in _REGISTER_PAGES.items():
        table = REGISTERS if isinstance(kind, Space) else mapped_registers(config)
        found = [one for one in table if (one.space if isinstance(kind, Space) else one.frame) is kind]
        parts = []
        for register, others in _families(found):
            text = register_page(register, config).replace("### ", "## ", 1).replace("<", "&lt;")
            if others:
                head, _, rest = text.partition("\n\n")
                text = f"{head}\n\nSo are {', '.join(others)}.\n\n{rest}"
            if register.fields:
                bit_fields(register, figures / f"{register.name}.svg")
                head, _, rest = text.partition("\n\n")
                text = f"{head}\n\n![{register.name}](figures/{register.name}.svg)\n\n{rest}"
            parts.append(text.rstrip())
        name = f"registers-{page}"
        names.append(name)
        (target / f"{name}.md").write_text(_page(title, *parts), encoding="utf-8")
    about = (
        "Every page here is made from the register tables that the gateware, the golden model "
        "and the wave decoders "
        "are made from (`hw/registers.py`, `hw/registers_v2.py`, `hw/registers_dist.py`), for "
        "the default build. "
        "`spillway registers` prints them for any other."
    )
    toc = "```{toctree}\n:maxdepth: 1\n\n" + "\n".join(names) + "\n```"
    (target / "registers.md").write_text(_page("Registers", about, toc), encoding="utf-8")


def _families(registers: list[Register | MmioRegister]) -> list[tuple[Register | MmioRegister, list[str]]]:
    """Return registers that differ in their number only once, with the names of the others."""
    families: dict[object, list[Register | MmioRegister]] = {}
    for register in registers:
        stem = re.sub(r"\d+(?=(_EL[12])?$)", "<n>", register.name)
        key = (stem, tuple((field.name, field.lsb, field.width) for field in register.fields))
        families.setdefault(key, []).append(register)
    result = []
    for family in families.values():
        names = [one.name for one in family[1:]]
        result.append((family[0], names if len(names) < 4 else [f"those up to {names[-1]}"]))
    return result


# -- commands ----------------------------------------------------------------------------------------


def _commands() -> str:
    parts = [
        "What `--help` prints. Exit status of every command: 0 success, 1 the run found "
        "differences or failures, 2 bad "
        "input or usage, told in one line."
    ]
    for name, (module, summary) in COMMANDS.items():
        command = importlib.import_module(module).command
        context = click.Context(command, info_name=name, parent=click.Context(cli, info_name="spillway"))
        parts.append(f"## spillway {name}\n\n{summary}\n\n```text\n{command.get_help(context)}\n```")
    return _page("Commands", *parts)


# -- the kernels -------------------------------------------------------------------------------------


def _patches() -> str:
    about = (
        "The series *KVM: arm64: Add LR overflow infrastructure*, 33 patches as first posted, "
        "what joined it until the "
        "merge into Linux 6.19, and what came later. A switch carries each; taking it away "
        "makes the row's test fail. "
        "`spillway patches` runs the tests."
    )
    groups = (
        ("The first posting", [one for one in patches() if re.fullmatch(r"v1-\d+", one.name)]),
        ("Until the merge, and later", [one for one in patches() if not re.fullmatch(r"v1-\d+", one.name)]),
    )
    parts = [about]
    for title, rows in groups:
        table = _table(
            ("patch", "merged as", "commit", "title", "what it adds", "switch", "scenarios", "remark"),
            (
                (
                    one.name, str(one.merged or ""), one.commit, one.title, one.adds, ", ".join(one.switches),
                    ", ".join(one.scenarios), one.open_reason or one.outside,
                )
                for one in rows
            ),
        )  # fmt: skip
        parts.append(f"## {title}\n\n{table}")
    return _page("The overflow series, patch by patch", *parts)


def _faults() -> str:
    about = (
        "Failures of the algorithm before 6.19 (18), reported ones of the new (21), found by "
        "reading (22) and by "
        "refinement (R). `spillway patches --bugs` runs their tests; [the cures](fixed.md) put "
        "right those of 7.3."
    )
    cured = {fault: cure.switch for cure in CURES for fault in cure.faults}
    rows = (
        (bug.name, bug.title, ", ".join(bug.fails), ", ".join(bug.scenarios) or bug.test or bug.open_reason,
         bug.seen, cured.get(bug.name, ""))
        for bug in BUGS
    )  # fmt: skip
    return _page(
        "Known faults of KVM",
        about,
        _table(("fault", "what happens", "fails on", "shown by", "seen on", "cure"), rows),
    )


def _switches() -> str:
    about = (
        "A profile is a kernel's vgic as a set of switches. Each can be changed alone: "
        "`--profile 7.3,-walk_from_tail`. The columns say which profiles have it."
    )
    rows = (
        (
            name,
            meta["patches"],
            meta["doc"],
            *("x" if getattr(profile, name) else "" for profile in PROFILES.values()),
        )
        for name, meta in SWITCHES.items()
    )
    return _page("Profiles and switches", about, _table(("switch", "patch", "on", *PROFILES), rows))


# -- policies, scenarios, divergences ----------------------------------------------------------------


def _policies() -> str:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    parts = [
        "How the Xen-like and the Bao-like algorithm fare on the collection of scenarios. Each has "
        "weaknesses that are known and have a name, `X1` or `B1`; the tables say in which scenarios guests "
        "notice which. "
        "Made from `sim/policy/applies.toml`, which `tests/sim/policy` holds to what the policies do."
    ]
    for policy in POLICIES:
        rows = applies(policy)
        names = _table(("weakness", "what happens"), rows.names.items())
        shows = _table(("scenario", "guests notice"), rows.shows.items())
        without = _table(("scenario", "not played, because"), rows.without.items())
        parts.append(
            f"## {policy}\n\n{names}\n\nEverywhere else guests see what they should.\n\n{shows}\n\n{without}"
        )
    assert set(table) == {"without", *POLICIES}
    return _page("Policies and scenarios", *parts)


def _scenarios() -> str:
    rows = []
    for path in find_scenarios(ROOT / "sim" / "scenarios"):
        scenario = read_scenario(path)
        profiles = dict.fromkeys(name for steps in scenario.sequences for name in steps.profiles)
        rows.append((scenario.name, scenario.title, ", ".join(profiles) or f"open: {scenario.open_reason}"))
    about = (
        "What `spillway run sim/scenarios --list` prints, and for which hypervisors each has steps. "
        "[Scenario files](scenarios.md) tells what the first letter of a name means."
    )
    return _page(
        "The collection of scenarios", about, _table(("scenario", "title", "hypervisors with steps"), rows)
    )


def _divergences() -> str:
    entries = tomllib.loads(DIVERGENCES.read_text(encoding="utf-8"))["test"]
    rows = (
        (row.name, row.model, row.where, row.finding, ", ".join(row.test.rules),
         " ".join(entry["operations"].split()))
        for row, entry in zip(load_divergences(), entries, strict=True)
    )  # fmt: skip
    about = (
        "The rows of `sim/divergences.toml`. Each is a directed test that the strict golden "
        "model and the gateware pass, "
        "and that a golden model with this one bug fails (`tests/sim/test_divergences.py`). See "
        "[the divergence table](divergences.md) for what notices each."
    )
    return _page(
        "Divergences: the tests", about, _table(("row", "model", "where", "finding", "rules", "test"), rows)
    )
