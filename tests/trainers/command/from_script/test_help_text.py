"""Options from ``--help``, as argparse and click print it."""

import argparse

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from sweep.trainers.command.from_script.help_text import parse_help
from sweep.trainers.command.from_script.option import Option


def argparse_help() -> str:
    parser = argparse.ArgumentParser(prog="train.py", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("data", help="folder of the data")
    parser.add_argument("--lr", "-l", type=float, default=1e-3, help="learning rate")
    parser.add_argument("--hidden-dim", type=int, default=128, help="neurons")
    parser.add_argument("--opt", choices=["sgd", "adam"], default="adam", help="optimizer")
    parser.add_argument("--sizes", type=int, nargs="+", default=[3, 4], help="of layers")
    parser.add_argument("--use-bn", action="store_true", help="normalise")
    parser.add_argument("--amp", action=argparse.BooleanOptionalAction, default=True, help="half precision")
    parser.add_argument("--a-very-long-name-of-an-option", type=int, default=5, help="text " * 30)
    parser.add_argument("--bare")
    group = parser.add_argument_group("other things")
    group.add_argument("--gamma", type=float, default=0.5, help="decay")
    return parser.format_help()


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_argparse(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """Whatever the terminal's width."""
    monkeypatch.setenv("COLUMNS", columns)
    found = {option.name: option for option in parse_help(argparse_help()).options}
    facts = {name: (o.flag, o.kind, o.default, o.is_flag) for name, o in found.items()}
    assert facts == {
        "data": (None, "text", None, False),
        "lr": ("--lr", "float", 0.001, False),
        "hidden_dim": ("--hidden-dim", "int", 128, False),
        "opt": ("--opt", "text", "adam", False),
        "sizes": ("--sizes", "int", [3, 4], False),
        "use_bn": ("--use-bn", "bool", False, True),
        "amp": ("--amp", "bool", True, True),
        "a_very_long_name_of_an_option": ("--a-very-long-name-of-an-option", "int", 5, False),
        "bare": ("--bare", None, None, False),
        "gamma": ("--gamma", "float", 0.5, False),
    }
    assert found["opt"].choices == ("sgd", "adam")
    assert found["sizes"].is_list
    assert found["amp"].off_flag == "--no-amp"
    assert found["data"].is_required
    assert (found["lr"].help, found["gamma"].help) == ("learning rate", "decay")


def test_click() -> None:
    """Types from metavars, bounds, flags in pairs."""

    @click.command()
    @click.argument("data")
    @click.option("--lr", "-l", default=1e-3, show_default=True, help="Learning rate.")
    @click.option("--depth", type=click.IntRange(1, 8), default=2, show_default=True)
    @click.option("--act", type=click.Choice(["relu", "tanh"]), required=True)
    @click.option("--bn/--no-bn", default=True, help="Normalise.")
    @click.option("--amp", is_flag=True)
    @click.option("--name")
    def train(**values: object) -> None:
        del values

    found = parse_help(CliRunner().invoke(train, ["--help"]).output)
    assert found.style == "click"
    options = {option.name: option for option in found.options}
    assert {name: (o.flag, o.kind, o.default) for name, o in options.items()} == {
        "lr": ("--lr", "float", 0.001),
        "depth": ("--depth", "int", 2),
        "act": ("--act", "text", None),
        "bn": ("--bn", "bool", False),
        "amp": ("--amp", "bool", False),
        "name": ("--name", "text", None),
    }
    assert options["depth"].bounds == (1, 8)
    assert options["act"].choices == ("relu", "tanh")
    assert options["act"].is_required
    assert [options[name].help for name in ("lr", "depth", "act", "bn")] == [
        "Learning rate.",
        "",
        "",
        "Normalise.",
    ]
    assert options["bn"].off_flag == "--no-bn"


@given(st.text(max_size=300))
def test_any_text_is_survived(text: str) -> None:
    """A program may print anything."""
    for option in parse_help("options:\n  --" + text + "\n  " + text).options:
        assert isinstance(option, Option)


def test_no_help() -> None:
    """Nothing is made up."""
    assert parse_help("").options == ()
    assert parse_help("Traceback (most recent call last):\n  File 'x'\nImportError: torch\n").options == ()
