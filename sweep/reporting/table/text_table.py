"""Write a table for a terminal.

No cell is cut. If the terminal is too narrow for all columns, the least important ones are left out whole, in
a fixed order, and a line below names them.
"""

import collections
from collections.abc import Iterable, Sequence

from sweep.definition.ranking import Rows, searched_columns
from sweep.definition.records import STATES, StudyRecord
from sweep.metric import MAXIMIZE, Fact
from sweep.reporting.printable import printable
from sweep.reporting.table.bounded import bounded_columns
from sweep.reporting.table.columns import block_columns, cell, heading, is_text, ranked_columns, short_count
from sweep.reporting.table.drawing import (
    BOLD,
    CYAN,
    DIM,
    RED,
    YELLOW,
    Column,
    Layout,
    draw,
    fold,
    styled,
)
from sweep.reporting.table.listing import Listing
from sweep.reporting.units import words_of
from sweep.task import described_facts

_GAPS = (2, 1)
_FOLDED = {"reason": 24, "change": 32}
"""Column that may be folded -> columns of the terminal that its cells need at most."""

_COLOURS = {"pruned": YELLOW, "running": CYAN, "waiting": CYAN}


def format_text(listing: Listing) -> str:
    """Write ranked rows, then the trials without a final loss, as text for a terminal.

    ``drop_order`` says which columns go first if the terminal does not hold them all. With a ``top``, the
    other blocks only say how many trials they hold.
    """
    ranked, others, study = listing.ranked, listing.others, listing.study
    layout = _fit(_columns_of(ranked, study, ranked_columns(ranked, study)), drop_order(study), listing.width)
    width, colour = listing.width, listing.colour
    lines = [*_title(study, width, colour), ""]
    if len(ranked):
        best = 1 if study.cost is None else ranked["front"].count(1)
        rows = slice(listing.top)
        lines += draw(layout, rows=rows, width=width, colour=colour, best=best, bright=study.cost)
        lines += [""]
    lines += _pale(_legend(listing, layout), width, colour)
    lines += _blocks(others, study, width, colour) if listing.top is None else _counts(others, colour)
    return "\n".join(lines)


def draw_rows(
    rows: Rows,
    study: StudyRecord,
    names: Sequence[str],
    order: Sequence[str],
    *,
    width: int | None = None,
    colour: bool = False,
    best: int = 1,
) -> str:
    """Write some columns of rows as a table, the best rows green.

    Args:
        rows: Any rows.
        study: What they are rows of.
        names: The columns to show.
        order: Columns in the order in which a narrow terminal does without them.
        width: As in ``Listing``.
        colour: As in ``Listing``.
        best: How many of the first rows are green.
    """
    layout = _fit(_columns_of(rows, study, names), order, width)
    lines = draw(layout, rows=slice(None), width=width, colour=colour, best=best)
    return "\n".join([*lines, *_pale(_say_left_out(layout, width), width, colour)])


def drop_order(study: StudyRecord) -> list[str]:
    """Return the columns in the order in which a narrow terminal leaves them out.

    First the columns that are no results or follow from others (facts, seconds, costs), then
    hyperparameters that are fixed, n, the log, the spread, then the searched hyperparameters from the right,
    and last the second objective and the front. Rank, trial, value and reason always stay.
    """
    facts = described_facts(study.task)
    free = [name for name, fact in facts.items() if not fact.is_cost]
    costs = [name for name, fact in facts.items() if fact.is_cost]
    columns = (*free, "train_seconds", *bounded_columns(study), *costs)
    measured = [name for name in columns if name != study.cost]
    front = [] if study.cost is None else [study.cost, "front"]
    fixed = [name for name in reversed(study.task.shown) if name not in study.searched]
    own = searched_columns(study)
    searched = [name for name in block_columns(study) if name in own]
    return [
        *(*measured, *fixed, "n", "diff", "logged", "value_sd"),
        *(*reversed(searched), *front),
    ]


def _columns_of(rows: Rows, study: StudyRecord, names: Iterable[str]) -> list[Column]:
    facts = described_facts(study.task)
    return [
        Column(
            name=name,
            heading=heading(name, study).split("_", 1),
            cells=[_cell(name, value, facts.get(name)) for value in rows[name]],
            is_text=is_text(name, rows[name]),
            is_pale=name in facts or name in ("rank", "train_seconds"),
            most=_FOLDED.get(name),
        )
        for name in names
    ]


