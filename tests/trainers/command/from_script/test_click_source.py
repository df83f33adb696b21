"""Options of click scripts, from their source, and what click does with the study's tokens."""

import ast
import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sweep.trainers.command.arguments import CommandLine
from sweep.trainers.command.from_script.click_source import click_options
from sweep.trainers.command.from_script.option import Option
from sweep.trainers.command.from_script.read_script import read_script
from sweep.trainers.command.from_script.study_text import write_study
from tests.support.made_place import place_in


def option(source: str) -> Option:
    [found] = click_options(ast.parse(f"@click.command()\n@click.{source}\ndef f(): pass")).options
    return found


@pytest.mark.parametrize(
    ("source", "facts"),
    [
        ("option('--lr', default=0.1)", {"name": "lr", "flag": "--lr", "kind": "float", "default": 0.1}),
        ("option('-l', '--learning-rate', 'rate', type=float)", {"name": "rate", "flag": "--learning-rate"}),
        ("option('--x-y')", {"name": "x_y", "kind": "text"}),
        ("option('--x', is_flag=True)", {"is_flag": True, "default": False, "off_flag": None}),
        ("option('--x', default=False)", {"is_flag": False, "kind": "bool", "default": False}),
        ("option('--x', flag_value=True, default=False)", {"is_flag": True, "is_usable": True}),
        ("option('--x', default=True)", {"is_flag": False, "kind": "bool", "default": True}),
        ("option('--x', type=bool)", {"is_flag": False, "kind": "bool", "is_usable": True}),
        ("option('--x', is_flag=True, default=True)", {"is_usable": False, "default": True}),
        ("option('--x', is_flag=True, default=found())", {"is_usable": False, "default": None}),
        ("option('--x/--no-x', default=found())", {"is_usable": True, "default": None}),
        ("option('--x/--no-x', default=True)", {"flag": "--x", "off_flag": "--no-x", "default": True}),
        ("option('--on/--off', 'x', default=False)", {"name": "x", "flag": "--on", "off_flag": "--off"}),
        ("option('--x', type=click.Choice(['a', 'b']))", {"choices": ("a", "b"), "kind": "text"}),
        ("option('--x', type=click.IntRange(1, 8))", {"bounds": (1, 8), "kind": "int"}),
        ("option('--x', type=click.FloatRange(min=0.0, max=1.0))", {"bounds": (0.0, 1.0), "kind": "float"}),
        ("option('--x', type=click.IntRange(1))", {"bounds": None, "kind": "int"}),
        ("option('--x', type=click.Path(exists=True))", {"kind": "text"}),
        ("option('--x', multiple=True, type=int)", {"is_list": True, "kind": "int"}),
        ("option('--x', type=parse)", {"kind": None, "warnings": ("The script converts it by parse.",)}),
        ("option('--x', required=True, help='h')", {"is_required": True, "help": "h"}),
        ("argument('data')", {"name": "data", "flag": None, "is_required": True}),
    ],
)
def test_one_option(source: str, facts: dict[str, Any]) -> None:
    """What each form says."""
    found = option(source)
    assert {name: getattr(found, name) for name in facts} == facts


SCRIPT = """
import json
import click

@click.command()
@click.argument("data")
@click.option("--learning-rate", default=0.1, help="of the optimiser")
@click.option("--depth", type=click.IntRange(1, 8), default=2)
@click.option("--act", type=click.Choice(["relu", "tanh"]), default="relu")
@click.option("--use-bn/--no-use-bn", default=True)
@click.option("--amp", is_flag=True)
@click.option("--bias", default=False)
@click.option("--tied", default=True)
@click.option("--fast", is_flag=True, default=True, expose_value=False)
@click.option("--layer", multiple=True, type=int, default=[3, 4])
@click.option("--seed", default=0)
def train(**values):
    print(json.dumps(values))
    print("val accuracy = %.3f" % 0.5)

train()
"""


@pytest.mark.parametrize("end", [0, -1])
def test_the_script_takes_what_the_study_gives(tmp_path: Path, end: int) -> None:
    """With every suggestion taken."""
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    study = tomllib.loads(
        write_study(read_script(path), str(path)).replace("# search.", "search.").replace("# arg", "arg")
    )
    assert (study["metric"], study["direction"], study["style"]) == ("val accuracy", "maximize", "click")
    assert {"amp", "bias", "tied", "use_bn"} <= study["search"].keys()
    assert "fast" not in study["search"]
    ends = ("low", "high")
    values = {
        name: entry["choices"][end] if "choices" in entry else entry[ends[end]]
        for name, entry in study["search"].items()
    }
    parsed = CommandLine.parse(
        study["command"], params=["data", *values], style="click", arguments=study["arguments"]
    )
    place = place_in(tmp_path, seed=7)
    done = subprocess.run(
        parsed.expand({**values, "data": "x y"}, place), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0]) == {**values, "data": "x y", "seed": 7}
