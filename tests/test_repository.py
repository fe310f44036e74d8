"""What holds for the repository as a whole: layers, pins, README, names that must not appear."""

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import click
import pytest

from tb.cli import COMMANDS, cli

ROOT = Path(__file__).parents[1]
LAYERS = {
    "hw": {"hw"},
    "sim": {"hw", "sim"},
    "tb": {"hw", "sim", "tb"},
    "fpga": {"hw", "sim", "fpga"},
}
#: What golden may share with the gateware.
SHARED = {
    "hw.registers",
    "hw.config",
    "hw.errors",
    "hw.fields",
    "hw.mmio",
    "hw.mmio_map",
    "hw.config_v2",
    "hw.registers_v2",
    "hw.config_physical",
    "hw.registers_dist",
}
README = (ROOT / "README.md").read_text()


@cache
def _files() -> tuple[Path, ...]:
    """All files of the repository: as git has them, or what is there in a checkout without git."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode == 0:
        return tuple(path for name in done.stdout.decode().split("\0") if (path := ROOT / name).is_file())
    parts = [ROOT / name for name in (*LAYERS, "tests", ".ci")]
    return tuple(
        path
        for part in parts
        for path in part.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


def _modules(*packages: str) -> dict[str, Path]:
    """Return every module of some packages by dotted name."""
    modules = {}
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            modules[dotted] = path
    return modules


@cache
def _imports(path: Path) -> frozenset[str]:
    """Return what a file imports, modules named in ``from`` imports included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("package", LAYERS)
def test_imports_point_down(package):
    for name, path in _modules(package).items():
        front_door = _within(name, "tb.cli")
        allowed = set(LAYERS) if front_door else LAYERS[package]
        for imported in _imports(path):
            top = imported.partition(".")[0]
            assert top not in set(LAYERS) - allowed, f"{name} imports {imported}"
            assert top != "tests", f"{name} imports {imported}"
            if not front_door:
                assert not _within(imported, "tb.cli"), f"{name} imports {imported}"


def test_golden_and_gateware_share_the_tables_only():
    """Whatever golden imports, directly or through others, is not gateware."""
    modules = _modules("hw", "sim")
    reached, waiting = set(), [name for name in modules if _within(name, "sim.golden")]
    assert waiting
    while waiting:
        name = waiting.pop()
        reached.add(name)
        imports = _imports(modules[name])
        assert not [i for i in imports if _within(i, "amaranth")], f"{name} imports Amaranth"
        waiting += [i for i in imports if i in modules and i not in reached and i not in waiting]
    assert {name for name in reached if _within(name, "hw")} - {"hw"} <= SHARED


def test_the_gateware_knows_no_golden_model():
    for name, path in _modules("hw").items():
        assert not [i for i in _imports(path) if _within(i, "sim")], name


def test_every_package_has_a_docstring_and_is_installed():
    """Editable or not, each folder with modules is a package."""
    for path in _modules(*LAYERS).values():
        assert (path.parent / "__init__.py").is_file(), path


def test_pins_have_an_upper_end_and_a_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    groups = [project["project"]["dependencies"], *project["project"]["optional-dependencies"].values()]
    for requirement in [requirement for group in groups for requirement in group]:
        if requirement.startswith("spillway["):  # another group of this file
            continue
        assert re.search(r"==|<", requirement), f"{requirement} has no upper end"
        at = next(n for n, line in enumerate(lines) if line.strip() == f'"{requirement}",')
        if requirement.startswith("pytest>"):  # a tool everybody has an opinion on anyway
            continue
        assert lines[at - 1].strip().startswith("#"), f"{requirement} has no reason"


def test_no_file_is_too_long():
    for path in _files():
        if path.suffix == ".py":
            assert len(path.read_text().splitlines()) <= 450, path


def test_fixtures_stay_small():
    assert sum(path.stat().st_size for path in _files() if ROOT / "tests/data" in path.parents) < 700_000


#: Spelled in two parts, so that this file does not hold them.
FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.$}/-])/(?:ro" + r"ot|wo" + r"rk|fa" + r"rm|ho" + r"me)/\w",
    "a private interpreter": r"/tm" + r"p/v/",
    "a folder outside": r"\.\./sha" + r"red|/sha" + r"red/(?:spec|data)",
    "talk about work in progress": r"(?i)\bcol"
    + r"league|closing n"
    + r"ote|the le"
    + r"ad\b|of the iss"
    + r"ue\b",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_tracked_files_do_not_contain(what):
    pattern = re.compile(FORBIDDEN[what])
    found = []
    for path in _files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert not found


def _code_lines() -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line]


def test_the_start_is_two_commands():
    assert _code_lines()[:2] == ["make demo", "make test"]


def test_every_make_target_in_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?:`|^\$ )make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "test", "lint", "clean", "bench", "soak"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    phony = set(" ".join(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)).split())
    assert targets <= phony


def test_every_subcommand_is_in_the_readme_and_the_other_way_round():
    named = re.findall(r"(?:`|^\$ )(?:\.venv/bin/)?spillway ([a-z]+)", README, re.MULTILINE)
    assert set(named) == set(COMMANDS)


def test_every_option_in_the_readme_exists():
    context = click.Context(cli)
    for text in [*_code_lines(), *re.findall(r"`([^`]*spillway [^`]*)`", README)]:
        match = re.search(r"\bspillway ([a-z]+)(.*)", text)
        if match is None:
            continue
        command = cli.get_command(context, match[1])
        if isinstance(command, click.Group) and match[2].strip():
            command = command.commands[match[2].split()[0]]
        known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        assert set(re.findall(r"(?<!\S)--?[a-z][\w-]*", match[2])) <= known, text


def test_files_named_in_the_readme_exist():
    for name in re.findall(r"`((?:hw|sim|tb|fpga|tests|\.ci)/[\w./-]*)`", README):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"tests/data/\S+", " ".join(_code_lines())):
        assert (ROOT / name).exists(), name


def test_ci_runs_the_readmes_test_command():
    script = ROOT / ".ci/run"
    assert "make test" in script.read_text()
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_license_and_changelog():
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert re.search(r"^## \[Unreleased\]$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
