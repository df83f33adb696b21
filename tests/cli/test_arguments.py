"""Help, usage, and what is printed about a mistyped command line."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import (
    Capture,
)
from small_study import (
    environment,
)
from sweep_command import DEADLINE_S

from sweep import __version__
from sweep.cli import main
from sweep.cli.arguments import make_parser, parse_arguments

HEAVY = {"torch", "optuna", "pandas", "plotly", "numpy", "numba"}


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return each command's parser."""
    action = next(a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """`sweep --help` answers at once, since it loads no numerical library."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "sweep", "--help"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    imported = {
        line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time")
    }
    assert "sweep.cli" in imported
    assert not {name for name in imported if name.partition(".")[0] in HEAVY | {"sqlalchemy", "rich"}}
    assert "COMMAND" in done.stdout


@pytest.mark.parametrize("name", commands())
def test_every_command_shows_an_example(name: str, capsys: Capture) -> None:
    """A command's help holds a line to copy, and that line is accepted by the command's own parser."""
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    example = text.partition("Example: sweep ")[2]
    assert make_parser().parse_args(example.split()).command == name


def test_version_is_told(capsys: Capture) -> None:
    """`sweep --version` names the version."""
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"sweep {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["frob"], "sweep: error: unknown command frob; `sweep --help` lists what there is"),
        (["rnu", "x.toml"], "sweep: error: unknown command rnu; did you mean run?"),
        (
            ["run", "--trails", "5", "x.toml"],
            "sweep run: error: unknown option --trails; did you mean --trials?",
        ),
        (["copy", "small", "--too=x.db"], "sweep copy: error: unknown option --too; did you mean --to?"),
        (["table", "small", "--xyz"], "unknown option --xyz; `sweep table --help` lists what there is"),
        (["table", "small", "-x"], "sweep table: error: unknown option -x"),
        (["table", "small", "other"], "sweep table: error: unexpected argument other"),
        (["list", "--st\x1b[1m"], "unknown option '--st\\x1b[1m'"),
        (["table"], "required: STUDY"),
        (["table", "small", "--format", "xml"], "invalid choice: 'xml'"),
        (["run", "x.toml", "--trials", "0"], "argument --trials: must be 1 or more, got 0"),
        (["run", "x.toml", "--workers", "two"], "argument --workers: must be a whole number, got 'two'"),
        (["replay", "small", "--trial", "-1"], "argument --trial: must be 0 or more, got -1"),
        (["dashboard", "--port", "99999"], "argument --port: must be from 0 to 65535, got 99999"),
        (["dashboard", "--port", "http"], "argument --port: must be a whole number, got 'http'"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], message: str, capsys: Capture) -> None:
    """What is typed wrong is told with the usage, in words and not in Python."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert message in written.err
    if arguments and arguments[0] in commands():
        assert written.err.startswith(f"usage: sweep {arguments[0]} ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["sample", "x.toml", "-n5"],
        ["run", "small", "--tri", "5"],
        ["test", "x.toml", "--again", "-1"],
        ["test", "x.toml", "--again", "--as I said"],
        ["table", "--", "--small"],
        ["plot", "small", "history", "-ox.html"],
    ],
)
def test_what_argparse_takes_is_taken(arguments: list[str]) -> None:
    """Options that are shortened or written together, and words that only look like options."""
    assert parse_arguments(arguments) == make_parser().parse_args(arguments)
