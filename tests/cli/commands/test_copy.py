"""The command copy."""

from pathlib import Path

import pytest

from sweep.cli import main
from sweep.cli.commands.common import database_options
from sweep.errors import StorageAddressError
from sweep.storage.copying import copy_study
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


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


NOWHERE = "postgresql://u@127.0.0.1:1/d"
"""A server that does not answer: a refusal must come before it is asked."""

SAME = {
    "the database itself": (["--to", "sqlite:///studies/sweep.db"], "--to"),
    "a linked folder": (["--to", "sqlite:///studies/linked.db"], "--to"),
    "the folder of a server": (["--to", NOWHERE, "--to-files", "studies/sweep.db.d"], "--to-files"),
    "another path": (["--to", NOWHERE, "--to-files", "./studies/../studies/sweep.db.d/"], "--to-files"),
    "inside": (["--to", NOWHERE, "--to-files", "studies/sweep.db.d/small"], "--to-files"),
    "around": (["--to", NOWHERE, "--to-files", "studies"], "--to-files"),
    "a link": (["--to", NOWHERE, "--to-files", "studies/linked.db.d"], "--to-files"),
}
"""Targets that would have their files among the source's, and the option that mends it."""


@pytest.mark.parametrize("case", SAME)
def test_a_copy_does_not_replace_the_files_that_it_reads(case: str, small: Path, capsys: Capture) -> None:
    """It is refused before anything is written, in one line that names both folders and the option."""
    (small / "studies" / "linked.db.d").symlink_to("sweep.db.d")
    before = contents(small / "studies")
    options, remedy = SAME[case]
    assert main(["copy", "small", *options]) == 1
    line = complaint(capsys)
    assert "would have its files in " in line
    assert line.endswith(f" with {remedy}")
    assert "among those of studies/sweep.db in studies/sweep.db.d" in line
    assert contents(small / "studies") == before


def test_a_folder_of_files_in_the_environment_serves_one_side(
    small: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With SWEEP_FILES two servers would share it, and without it two databases of one name would."""
    for files in (None, "shared", "s3://bucket/team"):
        if files is None:
            monkeypatch.delenv("SWEEP_FILES", raising=False)
        else:
            monkeypatch.setenv("SWEEP_FILES", files)
        first, second = Database(NOWHERE), Database("postgresql://u@127.0.0.1:2/d")
        with pytest.raises(StorageAddressError, match="pass another folder with --to-files") as refusal:
            copy_study("small", first, second)
        assert refusal.value.exit_status == 1
        assert (files or "studies/d.d") in str(refusal.value)
