"""How does a table look in a terminal?

Nothing is cut: where the width does not hold all columns, the least important ones are left
out whole, in a stated order, and a line below says which.
"""

import collections
import dataclasses
import io
from collections.abc import Iterable, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from sweep.definition.ranking import Rows
from sweep.definition.records import STATES, StudyRecord
from sweep.metric import MAXIMIZE, Fact, Metric
from sweep.reporting.printable import printable
from sweep.reporting.table.bounded import bounded_columns
from sweep.reporting.table.columns import block_columns, cell, heading, is_text, ranked_columns, short_count
from sweep.reporting.table.listing import Listing
from sweep.reporting.units import words_of
from sweep.task import described_facts

KEPT = ("rank", "trial", "value", "reason")
"""Columns that are never left out, however narrow the terminal."""

_ENDLESS = 10_000
_GAPS = (2, 1)
_REASON_WIDTH = 24
_STYLES = {"pruned": "yellow", "running": "cyan", "waiting": "cyan"}


def format_text(listing: Listing) -> str:
    """Write ranked rows, then the trials without a final loss, as text for a terminal.

    ``drop_order`` says which columns go first if the terminal does not hold them all. With a ``top``, the
    other blocks only say how many trials they hold.
    """
    ranked, others, study = listing.ranked, listing.others, listing.study
    layout = _fit(_columns_of(ranked, study, ranked_columns(ranked, study)), drop_order(study), listing.width)
    parts: list[RenderableType] = [*_title(study), ""]
    if len(ranked):
        best = 1 if study.cost is None else ranked["front"].count(1)
        parts += [_draw(layout, rows=slice(listing.top), best=best, bright=study.cost), ""]
    parts += [Text(line, style="dim") for line in _legend(listing, layout)]
    parts += _blocks(others, study, listing.width) if listing.top is None else _counts(others)
    return _render(parts, listing.width, listing.colour)


def draw_rows(
    rows: Rows,
    study: StudyRecord,
    names: Sequence[str],
    order: Sequence[str],
    *,
    width: int | None = None,
    colour: bool = False,
) -> str:
    """Write some columns of rows as a table, the first row green.

    Args:
        rows: Any rows.
        study: What they are rows of.
        names: The columns to show.
        order: Columns in the order in which a narrow terminal does without them.
        width: As in ``Listing``.
        colour: As in ``Listing``.
    """
    layout = _fit(_columns_of(rows, study, names), order, width)
    legend = [Text(line, style="dim") for line in _say_left_out(layout, width)]
    return _render([_draw(layout, rows=slice(None), best=1), *legend], width, colour)


def drop_order(study: StudyRecord) -> list[str]:
    """Return the columns in the order in which a narrow terminal does without them.

    First what follows from others or is no result (facts, seconds, costs), then
    hyperparameters that are fixed, n, the log, the spread, then the searched hyperparameters from the right,
    and last the second objective and the front. ``KEPT`` always stays.
    """
    facts = described_facts(study.task)
    free = [name for name, fact in facts.items() if not fact.is_cost]
    costs = [name for name, fact in facts.items() if fact.is_cost]
    columns = (*free, "train_seconds", *bounded_columns(study), *costs)
    measured = [name for name in columns if name != study.cost]
    front = [] if study.cost is None else [study.cost, "front"]
    fixed = [name for name in reversed(study.task.shown) if name not in study.searched]
    own = (*study.searched, *study.found)
    searched = [name for name in block_columns(study) if name in own]
    return [
        *(*measured, *fixed, "n", "diff", "logged", "value_sd"),
        *(*reversed(searched), *front),
    ]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    name: str
    heading: list[str]
    cells: list[str]
    is_text: bool
    is_pale: bool
    """Whether it is no result."""

    @property
    def width(self) -> int:
        natural = max(map(cell_len, [*self.heading, *self.cells]), default=0)
        return min(natural, _REASON_WIDTH) if self.name == "reason" else natural


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    columns: list[_Column]
    gap: int
    left_out: list[str]

    @property
    def width(self) -> int:
        """Fewest columns of a terminal that hold the table."""
        return sum(column.width for column in self.columns) + self.gap * (len(self.columns) - 1)


def _columns_of(rows: Rows, study: StudyRecord, names: Iterable[str]) -> list[_Column]:
    facts = described_facts(study.task)
    return [
        _Column(
            name=name,
            heading=heading(name, study).split("_", 1),
            cells=[_cell(name, value, facts.get(name)) for value in rows[name]],
            is_text=is_text(name, rows[name]),
            is_pale=name in facts or name in ("rank", "train_seconds"),
        )
        for name in names
    ]


def _cell(name: str, value: object, fact: Fact | None) -> str:
    if fact is not None and fact.is_abbreviated and isinstance(value, int):
        return short_count(value)
    return cell(name, value)


