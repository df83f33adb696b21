"""Where commands come from: the rooms of the command line, the trainers, and installed packages."""

from pathlib import Path

import pytest

from sweep.cli import main
from sweep.cli.registry import all_commands, built_in_commands

COMMAND = """
import click
from sweep.cli.command import command

@command(example="sweep greet x")
@click.argument("name")
def greet(arguments):
    'Greet somebody.'
    print("hello", arguments.name)
    return 0

COMMANDS = (greet,)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with the command ``greet`` and two that cannot be imported, as an installer lays them out."""
    (tmp_path / "greeter.py").write_text(COMMAND)
    info = tmp_path / "greeter-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: greeter\nVersion: 1\n")
    (tmp_path / "failing.py").write_text("1 / 0")
    points = "greet = greeter:COMMANDS\nbroken = no_such_module:COMMANDS\nfails = failing:COMMANDS\n"
    (info / "entry_points.txt").write_text(f"[sweep.commands]\n{points}")
    monkeypatch.syspath_prepend(tmp_path)


def test_a_trainer_adds_commands_of_its_own() -> None:
    """Those of the MLP are listed with the others."""
    assert {"run", "table", "sample", "lr-find"} <= set(built_in_commands())


@pytest.mark.usefixtures("install")
def test_an_installed_package_adds_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    """It runs like our own; a package that cannot be imported is named, and takes nothing away."""
    assert main(["greet", "you"]) == 0
    written = capsys.readouterr()
    assert written.out == "hello you\n"
    assert written.err.splitlines() == [
        "sweep: the commands of no_such_module:COMMANDS are left out: No module named 'no_such_module'",
        "sweep: the commands of failing:COMMANDS are left out: division by zero",
    ]
    assert set(all_commands()) == {"greet", *built_in_commands()}
