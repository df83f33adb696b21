"""Write ranked rows in several formats.

Each format is a function ``Listing -> text`` without a newline at its end. Only ``text`` looks at the
listing's terminal. To add a format, write one function and one entry.
"""

import csv
import io
from collections.abc import Callable

from sweep.dashboard.csv_cells import without_formula
from sweep.definition.ranking import RANKED, Rows
from sweep.definition.records import StudyRecord
from sweep.reporting.json_text import json_text
from sweep.reporting.printable import printable
from sweep.reporting.table.columns import (
    block_columns,
    cell,
    column_key,
    heading,
    hyperparameters,
    is_text,
    key,
    ranked_columns,
)
from sweep.reporting.table.listing import Listing
from sweep.reporting.table.text_table import format_text
from sweep.values import Json


def format_markdown(listing: Listing) -> str:
    """Write a GitHub table of the ranked rows, and a second one of the trials without a loss."""
    study = listing.study
    ranked, others = _blocks(listing)
    tables = [markdown_table(ranked, study, ranked_columns(ranked, study))]
    if len(others):
        tables.append(markdown_table(others, study, ["state", *block_columns(study)]))
    return "\n\n".join(tables)


def format_csv(listing: Listing) -> str:
    """Write all columns with a header line; numbers in full, lists with spaces between.

    A text that a spreadsheet would run as a formula gets a leading apostrophe; numbers are left
    alone.
    """
    shown = rows_for_programs(listing)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(map(_csv_cell, shown.columns))
    writer.writerows([_csv_cell(value) for value in record.values()] for record in shown.records)
    return file.getvalue().rstrip("\n")


def format_json(listing: Listing) -> str:
    """Write a list of objects, null where there is nothing to say."""
    return json_text(rows_for_programs(listing).records, indent=2)


def format_log(listing: Listing) -> str:
    """Write a block of ``name = value`` lines for each row, as a log kept by hand has them."""
    study, blocks = listing.study, []
    for row in _left(listing).records:
        values = {name: row[name] for name in hyperparameters(study) if row[name] is not None}
        values |= {key(name, study): value for name, value in _outcome(row, study.cost).items()}
        blocks.append("\n".join(f"{printable(name)} = {_log_value(value)}" for name, value in values.items()))
    return "\n\n".join(blocks)


FORMATS: dict[str, Callable[[Listing], str]] = {
    "text": format_text,
    "markdown": format_markdown,
    "csv": format_csv,
    "json": format_json,
    "log": format_log,
}
"""Name on the command line -> function."""

_MARKDOWN = str.maketrans({c: f"\\{c}" for c in "\\`*_[]|~#"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})

_TITLE = {c: escape for c, escape in _MARKDOWN.items() if c != ord("#")}


def _blocks(listing: Listing) -> tuple[Rows, Rows]:
    """Return the ranked rows and the others, as ``top`` leaves them."""
    top = listing.top
    return (
        (listing.ranked, listing.others)
        if top is None
        else (listing.ranked.first(top), listing.others.first(0))
    )


def _left(listing: Listing) -> Rows:
    """Return the rows that ``top`` leaves."""
    ranked, others = _blocks(listing)
    return Rows(ranked.columns, [*ranked.records, *others.records])


def rows_for_programs(listing: Listing) -> Rows:
    """Return the rows that ``top`` leaves, their columns named for programs."""
    return _left(listing).renamed(lambda name: column_key(name, listing.study.metric))


def markdown_table(rows: Rows, study: StudyRecord, names: list[str]) -> str:
    """Return some columns of rows as a GitHub table."""
    titles = [heading(name, study).replace("_", " ").translate(_TITLE) for name in names]
    rules = [":--" if is_text(name, rows[name]) else "--:" for name in names]
    lines = [[cell(name, row[name]).translate(_MARKDOWN) for name in names] for row in rows.records]
    return "\n".join(f"| {' | '.join(line)} |" for line in [titles, rules, *lines])


def _csv_cell(value: Json) -> Json:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, tuple):
        return str(list(value))  # a hyperparameter that is a list
    if not isinstance(value, str):
        return value
    return printable(without_formula(value))


def _outcome(row: dict[Json, Json], cost: str | None) -> dict[str, Json]:
    """Return what came of a row: its loss, with spread and front where there are, or why it has none."""
    if row["state"] != RANKED:
        return {"state": row["state"]} | ({"reason": row["reason"]} if row["reason"] else {})
    spread = {"value_sd": row["value_sd"], "n": row["n"]} if row["n"] > 1 else {}
    front = {cost: row[cost], "front": row["front"]} if cost else {}
    return {"value": row["value"]} | spread | front


def _log_value(value: Json) -> str:
    """Return a value as it is typed: no thousands separators; a loss with four decimals."""
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) >= 0.1 else f"{value:.4g}"
    return printable(str(value))
