"""Read metrics from the file that the key ``metric_file`` names.

    metric_file = "metrics.json"        # metric = "eval.rmse" is a key, or a path of keys
    metric_file = "log.jsonl"           # the last line with the metric
    metric_file = "log.csv"             # the last non-empty cell of the column with the metric's name
    metric_file = "log.csv:val acc"     # that column

A relative path begins at the trial's folder. A file outside that folder may come from another trial, so it is
read only if it was written after this trial's start.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from sweep.errors import DataError, StudyFileError
from sweep.spelling import did_you_mean
from sweep.storage.files import open_plain
from sweep.trainers.command.figures import figure_of, flat_figures
from sweep.values import Toml

_LARGEST = 1 << 28
"""Largest file that is read, in bytes."""

_SHOWN = 10

_COLUMN_MARKS = (".csv:", ".tsv:")


@dataclass(frozen=True, slots=True)
class MetricFile:
    """The checked key ``metric_file``."""

    path: str
    """Relative to the trial's folder, or absolute."""
    column: str | None = None
    """Column of a table; None means the metric's name."""

    @property
    def kind(self) -> str:
        """The file's suffix: a key of ``_READERS``."""
        return PurePath(self.path).suffix.lower()

    def is_outside(self, folder: Path) -> bool:
        """Return whether the file is outside a trial's folder, where several trials may write it."""
        inside = os.path.abspath(folder)
        return os.path.commonpath([inside, os.path.abspath(folder / self.path)]) != inside


def parse_metric_file(spec: Toml) -> MetricFile:
    """Check the key ``metric_file``.

    Raises:
        StudyFileError: If the value is not a file of a known format.

    Examples:
        >>> parse_metric_file("log.csv:val acc")
        MetricFile(path='log.csv', column='val acc')
    """
    if not isinstance(spec, str) or not spec or "\0" in spec:
        raise StudyFileError(f'metric_file must be a file such as "metrics.json", got {spec!r}')
    path, column = _split(spec)
    file = MetricFile(path, column)
    if file.kind not in _READERS or column == "":
        raise StudyFileError(
            f"metric_file must end in {', '.join(_READERS)}, or in .csv:COLUMN; got {spec!r}"
        )
    return file


def _split(spec: str) -> tuple[str, str | None]:
    """Return path and column; a column may contain a colon."""
    for mark in _COLUMN_MARKS:
        path, found, column = spec.partition(mark)
        if found:
            return path + mark[:-1], column
    return spec, None


def read_metric_file(
    file: MetricFile, folder: Path, metrics: Sequence[str], *, started: float
) -> dict[str, float]:
    """Read a trial's metrics from its metric file.

    Args:
        file: The checked key.
        folder: The trial's folder.
        metrics: Names; the first is required, the others are optional.
        started: Start of the trial, seconds since the epoch.

    Returns:
        Metric -> value.

    Raises:
        DataError: If the file is missing, older than the trial, unreadable, or lacks the first metric.
    """
    content = _content(file, folder, started)
    try:
        found = _READERS[file.kind](content, file.column, metrics)
    except (ValueError, csv.Error, RecursionError) as error:
        raise DataError(f"metric_file {file.path} cannot be read: {error}") from error
    wanted = {name: value for name, value in found.items() if name in metrics}
    if metrics[0] not in wanted:
        raise DataError(f"metric_file {file.path} has no number {metrics[0]!r}; {_has(found, metrics[0])}")
    return wanted


def _has(found: Mapping[str, float], wanted: str) -> str:
    """Return the names in a file, after the one that may have been meant."""
    if not found:
        return "it has no numbers"
    names = list(found)
    more = ", …" * (len(names) > _SHOWN)
    return f"{did_you_mean(wanted, names, '{} ')}it has {', '.join(names[:_SHOWN])}{more}"


def _content(file: MetricFile, folder: Path, started: float) -> str:
    """Return the text of the file.

    Raises:
        DataError: If this trial wrote no such file.
    """
    try:
        with open_plain(folder / file.path) as opened:
            facts = os.fstat(opened.fileno())
            if file.is_outside(folder) and facts.st_mtime < started:
                raise DataError(f"metric_file {file.path} was last written before this trial started")
            content = opened.read(_LARGEST + 1)
    except FileNotFoundError as error:
        raise DataError(f"metric_file {file.path} was not written") from error
    except OSError as error:
        raise DataError(f"metric_file {file.path} cannot be read: {error.strerror or error}") from error
    if len(content) > _LARGEST:
        raise DataError(f"metric_file {file.path} is larger than {_LARGEST >> 20} MiB")
    return content.decode("utf-8-sig", "replace")


def _read_json(content: str, _: str | None, __: Sequence[str]) -> dict[str, float]:
    values = json.loads(content)
    if not isinstance(values, Mapping):
        raise ValueError("it is JSON, but not an object")
    return {name: figure.value for name, figure in flat_figures(values).items()}


def _read_json_lines(content: str, _: str | None, __: Sequence[str]) -> dict[str, float]:
    """Return the last value of each name; lines that are not objects are ignored."""
    found: dict[str, float] = {}
    for line in content.splitlines():
        values = json.loads(line) if line.strip() else {}
        if isinstance(values, Mapping):
            found |= {name: figure.value for name, figure in flat_figures(values).items()}
    return found


def _table_reader(delimiter: str) -> Callable[[str, str | None, Sequence[str]], dict[str, float]]:
    def read(content: str, column: str | None, metrics: Sequence[str]) -> dict[str, float]:
        """Return the last number of each column."""
        found: dict[str, float] = {}
        for name, cell in _cells(content, delimiter):
            figure = figure_of(cell)
            if figure is not None:
                found[name] = figure.value
            elif cell:
                found.pop(name, None)
        return found if column is None else _renamed(found, column, metrics[0])

    return read


def _cells(content: str, delimiter: str) -> Iterator[tuple[str, str]]:
    rows = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, skipinitialspace=True)
    header = [name.strip() for name in next(rows, [])]
    for row in rows:
        yield from zip(header, (cell.strip() for cell in row), strict=False)


def _renamed(found: dict[str, float], column: str, metric: str) -> dict[str, float]:
    """Return the columns, with the study's column renamed to the metric."""
    if column not in found:
        raise ValueError(f"column {column!r} has no number at its end; {_has(found, column)}")
    return {**found, metric: found[column]}


_READERS: dict[str, Callable[[str, str | None, Sequence[str]], dict[str, float]]] = {
    ".json": _read_json,
    ".jsonl": _read_json_lines,
    ".csv": _table_reader(","),
    ".tsv": _table_reader("\t"),
}
