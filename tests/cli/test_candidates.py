"""What is proposed for a value: names of studies that are stored, of study files, and words."""

import contextlib
import sqlite3
from pathlib import Path

import click
import pytest

from sweep.cli import candidates
from sweep.cli.registry import built_in_commands


def named(proposed: list[click.shell_completion.CompletionItem]) -> list[str]:
    return [item.value for item in proposed if item.type == "plain"]


def database(path: Path, *names: str | bytes | None, table: str = "CREATE TABLE studies (study_name)") -> str:
    """Make a database of names, as Optuna's schema has them, and return its URL."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(table)
        if names:
            connection.executemany("INSERT INTO studies VALUES (?)", [(name,) for name in names])
    return f"sqlite:///{path}"


def proposed(url: str, incomplete: str = "") -> list[str]:
    """Return the studies that `sweep table` is offered."""
    table = built_in_commands()["table"]
    context = click.Context(table)
    context.params = {"storage": url}
    return named(candidates.stored_studies(context, table.params[0], incomplete))


def test_studies_of_a_real_database(trained: Path, tmp_path: Path) -> None:
    """The study that a run stored."""
    assert proposed(f"sqlite:///{trained / 'studies/sweep.db'}") == ["small"]


def test_studies_that_begin_so(tmp_path: Path) -> None:
    """In the order of the alphabet, without confirmations."""
    url = database(tmp_path / "x.db", "quick", "names@0a30b555", "quick/confirm", "names")
    assert proposed(url) == ["names", "names@0a30b555", "quick"]
    assert proposed(url, "names@") == ["names@0a30b555"]
    assert proposed(url, "x") == []


def test_names_that_a_shell_would_read_otherwise_are_left_out(tmp_path: Path) -> None:
    """Whoever made the database."""
    hostile = ["$(touch x)", "`x`", "a b", "a\nplain,b", "-rf", "../x", "é", "\x1b[1m", "", "a,b", "~", "*"]
    assert proposed(database(tmp_path / "x.db", *hostile, b"\xff", None, "good")) == ["good"]


@pytest.mark.parametrize(
    "url", ["", "sqlite:///", "sqlite:///none.db", "postgresql://nobody@127.0.0.1:1/x", "x\0y"]
)
def test_no_database_no_studies(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one made, or a server asked."""
    monkeypatch.chdir(tmp_path)
    assert proposed(url) == []
    assert list(tmp_path.iterdir()) == []


def test_damage_is_no_study(tmp_path: Path) -> None:
    """A file of another kind, a damaged one, one without studies, and a name that is no text."""
    other = tmp_path / "other.db"
    other.write_bytes(b"text")
    assert proposed(f"sqlite:///{other}") == []
    assert proposed(database(tmp_path / "empty.db", table="CREATE TABLE trials (x)")) == []
    cut = tmp_path / "cut.db"
    database(cut, *(f"name{number}" for number in range(1_000)))
    cut.write_bytes(cut.read_bytes()[:5_000])
    assert proposed(f"sqlite:///{cut}") == []


def test_a_view_without_an_end_is_given_up(tmp_path: Path) -> None:
    """A database that somebody else made holds up nobody."""
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c WHERE n < 0"
    assert proposed(database(tmp_path / "x.db", table=f"CREATE VIEW studies(study_name) AS {endless}")) == []


def test_nothing_is_written_or_waited_for(tmp_path: Path) -> None:
    """A writer holds the database, and a journal lies beside it: neither is touched."""
    url = database(tmp_path / "x.db", "quick")
    journal = tmp_path / "x.db-journal"
    with contextlib.closing(sqlite3.connect(tmp_path / "x.db")) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        assert proposed(url) == ["quick"]
    journal.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(600))
    before = journal.read_bytes()
    assert proposed(url) == ["quick"]
    assert journal.read_bytes() == before


def test_study_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their names in studies/, else whatever file the shell knows."""
    monkeypatch.chdir(tmp_path)
    run = built_in_commands()["run"]
    (tmp_path / "studies").mkdir()
    for name in ("alpha.toml", "beta.toml", "a b.toml", "notes.txt"):
        (tmp_path / "studies" / name).touch()
    items = candidates.study_files(click.Context(run), run.params[0], "")
    assert named(items) == ["alpha", "beta"]
    assert [item.type for item in items] == ["plain", "plain", "file"]
