"""Options of argparse scripts, from their source."""

import ast

import pytest

from sweep.trainers.command.from_script.argparse_source import BOOL_TRAP, argparse_options
from sweep.trainers.command.from_script.option import Option


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