def _fit(columns: Sequence[_Column], order: Sequence[str], width: int | None) -> _Layout:
    """Leave out columns, and before each one narrow the gaps, until the table fits."""
    left = [name for name in order if name in {column.name for column in columns}]
    for count in range(len(left) + 1):
        gone = left[:count]
        kept = [column for column in columns if column.name not in gone]
        for gap in _GAPS:
            layout = _Layout(columns=kept, gap=gap, left_out=gone)
            if width is None or layout.width <= width:
                return layout
    return layout


def _draw(
    layout: _Layout,
    *,
    rows: slice,
    header: bool = True,
    best: int = 0,
    bright: str | None = None,
) -> Table:
    """Draw some rows, the ``best`` of them in colour; ``bright`` is a column that is not pale here."""
    table = Table(
        box=box.SIMPLE_HEAD,
        show_header=header,
        show_edge=False,
        pad_edge=False,
        padding=(0, layout.gap - 1, 0, 0),
        min_width=layout.width,
    )
    lines = max(len(column.heading) for column in layout.columns)
    for column in layout.columns:
        title = [""] * (lines - len(column.heading)) + column.heading
        table.add_column(
            Text("\n".join(title), style="bold"),
            justify="left" if column.is_text else "right",
            style="dim" if column.is_pale and column.name != bright else "",
            no_wrap=column.name != "reason",
            overflow="fold",
            width=None if column.name == "reason" else column.width,
        )
    records = list(zip(*(column.cells for column in layout.columns), strict=True))
    for number, record in enumerate(records[rows]):
        table.add_row(*(Text(text) for text in record), style="bold green" if number < best else "")
    return table


def _title(study: StudyRecord) -> list[Text]:
    title = Text(printable(study.name), style="bold")
    title.append(f": {printable(study.goal)}" if study.goal else "", style="not bold")
    counts = collections.Counter(trial.state for trial in study.trials)
    done = sum(trial.is_finished for trial in study.trials)
    line = f"{done:,} of {study.total_trials:,} trials done"
    states = [f"{counts[state]:,} {state}" for state in STATES if counts[state]]
    return [title, Text(f"{line}: {', '.join(states)}" if states else line)]


def _legend(listing: Listing, layout: _Layout) -> list[str]:
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
        lines.append(_explain_front(metric, study.cost))
    if study.cost == "train_seconds":
        lines.append(
            "train_seconds are measured: the same study run again gives other seconds and another front"
        )
    if "value_sd" in shown:
        lines.append(f"spread: sample standard deviation of the {metric.label} between n seeds")
    if "diff" in shown:
        lines.append(f"diff: {metric.label} less logged")
    return [*lines, *_say_left_out(layout, listing.width)]


def _explain_front(metric: Metric, cost: str | None) -> str:
    if metric.direction == MAXIMIZE:
        return (
            f"front: 1 where no other row has as high a {metric.label} at as low a {cost}, and better in one"
        )
    return f"front: 1 where no other row is as low in both {metric.label} and {cost} and lower in one"


def _say_left_out(layout: _Layout, width: int | None) -> list[str]:
    return [f"left out at {width} columns: {', '.join(layout.left_out)}"] if layout.left_out else []


def _blocks(others: Rows, study: StudyRecord, width: int | None) -> list[RenderableType]:
    """Draw one block a state, all with the same columns and only the first with their names."""
    names = [name for name in block_columns(study) if name != "reason" or any(others["reason"])]
    layout = _fit(_columns_of(others, study, names), drop_order(study), width)
    parts: list[RenderableType] = []
    start = 0
    for title, trials in zip(_counts(others), _sizes(others).values(), strict=True):
        rows = slice(start, start + trials)
        parts += ["", title, _draw(layout, rows=rows, header=start == 0)]
        start += trials
    return parts


def _counts(others: Rows) -> list[Text]:
    return [
        Text(state, style=f"bold {_STYLES.get(state, 'red')}").append(
            f"  {trials:,} {'trial' if trials == 1 else 'trials'}", style="not bold default"
        )
        for state, trials in _sizes(others).items()
    ]


def _sizes(others: Rows) -> dict[str, int]:
    """Return how many trials each block holds, in the order of the rows."""
    return dict(collections.Counter(others["state"]))


def _render(parts: Sequence[RenderableType], width: int | None, colour: bool) -> str:
    """Write texts wrapped at a width, and tables as wide as they are: a cell is never cut."""
    file = io.StringIO()
    console = Console(
        file=file,
        width=_ENDLESS,
        height=_ENDLESS,  # without a height a dumb terminal has 80 columns, whatever the width
        color_system="standard" if colour else None,
        force_terminal=colour,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for part in parts:
        needed = (part.min_width or 0) if isinstance(part, Table) else 0
        console.print(part, width=max(width or _ENDLESS, needed))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())
