"""Choose the columns that a reader sees, and write their headings and cells.

For the two formats made for people, text and markdown; the others write all columns in full.
"""

from collections.abc import Iterable
from typing import Any

from sweep.definition.ranking import Rows, table_columns
from sweep.definition.records import StudyRecord
from sweep.metric import Metric
from sweep.reporting.contributions import contributions_of
from sweep.reporting.printable import printable
from sweep.reporting.table.bounded import bounded_columns
from sweep.task import described_facts

_HEADINGS = {
    "rank": "#",
    "num_steps": "steps",
    "value_sd": "spread",
    "train_seconds": "train_s",
    "sd": "spread",
    "ci_low": "diff_low",
    "ci_high": "diff_high",
}
"""Shorter names, for narrow columns; an underscore is where a heading may break."""

_TEXTS = ("engine", "device", "reason", "state", "study", "sampler", "pruner")

_BEYOND_DIGITS = 1e6

_BELOW_DIGITS = 1e-3
"""A smaller value of the metric has four digits instead of four decimals."""


def hyperparameters(study: StudyRecord) -> list[str]:
    """Return the hyperparameters that the trainer always shows, then whatever else is searched."""
    columns = table_columns(study)
    return columns[columns.index("state") + 1 : columns.index("value")]


def ranked_columns(rows: Rows, study: StudyRecord) -> list[str]:
    """Return the columns of the ranked rows; spread and n only where there are replicates."""
    spread = ["value_sd", "n"] if any(n > 1 for n in rows["n"]) else []
    log = ["logged", "diff"] if "logged" in rows.columns else []
    measured = [*described_facts(study.task), *bounded_columns(study), "train_seconds", "trial"]
    front = [] if study.cost is None else ["front"]
    return ["rank", *front, *hyperparameters(study), "value", *spread, *log, *measured]


def block_columns(study: StudyRecord) -> list[str]:
    """Return the columns of trials without a final loss."""
    return ["trial", *hyperparameters(study), "reason"]


def heading(name: str, study: StudyRecord) -> str:
    """Return what is above a column; it may break into a second line at ``_``."""
    facts = {fact: described.heading for fact, described in described_facts(study.task).items()}
    searched = {"search_loss": f"search_{study.metric.noun}"}
    known = {**_HEADINGS, **searched, **facts, **contributions_of(study).headings}
    return known.get(name) or printable(key(name, study))


def key(name: str, study: StudyRecord) -> str:
    """Return a column's name as a person types it: the metric's own one instead of ``value``."""
    own = study.metric.name
    return {"value": own, "value_sd": f"{own}_sd"}.get(name, name)


def column_key(name: str, metric: Metric) -> str:
    """Return a column's name in tables for programs: the same for every trainer but the first.

    Examples:
        >>> [column_key(name, Metric(name="acc", label="acc")) for name in ("value_sd", "search_loss", "n")]
        ['value_sd', 'search_value', 'n']
    """
    names = {"value": metric.key, "value_sd": f"{metric.key}_sd"}
    if metric.key == "value":  # the first trainer's keys stay what they were
        names |= {"search_loss": "search_value", "losses": "values"}
    return names.get(name, name)


def is_text(name: str, values: Iterable[Any]) -> bool:
    """Return whether a column contains words, which are aligned left."""
    return name in _TEXTS or any(isinstance(value, str) for value in values)


def cell(name: str, value: Any) -> str:
    """Return the text of a cell: losses with four decimals, thousands separated.

    Examples:
        >>> cell("value", 2.16254), cell("diff", 0.02), cell("num_steps", 200_000)
        ('2.1625', '+0.0200', '200,000')
        >>> cell("train_seconds", 12.34), cell("learning_rate", 0.0123456), cell("reason", None)
        ('12.3', '0.01235', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in _FORMATS and isinstance(value, int | float) and _fits(name, value):
        return format(value, _FORMATS[name])
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return printable(str(list(value) if isinstance(value, tuple) else value))


def _fits(name: str, value: float) -> bool:
    """Return whether a number is legible with the digits of its column."""
    is_tiny = name == "value" and 0 < abs(value) < _BELOW_DIGITS
    return abs(value) < _BEYOND_DIGITS and not is_tiny


def short_count(count: int) -> str:
    """Return a large count in a few characters.

    Examples:
        >>> short_count(9_600), short_count(320_000), short_count(12_800_000)
        ('9,600', '320k', '12.8M')
    """
    if count < 10_000:
        return f"{count:,}"
    return f"{count / 1e3:,.0f}k" if count < 1_000_000 else f"{count / 1e6:,.1f}M"


_FORMATS = {
    "value": ".4f",
    "value_sd": ".4f",
    "logged": ".4f",
    "diff": "+.4f",
    "mean": ".4f",
    "sd": ".4f",
    "ci_low": "+.4f",
    "ci_high": "+.4f",
    "search_loss": ".4f",
    "unseen": ".4f",
    "certified": ".4f",
    "equal_trials": ".4f",
    "equal_seconds": ".4f",
    "found_seconds": ",.1f",
    "seconds": ",.1f",
    "train_seconds": ",.1f",
}