def _cell(name: str, value: object, fact: Fact | None) -> str:
    if fact is not None and fact.is_abbreviated and isinstance(value, int):
        return short_count(value)
    return cell(name, value)


def _fit(columns: Sequence[Column], order: Sequence[str], width: int | None) -> Layout:
    """Leave out columns, and before each one narrow the gaps, until the table fits."""
    left = [name for name in order if name in {column.name for column in columns}]
    for count in range(len(left) + 1):
        gone = left[:count]
        kept = [column for column in columns if column.name not in gone]
        for gap in _GAPS:
            layout = Layout(columns=kept, gap=gap, left_out=gone)
            if width is None or layout.width <= width:
                return layout
    return layout


def _title(study: StudyRecord, width: int | None, colour: bool) -> list[str]:
    name = printable(study.name)
    counts = collections.Counter(trial.state for trial in study.trials)
    done = sum(trial.is_finished for trial in study.trials)
    line = f"{done:,} of {study.trials_in_all:,} trials done"
    states = [f"{counts[state]:,} {state}" for state in STATES if counts[state]]
    title = _folded(f"{name}: {printable(study.goal)}" if study.goal else name, width)
    if colour and title[0].startswith(name):
        title[0] = styled(name, BOLD) + title[0].removeprefix(name)
    return [*title, *_folded(f"{line}: {', '.join(states)}" if states else line, width)]


def _folded(text: str, width: int | None) -> list[str]:
    return [text.rstrip()] if width is None else fold(text, width)


def _pale(texts: Iterable[str], width: int | None, colour: bool) -> list[str]:
    """Return texts that explain, wrapped at a width."""
    lines = [line for text in texts for line in _folded(text, width)]
    return [styled(line, DIM) for line in lines] if colour else lines


def _legend(listing: Listing, layout: Layout) -> list[str]:
    ranked, study, top = listing.ranked, listing.study, listing.top
    if not len(ranked):
        return ["No trial is complete yet."]
    shown = {column.name for column in layout.columns}
    lines = [f"The best {top:,} of {len(ranked):,} configurations."] if top and top < len(ranked) else []
    metric = study.metric
    lines.append(
        f"{metric.label}: {f'{metric.unit}, ' if metric.unit else ''}{words_of(metric)['lower']} is better"
    )
    if "front" in shown:
        lines.append(_explain_front(study))
    if study.cost == "train_seconds":
        lines.append(
            "train_seconds are measured: the same study run again gives other seconds and another front"
        )
    if "value_sd" in shown:
        lines.append(f"spread: sample standard deviation of the {metric.label} between n seeds")
    if "diff" in shown:
        lines.append(f"diff: {metric.label} less logged")
    return [*lines, *_say_left_out(layout, listing.width)]


def _explain_front(study: StudyRecord) -> str:
    metric, cost = study.metric, study.cost
    if study.is_guest:
        ways = ", ".join(f"{printable(name)} {way}d" for name, way in study.directions.items())
        return f"front: 1 where no other row is as good in every objective and better in one; {ways}"
    if metric.direction == MAXIMIZE:
        return (
            f"front: 1 where no other row has as high a {metric.label} at as low a {cost}, and better in one"
        )
    return f"front: 1 where no other row is as low in both {metric.label} and {cost} and lower in one"


def _say_left_out(layout: Layout, width: int | None) -> list[str]:
    return [f"left out at {width} columns: {', '.join(layout.left_out)}"] if layout.left_out else []


def _blocks(others: Rows, study: StudyRecord, width: int | None, colour: bool) -> list[str]:
    """Draw one block a state, all with the same columns and only the first with their names."""
    names = [name for name in block_columns(study) if name != "reason" or any(others["reason"])]
    layout = _fit(_columns_of(others, study, names), drop_order(study), width)
    lines: list[str] = []
    start = 0
    for title, trials in zip(_counts(others, colour), _sizes(others).values(), strict=True):
        rows = slice(start, start + trials)
        lines += ["", title, *draw(layout, rows=rows, width=width, colour=colour, header=start == 0)]
        start += trials
    return lines


def _counts(others: Rows, colour: bool) -> list[str]:
    """Return a line for each state: its name, and how many trials it holds."""
    return [
        f"{styled(state, BOLD, _COLOURS.get(state, RED)) if colour else state}"
        f"  {trials:,} {'trial' if trials == 1 else 'trials'}"
        for state, trials in _sizes(others).items()
    ]


def _sizes(others: Rows) -> dict[str, int]:
    """Return how many trials each block holds, in the order of the rows."""
    return dict(collections.Counter(others["state"]))
