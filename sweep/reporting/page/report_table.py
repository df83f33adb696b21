"""Write the ranked table of the report.

The page contains all rows and shows the first ones; its script sorts and filters them.
"""

from collections.abc import Sequence

from sweep.definition.ranking import RANKED, Rows, column_of
from sweep.definition.records import StudyRecord
from sweep.metric import MAXIMIZE
from sweep.reporting.contributions import contributions_of
from sweep.reporting.page.html_page import escape
from sweep.reporting.table.columns import cell, hyperparameters, is_text, key
from sweep.task import described_facts

ROWS_IN_SIGHT = 12

_HEADINGS = {
    "rank": "#",
    "value_sd": "spread",
    "n": "seeds",
    "train_seconds": "seconds",
    "diff": "difference",
    "ci_low": "from",
    "ci_high": "to",
    "sd": "spread",
    "search_loss": "mean in the search",
}


def report_table(rows: Rows, study: StudyRecord, winner: int | None) -> str:
    """Return the table with its controls, as markup. The study must have trials.

    Args:
        rows: ``rank_trials(study)``.
        study: As stored.
        winner: Number of the trial whose row is marked.
    """
    columns, metric = _columns(rows, study), study.metric
    texts = {name for name in columns if is_text(name, rows[name])}
    head = "".join(_head(name, study, name in texts) for name in columns)
    body = "\n".join(
        _row(values, columns, texts, hidden=place >= ROWS_IN_SIGHT, marked=winner in trials)
        for place, (trials, *values) in enumerate(
            zip(rows["trials"], *(rows[name] for name in columns), strict=True)
        )
    )
    return (
        f'<div class="controls">{_CONTROLS.format(example=escape(_filter_example(rows, study)))}</div>'
        '<div class="scroll"><table id="ranking" class="ranking">'
        f'<caption class="unseen">Configurations by mean {escape(metric.label)}, then trials without a final '
        f"{escape(metric.noun)}. The buttons in the first row sort.</caption>"
        f"<thead><tr>{head}</tr></thead>"
        f'<tbody data-in-sight="{ROWS_IN_SIGHT}">\n{body}\n</tbody></table></div>'
        f'<p class="more"><button type="button" id="show-all" hidden>Show all {len(rows):,} rows</button></p>'
    )


def confirmation_table(rows: Rows, study: StudyRecord) -> str:
    """Return the candidates of a confirmation as markup."""
    knobs = [name for name in hyperparameters(study) if len(set(rows[name])) > 1]
    measured = ["mean", "sd", "n", "diff", "ci_low", "ci_high", "tied", "search_loss", "reason"]
    columns = ["rank", "trial", *knobs, *(name for name in measured if rows.says(name))]
    return plain_table(rows, study, columns)


def plain_table(rows: Rows, study: StudyRecord, columns: list[str]) -> str:
    """Return some columns of rows as markup, without controls."""
    texts = {name for name in columns if is_text(name, rows[name])} | {"tied"}
    head = "".join(
        f"<th scope=col{_kind(name, texts)}>{escape(_heading(name, study))}</th>" for name in columns
    )
    cells = zip(*(rows[name] for name in columns), strict=True)
    body = "\n".join(_row(values, columns, texts) for values in cells)
    table = f"<table class=ranking><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"
    return f'<div class="scroll">{table}</div>'


_CONTROLS = (
    '<label for="filter">Filter</label>'
    '<input id="filter" type="search" autocomplete="off" spellcheck="false" '
    'placeholder="{example}" aria-describedby="filter-status">'
    '<output id="filter-status" aria-live="polite"></output>'
)


def _filter_example(rows: Rows, study: StudyRecord) -> str:
    """Return an example for the filter: a bound of the metric and a state."""
    known = contributions_of(study).filter_example
    ranked = [value for value in rows["value"] if value is not None]
    if known or not ranked:
        return known or "pruned"
    sign = ">" if study.direction == MAXIMIZE else "<"
    return f"{key('value', study)} {sign} {ranked[len(ranked) // 2]:.3g}  pruned"


def _columns(rows: Rows, study: StudyRecord) -> list[str]:
    """Return the columns: rank and value first, for narrow screens; no fixed hyperparameter."""
    spread = ["value_sd", "n"] if any(n > 1 for n in rows["n"]) else []
    log = ["logged", "diff"] if "logged" in rows.columns else []
    ends = ["state", "reason"] if set(rows["state"]) != {RANKED} else []
    searched = {column_of(name, study.task) for name in study.searched}
    knobs = [name for name in hyperparameters(study) if name in searched]
    costs = [name for name, fact in described_facts(study.task).items() if fact.is_cost]
    front = [] if study.cost is None else ["front"]
    return ["rank", "value", *front, *spread, *log, *knobs, *costs, "train_seconds", "trial", *ends]


def _head(name: str, study: StudyRecord, text: bool) -> str:
    label = escape(_heading(name, study))
    kind = ' class="t"' if text else ""
    button = f'<button type="button" class="sort">{label}</button>'
    return f'<th scope="col"{kind} data-name="{escape(key(name, study))}">{button}</th>'


def _heading(name: str, study: StudyRecord) -> str:
    if name == "value":
        return study.metric.label
    if study.is_guest and name in study.objectives:
        return name  # the user's own, as the metric's
    fact = described_facts(study.task).get(name)
    if fact is not None and fact.unit:
        return fact.unit
    return _HEADINGS.get(name, name.replace("_", " "))


def _kind(name: str, texts: set[str]) -> str:
    return " class=t" if name in texts else ""


def _row(
    values: Sequence[object],
    columns: list[str],
    texts: set[str],
    *,
    hidden: bool = False,
    marked: bool = False,
) -> str:
    """Return a row without optional closing tags, because there may be thousands of rows."""
    cells = "".join(
        f"<td{_kind(name, texts)}>{escape(cell(name, value))}"
        for name, value in zip(columns, values, strict=True)
    )
    return f"<tr{' class=winner' if marked else ''}{' hidden' if hidden else ''}>{cells}"
