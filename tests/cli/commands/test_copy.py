"""The command copy."""

from pathlib import Path

import pytest

from sweep.cli import main
from sweep.cli.commands.common import database_options
from sweep.storage.database import Database
from tests.support.command_line import (
    Capture,
    complaint,
)


def test_a_copy_says_how_to_look_at_it(small: Path, capsys: Capture) -> None:
    """The command that is named shows the copy."""
    assert main(["copy", "small", "--to", "sqlite:///studies/other.db"]) == 0
    command = capsys.readouterr().err.strip().rpartition("next: sweep ")[2]
    assert command == "table small --storage sqlite:///studies/other.db"
    assert main(command.split()) == 0


def test_a_server_is_named_without_its_password() -> None:
    """With what else the command needs: the folder of files."""
    database = Database("postgresql://u:secret@h:5433/d", "s3://bucket/x")
    assert database_options(database) == "--storage postgresql://u@h:5433/d --files s3://bucket/x"


@pytest.mark.parametrize(
    ("url", "status", "told"),
    [
        ("other.db", 1, "storage must be sqlite:///PATH or"),
        ("sqlite:///studies", 3, "studies is not a file; choose another database"),
    ],
)
def test_a_copy_goes_to_a_database_only(
    url: str, status: int, told: str, small: Path, capsys: Capture
) -> None:
    """What ``--to`` names is told without speaking of another option."""
    assert main(["copy", "small", "--to", url]) == status
    line = complaint(capsys)
    assert told in line
    assert "--storage" not in line
