"""Options of argparse scripts, from their source."""

import argparse
import ast
import json
import subprocess
import tomllib
from pathlib import Path

import pytest

from sweep.trainers.command.arguments import CommandLine
from sweep.trainers.command.from_script.argparse_source import BOOL_TRAP, argparse_options
from sweep.trainers.command.from_script.option import Option
from sweep.trainers.command.from_script.read_script import read_script
from sweep.trainers.command.from_script.study_text import write_study
from tests.support.made_place import place_in


def option(source: str, before: str = "") -> Option:
    [found] = argparse_options(ast.parse(f"{before}\np.add_argument({source})")).options
    return found


@pytest.mark.parametrize(
    ("source", "facts"),
    [
        (
            "'--lr', type=float, default=1e-3",
            {"name": "lr", "flag": "--lr", "kind": "float", "default": 1e-3},
        ),
        ("'-l', '--learning-rate', type=float", {"name": "learning_rate", "flag": "--learning-rate"}),
        ("'-l', type=int", {"name": "l", "flag": "-l", "kind": "int", "default": None}),
        ("'--a-b', dest='c'", {"name": "c", "flag": "--a-b", "kind": "text"}),
        ("'data'", {"name": "data", "flag": None, "is_required": True}),
        ("'data', nargs='?'", {"name": "data", "flag": None, "is_required": False}),
        ("'--x', required=True", {"is_required": True}),
        ("'--x', action='store_true'", {"is_flag": True, "kind": "bool", "default": False, "flag": "--x"}),
        ("'--no-x', action='store_false', dest='x'", {"off_flag": "--no-x", "flag": None, "default": True}),
        (
            "'--x', action=argparse.BooleanOptionalAction",
            {"flag": "--x", "off_flag": "--no-x", "is_flag": True},
        ),
        ("'--x', action='append'", {"is_usable": False}),
        ("'--x', choices=['a', 'b']", {"choices": ("a", "b"), "kind": "text"}),
        ("'--x', type=int, choices=[1, 5]", {"choices": (1, 5), "bounds": None}),
        ("'--x', type=int, choices=range(1, 9)", {"choices": (), "bounds": (1, 8)}),
        ("'--x', nargs='+', type=int, default=[1, 2]", {"is_list": True, "default": [1, 2]}),
        ("'--x', nargs=2, type=float", {"is_list": True, "kind": "float"}),
        ("'--x', type=bool, default=True", {"warnings": (BOOL_TRAP,), "off_flag": "--x="}),
        ("'--x', default=-2 * 10 ** -3", {"default": -0.002}),
        ("'--x', default=0.5", {"warnings": ("It has no type, so the script gets text.",)}),
        ("'--x', type=Path, default='.'", {"kind": "text", "warnings": ()}),
        ("'--x', help='a ' + f'b {3} c'", {"help": "a b  c"}),
        ("'--x', help=argparse.SUPPRESS", {"help": ""}),
    ],
)
def test_one_option(source: str, facts: dict[str, object]) -> None:
    """What each form of ``add_argument`` says."""
    found = option(source)
    assert {name: getattr(found, name) for name in facts} == facts


def test_names_of_the_module() -> None:
    """A name that the module assigns once, and what is made of it; never one that it assigns twice."""
    before = "LR = 1e-3\nNAMES = {'a': f, 'b': g}\nTWICE = 1\nTWICE = 2\nLOOP = LOOP"
    assert option("'--x', type=float, default=LR", before).default == 1e-3
    assert option("'--x', choices=list(NAMES)", before).choices == ("a", "b")
    assert option("'--x', choices=NAMES.keys()", before).choices == ("a", "b")
    for name in (
        "TWICE",
        "LOOP",
        "GONE",
        "os.environ['X']",
        "9 ** 9 ** 9",
        "range(10 ** 9)",
        "1 / 0",
        "-'a'",
    ):
        found = option(f"'--x', type=int, default={name}", before)
        assert found.default is None
        known = ast.unparse(ast.parse(name))
        assert found.warnings == (f"Its default is known only when the script runs: {known}.",)


def test_what_cannot_be_read() -> None:
    """Computed names, options from elsewhere, subcommands."""
    found = argparse_options(
        ast.parse(
            "p.add_argument('--' + n)\np.add_argument('--x', **more)\np.add_argument()\np.add_subparsers()"
        )
    )
    assert found.options == ()
    assert [text.partition(":")[0] for text in found.unread] == ["line 1", "line 2", "line 3", "subcommands"]


