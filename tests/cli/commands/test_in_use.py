"""Rename, copy and delete leave a study alone while a driver runs it or its confirmation."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.cli import main
from sweep.storage.database import Database
from sweep.storage.shared_study import SharedStudy
from sweep.storage.study_names import study_ids
from tests.support.command_line import Capture, complaint
from tests.support.postgres_server import Server, running_server

CONFIRM = ["confirm", "small", "--top", "1", "--seeds", "2", "--certify", "2", "--workers", "1"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, small: Path, capsys: Capture) -> Database:
    """A database of each kind with the small study and its finished confirmation."""
    assert main(CONFIRM) == 0
    here = Database("sqlite:///studies/sweep.db")
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("server")
        there = Database(server.make_database(f"t{abs(hash(request.node.name))}"), small / "files")
        assert there.given[1] is not None
        assert main(["copy", "small", "--to", there.given[0], "--to-files", there.given[1]]) == 0
        here = there
    capsys.readouterr()
    return here


@contextlib.contextmanager
def running(database: Database, name: str) -> Iterator[None]:
    """Hold a study as its driver does."""
    if not database.is_shared:
        with database.driver_lock(name):
            yield
        return
    storage = database.open_for_writing()
    driver = SharedStudy(storage, study_ids(storage)[name], name)
    driver.join()
    yield
    driver.leave()


def files_of(database: Database) -> dict[str, bytes | None]:
    """Every file of the small study, its confirmation's among them."""
    files = database.files / "small"
    return {name: files.read(name) for name in files.names()}


@pytest.mark.parametrize("name", ["small", "small/confirm"])
def test_a_study_in_use_is_left_alone(name: str, database: Database, capsys: Capture) -> None:
    """The refusal names the driver's process, and changes nothing; without the driver each command works."""
    url, files = database.given
    place = ["--storage", url, *(["--files", files] if files else [])]
    commands = (
        ["copy", "small", "--to", "sqlite:///other.db"],
        ["rename", "small", "new"],
        ["delete", "new", "--yes"],
    )
    with running(database, name):
        ids, before = study_ids(database.open_read_only()), files_of(database)
        assert any(file.startswith("confirm/") for file in before)
        for command in (*commands[:2], ["delete", "small", "--yes"]):
            assert main([*command, *place]) == 1
            told = complaint(capsys)
            assert told.startswith(f"sweep: study {name!r} is being run by process {os.getpid()} on ")
        assert study_ids(database.open_read_only()) == ids
        assert files_of(database) == before
    for command in commands:
        assert main([*command, *place]) == 0
