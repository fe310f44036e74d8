"""The parameter table and the options made from it."""

import dataclasses

import click
import pytest
from click.testing import CliRunner

from hw.config import ConfigError, GicConfig
from tb.cli.options import config_options
from tb.parameters import parameters, parameters_markdown


def test_every_parameter_is_described_with_its_values():
    table = {parameter.name: parameter for parameter in parameters()}
    assert list(table) == [field.name for field in dataclasses.fields(GicConfig)]
    assert table["lrs"].values == "1..16"
    assert table["lrs"].default == 4
    assert all(parameter.text.endswith(".") for parameter in table.values())


def test_the_table_is_markdown():
    """What ``spillway params --markdown`` prints and the documentation's page of parameters is made of."""
    lines = parameters_markdown().splitlines()
    assert lines[0].startswith("| parameter | values | default |")
    assert len(lines) == 2 + len(parameters())


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
