"""Write a comparison of studies: as text for a terminal, Markdown, CSV or JSON.

Each format is a function ``(comparison, width, colour) -> text``; only ``text`` uses the last two.
"""

import csv
import io
import json
from collections.abc import Callable

from sweep.dashboard.csv_cells import without_formula
from sweep.definition.ranking import Rows
from sweep.reporting.compare.comparison import StudyComparison
from sweep.reporting.printable import printable
from sweep.reporting.table.columns import cell, column_key
from sweep.reporting.table.drawing import fold
from sweep.reporting.table.formats import markdown_table
from sweep.reporting.table.text_table import draw_rows
from sweep.reporting.units import certified_label, words_of

_DROPPED_FIRST = ("pruner", "found_seconds", "complete", "found_trials", "sampler", "certified", "trial")
"""Columns in the order in which a narrow terminal does without them."""


def format_text(comparison: StudyComparison, width: int | None = None, colour: bool = False) -> str:
    """Write the studies as a table, and below it what their search spaces share."""
    table = draw_rows(
        comparison.rows,
        comparison.studies[0],
        shown_columns(comparison),
        _DROPPED_FIRST,
        width=width,
        colour=colour,
        best=0,
    )
    lines = [*explanations(comparison), "", *space_lines(comparison)]
    folded = [part for line in lines for part in ([line] if width is None else fold(line, width) or [""])]
    return "\n".join([table, "", *folded])


def format_markdown(comparison: StudyComparison, _: int | None = None, __: bool = False) -> str:
    """Write a GitHub table of the studies."""
    return markdown_table(comparison.rows, comparison.studies[0], shown_columns(comparison))


def format_csv(comparison: StudyComparison, _: int | None = None, __: bool = False) -> str:
    """Write all columns with a header line; numbers in full."""
    rows = _for_programs(comparison)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(rows.columns)
    writer.writerows(
        [printable(without_formula(value)) if isinstance(value, str) else value for value in record.values()]
        for record in rows.records
    )
    return file.getvalue().rstrip("\n")


def format_json(comparison: StudyComparison, _: int | None = None, __: bool = False) -> str:
    """Write an object: the studies as rows, after how much the equal columns are read, spaces, warnings."""
    names = [study.name for study in comparison.studies]
    found = {
        "studies": _for_programs(comparison).records,
        "equal": {"trials": comparison.trials, "seconds": comparison.seconds},
        "same": comparison.same,
        "different": {
            name: dict(zip(names, texts, strict=True)) for name, texts in comparison.different.items()
        },
        "warnings": comparison.warnings,
    }
    return json.dumps(found, indent=2, allow_nan=False)


FORMATS: dict[str, Callable[[StudyComparison, int | None, bool], str]] = {
    "text": format_text,
    "markdown": format_markdown,
    "csv": format_csv,
    "json": format_json,
}
"""Name on the command line -> function."""


def shown_columns(comparison: StudyComparison) -> list[str]:
    """Return the columns that a reader sees: those that have a value, and found and complete if they vary."""
    rows = comparison.rows
    return [
        name
        for name in rows.columns
        if rows.says(name) and (name != "complete" or rows["complete"] != rows["trials"])
    ]


def explanations(comparison: StudyComparison) -> list[str]:
    """Return what the columns are, and why values may not be comparable."""
    metric = comparison.studies[0].metric
    words = words_of(metric)
    best = f"{words['lowest']} {metric.noun}"
    unit = f"{metric.unit}, " if metric.unit else ""
    is_certified = comparison.rows.says("certified")
    return [
        f"{metric.label}: {unit}{words['lower']} is better",
        f"equal trials: {best} of the first {comparison.trials:,} trials of each study",
        f"equal seconds: {best} after {cell('seconds', comparison.seconds)} s of training of each study, "
        "all its trials added up",
        f"found: trials and seconds until a study had its {best}",
        *([f"certified: {certified_label(metric)}, the mean over fresh seeds"] if is_certified else []),
        *(f"warning: {warning}" for warning in comparison.warnings),
    ]


def space_lines(comparison: StudyComparison) -> list[str]:
    """Return what the search spaces share, and a line for each hyperparameter that differs."""
    searched = {name for study in comparison.studies for name in study.searched}
    shared = [f"{printable(name)} {comparison.same[name]}" for name in comparison.same if name in searched]
    fixed = len(comparison.same) - len(shared)
    parts = [*shared, *([f"{fixed:,} fixed {'value' if fixed == 1 else 'values'}"] if fixed else [])]
    lines = [f"the same in all: {'; '.join(parts) or 'nothing'}"]
    for name, texts in comparison.different.items():
        each = [
            f"{study.name}: {text or 'absent'}" for study, text in zip(comparison.studies, texts, strict=True)
        ]
        lines.append(printable(f"{name} differs: {'; '.join(each)}"))
    return lines


def _for_programs(comparison: StudyComparison) -> Rows:
    """Return all columns, named as in the other tables for programs."""
    return comparison.rows.renamed(lambda name: column_key(name, comparison.studies[0].metric))
