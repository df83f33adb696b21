"""Candidates that complete an option or argument: study names and files. On an error there are none."""

import contextlib
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

Candidates = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
"""Is called with a command's context, one of its parameters and how the value begins."""

MOST_NAMES = 1_000

_MOST_STEPS = 1_000_000
"""Steps of SQLite's machine after which a query is given up; the names of 1,000 studies take about 10,000."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]*")
"""Names that mean the same in every shell; neither a confirmation's name nor a hostile one is among them."""


def stored_studies(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names of stored studies that begin so, else what the shell knows of files."""
    return _file_or(_stored_names(ctx.params.get("storage") or ""), incomplete)


def study_files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names of the files in ``studies/`` that begin so, else what the shell knows of files."""
    return _file_or((path.stem for path in Path("studies").glob("*.toml")), incomplete)


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave a file's name to the shell."""
    return [CompletionItem(incomplete, type="file")]


def folders(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave a folder's name to the shell."""
    return [CompletionItem(incomplete, type="dir")]


def words(*known: str) -> Candidates:
    """Return what proposes some words, where others are allowed too."""

    def those_that_begin_so(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(word) for word in known if word.startswith(incomplete)]

    return those_that_begin_so


def _file_or(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    plain = sorted(name for name in names if name.startswith(incomplete) and _PLAIN_NAME.fullmatch(name))
    # The file comes last: zsh would lose its place behind one whose name is empty so far.
    return [*map(CompletionItem, plain), CompletionItem(incomplete, type="file")]


def _stored_names(url: str) -> list[str]:
    """Read the names of studies from an SQLite file, without locks, journals or long views."""
    import sqlite3

    path = url.removeprefix("sqlite:///")
    if not os.path.isfile(path):
        return []
    uri = f"{Path(path).resolve().as_uri()}?mode=ro&immutable=1"
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.set_progress_handler(lambda: 1, _MOST_STEPS)
        rows = connection.execute("SELECT study_name FROM studies LIMIT ?", (MOST_NAMES,)).fetchall()
        return [name for (name,) in rows if isinstance(name, str)]
    return []
