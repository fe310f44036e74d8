"""The parameter table and the options made from it."""

import dataclasses

import click
import pytest
from click.testing import CliRunner

from hw.config import ConfigError, GicConfig
from tb.cli import cli
from tb.cli.options import config_options
from tb.parameters import BUILDS, build_parameters, parameters, parameters_markdown


def test_every_parameter_is_described_with_its_values():
    table = {parameter.name: parameter for parameter in parameters()}
    assert list(table) == [field.name for field in dataclasses.fields(GicConfig)]
    assert table["lrs"].values == "1..16"
    assert table["lrs"].default == 4
    assert all(parameter.text.endswith(".") for parameter in table.values())


def test_the_table_is_markdown():
    """What ``spillway params --markdown`` prints and the documentation's page of parameters is made of."""
    lines = parameters_markdown().splitlines()
    assert lines[0].startswith("## GICv3")
    assert lines[2].startswith("| parameter | values | default |")
    rows = [line for line in lines if line.startswith("| `")]
    assert len(rows) == sum(len(build_parameters(build)) for build in BUILDS)


def test_what_is_listed_are_the_options_of_an_export():
    """Each parameter is an option there, with this default; GICv2's number of list registers is its own."""
    export = cli.get_command(click.Context(cli), "export")
    context = click.Context(export)
    options = {option.name: option.get_default(context) for option in export.params}
    for build in BUILDS:
        for name, _, default, _ in build_parameters(build):
            assert options[name] == default, name
    assert [row[:3] for row in build_parameters("v2")] == [("lrs", "1..64", 4)]
    assert {row.name for row in build_parameters("physical")} == {"physical_bits", "spis", "pes"}


@click.command()
@config_options
def _show(config):
    click.echo(repr(config))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], GicConfig()),
        (["--lrs", "16", "--pri-bits", "7", "--pre-bits", "6"], GicConfig(lrs=16, pri_bits=7, pre_bits=6)),
        (["--no-tds", "--no-nv4", "--dvim", "--id-bits", "24"],
         GicConfig(tds=False, nv4=False, dvim=True, id_bits=24)),
    ],
)  # fmt: skip
def test_options_make_the_configuration(arguments, expected):
    result = CliRunner().invoke(_show, arguments)
    assert result.output.strip() == repr(expected)


@pytest.mark.parametrize("arguments", [["--lrs", "0"], ["--lrs", "17"], ["--pre-bits", "6"], ["--dvim"]])
def test_illegal_parameters_are_refused(arguments):
    assert isinstance(CliRunner().invoke(_show, arguments).exception, ConfigError)