def test_defaults_that_change_later() -> None:
    """``set_defaults`` has the last word, and a second ``add_argument`` the first."""
    tree = ast.parse(
        "p.add_argument('--x', type=int, default=1)\np.add_argument('--x', type=int, default=2)\n"
        "p.add_argument('--y', type=int)\np.set_defaults(y=3)"
    )
    assert {found.name: found.default for found in argparse_options(tree).options} == {"x": 2, "y": 3}


ON = "'--x', dest='x', action='store_true'"
OFF = "'--no-x', dest='x', action='store_false'"


def parsed_by_script(folder: Path, lines: list[str], value: bool) -> object:
    """Return what argparse stores in ``x`` when the script gets ``x = value`` from its first study."""
    path = folder / "train.py"
    path.write_text(
        "import argparse, json\np = argparse.ArgumentParser()\ng = p.add_mutually_exclusive_group()\n"
        "p.add_argument('--lr', type=float, default=0.1)\n"
        + "\n".join(lines)
        + "\nprint(json.dumps(vars(p.parse_args())))\n"
    )
    study = tomllib.loads(write_study(read_script(path), str(path)).replace("# arguments.", "arguments."))
    line = CommandLine.parse(study["command"], params=["x"], arguments=study.get("arguments"))
    place = place_in(folder)
    done = subprocess.run(line.expand({"x": value}, place), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["x"]


@pytest.mark.parametrize("owner", ["p", "g"])
@pytest.mark.parametrize(
    ("pair", "after", "default"),
    [
        ((ON, OFF), "", False),
        ((OFF, ON), "", True),
        ((ON, OFF), "p.set_defaults(x=True)", True),
        ((OFF, ON), "p.set_defaults(x=False)", False),
        ((f"{ON}, default=True", OFF), "", True),
        ((ON, f"{OFF}, default=argparse.SUPPRESS"), "", False),
    ],
)
def test_two_flags_of_one_value(
    tmp_path: Path, owner: str, pair: tuple[str, str], after: str, default: bool
) -> None:
    """They are one option, with the first one's default; true and false both reach the script."""
    lines = [*(f"{owner}.add_argument({source})" for source in pair), after]
    assert parsed_by_script(tmp_path, lines, True) is True
    assert parsed_by_script(tmp_path, lines, False) is False
    [found] = [option for option in read_script(tmp_path / "train.py").options if option.name == "x"]
    assert (found.flag, found.off_flag, found.default) == ("--x", "--no-x", default)
    assert (found.is_usable, found.warnings) == (True, ())
    parser = argparse.ArgumentParser()
    exec("\n".join(lines), {"p": parser, "g": parser, "argparse": argparse})  # noqa: S102
    assert parser.parse_args([]).x is default


@pytest.mark.parametrize(
    ("lines", "warning"),
    [
        (
            [f"p.add_argument({ON}, default=True)"],
            "It is on by default and has no flag that turns it off.",
        ),
        ([f"p.add_argument({ON}, default=1)"], "It is on by default and has no flag that turns it off."),
        (
            [f"p.add_argument({ON})", "p.set_defaults(x=True)"],
            "It is on by default and has no flag that turns it off.",
        ),
        (
            [f"p.add_argument({OFF}, default=False)"],
            "It is off by default and has no flag that turns it on.",
        ),
        (
            [f"p.add_argument({OFF})", "p.set_defaults(x=False)"],
            "It is off by default and has no flag that turns it on.",
        ),
        (
            [f"p.add_argument({ON}, default=found())"],
            "Its default is unknown, and it has no flag that turns it off.",
        ),
    ],
)
def test_a_flag_that_changes_nothing(lines: list[str], warning: str) -> None:
    """A value that the script cannot be given is not searched."""
    found = argparse_options(ast.parse("\n".join(lines)))
    [of_x] = found.options
    assert not of_x.is_usable
    assert of_x.warnings[-1] == warning
    text = write_study(found, "train.py")
    assert f"# {warning}" in text
    assert "search.x" not in text


@pytest.mark.parametrize("lines", [[ON], [OFF], [f"{ON}, default=None"], [f"{OFF}, default=True"]])
def test_one_flag_whose_default_is_the_other_value(tmp_path: Path, lines: list[str]) -> None:
    """True and false both reach the script."""
    calls = [f"p.add_argument({source})" for source in lines]
    assert parsed_by_script(tmp_path, calls, True) is True
    assert not parsed_by_script(tmp_path, calls, False)


def test_a_flag_beside_an_option_with_a_value() -> None:
    """The option that takes a value can express what the flag does."""
    value, flag = "p.add_argument('--x', type=int, default=3)", f"p.add_argument({OFF})"
    for lines in ([value, flag], [flag, value]):
        [found] = argparse_options(ast.parse("\n".join(lines))).options
        assert (found.flag, found.is_flag, found.default) == ("--x", False, 3)
