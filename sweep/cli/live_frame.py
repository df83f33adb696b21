"""Lay out the state of a run in a window of any size.

No line is longer than the window is wide, and there are no more lines than it is high. The most important
parts keep their place, and the view names the columns that a narrow window leaves out.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len
from rich.text import Text

from sweep.cli.run_state import RunState, Training
from sweep.definition.records import TrialRecord
from sweep.reporting.printable import printable
from sweep.values import Value

_TIGHTNESS = ((2, 10), (1, 10), (1, 6))
"""Gap between columns and width of a trial's bar, tried in turn until all hyperparameters fit."""

_WIDEST_BAR = 20

_ROOMY = 8
"""Lines beyond workers and best trials from which the sections stand apart."""

_SAFE = "Ctrl-C is safe: finished segments are stored, and the same command resumes."
_ROOM_FOR_HINT = 20
"""Height of a window, in lines, from which ``_SAFE`` is shown."""

_SHORTER = {"embedding_dim": "embed_dim"}
_NOTHING = "-"


class Layout(NamedTuple):
    """The columns of the trials."""

    columns: list["Column"]
    gap: int
    left_out: list[str]
    """Hyperparameters that the window is too narrow for."""

    @property
    def width(self) -> int:
        """Columns of a window that hold it."""
        return sum(column.width for column in self.columns) + self.gap * (len(self.columns) - 1)


class Column(NamedTuple):
    """One column of the trials."""

    heading: list[str]
    """Its lines."""
    width: int
    justify: Literal["left", "right"] = "right"
    parameter: str = ""
    """The hyperparameter that it shows, if any."""


class Frame:
    """Lays the state of a run out in a window of any size, as lines no longer than its width."""

    def __init__(self, title: str, state: RunState, order: Sequence[str] = ()) -> None:
        """Lay out ``state`` under ``title``; the hyperparameters in ``order`` always have a column each."""
        self._title = printable(title)
        self._state = state
        self._order = order

    def lines(self, width: int, height: int) -> list[Text]:
        """Return at most ``height`` lines of at most ``width`` columns."""
        if self._state.run is None:
            return []
        hint = [Text(_SAFE, style="dim")] if height >= _ROOM_FOR_HINT else []
        top = [Text(self._title, style="bold"), self._overall_bar(width), self._status(width), *hint, Text()]
        rest = height - len(top) - bool(self._state.warnings)
        lines = [*top, *self._trials(width, rest), *self._warning()][:height]
        for line in lines:
            line.truncate(width, overflow="ellipsis")
        return lines

    def _overall_bar(self, width: int) -> Text:
        assert self._state.run is not None, "there are lines once the run has started"
        counts = f"{self._state.done:,} of {self._state.run.total:,} trials"
        bar = _bar(self._state.share_done(), max(1, width - cell_len(counts) - 2), "green")
        return bar.append(f"  {counts}", style="default")

    def _status(self, width: int) -> Text:
        """Say times, rate and machine, as many of them as the width holds."""
        state, run = self._state, self._state.run
        assert run is not None, "there are lines once the run has started"
        remaining, rate = state.remaining_s(), state.steps_per_s()
        facts = [
            f"{_clock(state.elapsed_s())} elapsed",
            _left(*remaining) if remaining is not None else "",
            f"{_digits(rate)} steps/s" if rate else "the workers start",
            f"{_clock(run.timeout)} at most" if run.timeout else "",
            f"{run.workers} worker{'' if run.workers == 1 else 's'}",
            f"{run.engine} on {run.device}",
        ]
        line = ""
        for fact in filter(None, facts):
            longer = f"{line} · {fact}" if line else fact
            line = longer if cell_len(longer) <= width else line
        return Text(line, style="dim")

    def _trials(self, width: int, height: int) -> list[Text]:
        """Draw what trains, what is best and what ended last, as far as there are lines for it."""
        state = self._state
        trials = [*(row.trial for row in state.training()), *state.best, *state.recent]
        layout = _layout(trials, self._order, state.metric.label, width)
        heading = _headings(layout)
        rest = height - len(heading)
        is_roomy = rest >= len(state.workers) + len(state.best) + _ROOMY
        shares = _share(rest - 2 * is_roomy, len(state.workers), len(state.best), len(state.recent))
        sections = (
            ("in training", self._workers(layout, shares[0])),
            ("best so far", [_ended(layout, t, rank) for rank, t in enumerate(state.best[: shares[1]], 1)]),
            ("ended last", [_ended(layout, t) for t in list(state.recent)[: shares[2]]]),
        )
        lines: list[Text] = []
        for title, rows in sections:
            space = [Text()] if lines and is_roomy else []
            lines += [*space, Text(f" {title}", style="bold cyan"), *rows] if rows else []
        if layout.left_out and lines:
            hidden = printable(", ".join(layout.left_out))
            lines[0].append(f"   too narrow for {hidden}", style="not bold default dim")
        return [*heading, *lines] if lines else []

    def _workers(self, layout: Layout, count: int) -> list[Text]:
        workers = self._state.workers
        shown = workers if len(workers) <= count else workers[: max(0, count - 1)]
        rows = [self._worker(layout, number, row) for number, row in enumerate(shown, start=1)]
        if len(shown) < len(workers) and count:
            rows.append(Text(f" and {len(workers) - len(shown)} more workers", style="dim"))
        return rows

    def _worker(self, layout: Layout, number: int, row: Training | None) -> Text:
        if row is None:
            return _row(layout, [Text(str(number), style="dim"), Text(_NOTHING, style="dim")])
        share = self._state.step_of(row) / row.num_steps
        cells = [
            Text(str(number), style="dim"),
            Text(f"{row.trial.number:,}"),
            _bar(share, layout.columns[2].width, "cyan"),
            Text(f"{int(100 * share)} %"),
            Text(_NOTHING, style="dim") if row.dev_loss is None else Text(_loss(row.dev_loss)),
        ]
        return _row(layout, [*cells, *_values(layout.columns[len(cells) :], row.trial)])

    def _warning(self) -> Iterable[Text]:
        warnings = self._state.warnings
        if warnings:
            more = f" ({len(warnings) - 1} more)" if len(warnings) > 1 else ""
            yield Text(f"warning{more}: {printable(warnings[-1])}", style="yellow")


def _layout(trials: Sequence[TrialRecord], order: Sequence[str], label: str, width: int) -> Layout:
    """Return the widest layout that fits; hyperparameters may have to be left out, from the right."""
    for gap, bar in _TIGHTNESS:
        layout = _fit(trials, order, label, width, gap=gap, bar=bar)
        if not layout.left_out:
            break
    bar = min(_WIDEST_BAR, bar + max(0, width - layout.width))
    layout.columns[2] = layout.columns[2]._replace(width=bar)
    return layout


def _fit(
    trials: Sequence[TrialRecord], order: Sequence[str], label: str, width: int, *, gap: int, bar: int
) -> Layout:
    outcomes = [_outcome(trial) for trial in trials if trial.is_finished]
    metric = printable(label).rsplit(" ", 1)
    columns = [
        Column(["", "#"], 3),
        Column(["", "trial"], max([5, *(len(f"{trial.number:,}") for trial in trials)])),
        Column(["", ""], bar, "left"),
        Column(["done or", "seconds"], 8),
        Column(metric, max([6, *map(cell_len, metric), *map(len, outcomes)])),
    ]
    layout = Layout(columns, gap, [])
    shown = [_shown(trial) for trial in trials]
    for name in dict.fromkeys([*order, *(name for values in shown for name in values)]):
        heading = printable(_SHORTER.get(name, name)).split("_", 1)
        texts = [_value(values[name]) for values in shown if name in values]
        column = Column(heading, max(map(cell_len, [*heading, *texts])), parameter=name)
        if not layout.left_out and layout.width + gap + column.width <= width:
            columns.append(column)
        else:
            layout.left_out.append(name)
    return layout


def _share(lines: int, workers: int, best: int, recent: int) -> tuple[int, int, int]:
    """Return how many rows each section gets of so many lines; each has one more for its name.

    Workers come first but leave room for one best trial, then the best, then what ended last.
    """
    reserved = 2 if best else 0
    in_training = min(workers, max(0, lines - 1 - reserved))
    lines -= in_training + bool(in_training)
    of_best = min(best, max(0, lines - 1))
    lines -= of_best + bool(of_best)
    return in_training, of_best, min(recent, max(0, lines - 1))


def _headings(layout: Layout) -> list[Text]:
    lines = []
    for place in (-2, -1):
        cells = [c.heading[place] if len(c.heading) >= -place else "" for c in layout.columns]
        lines.append(_row(layout, [Text(cell, style="bold") for cell in cells]))
    return lines


def _ended(layout: Layout, trial: TrialRecord, rank: int | None = None) -> Text:
    style = "bold green" if rank == 1 else "" if trial.dev_loss is not None else "yellow"
    cells = [
        Text("" if rank is None else str(rank), style="dim"),
        Text(f"{trial.number:,}"),
        Text(),
        Text(f"{trial.train_seconds:,.1f} s", style="dim"),
        Text(_outcome(trial), style=style),
    ]
    return _row(layout, [*cells, *_values(layout.columns[len(cells) :], trial)])


def _values(columns: Sequence[Column], trial: TrialRecord) -> list[Text]:
    """Return the hyperparameters that have a column; a trial may lack one."""
    values = [_shown(trial).get(column.parameter) for column in columns]
    return [Text(_NOTHING, style="dim") if value is None else Text(_value(value)) for value in values]


def _shown(trial: TrialRecord) -> dict[str, Value]:
    """Return what tells a trial from others: its hyperparameters, what was found for it, its labels."""
    return {**trial.params, **trial.found, **trial.labels}


def _row(layout: Layout, cells: Sequence[Text]) -> Text:
    line = Text()
    for place, (column, cell) in enumerate(zip(layout.columns, cells, strict=False)):
        cell.align(column.justify, column.width)
        line.append(" " * layout.gap if place else "").append_text(cell)
    return line


def _bar(share: float, width: int, colour: str) -> Text:
    """Return a bar whose halves differ in shape as well, for terminals without colour."""
    done = int(width * share)
    return Text("━" * done, style=colour).append("─" * (width - done), style="bright_black")


def _outcome(trial: TrialRecord) -> str:
    return trial.state if trial.dev_loss is None else _loss(trial.dev_loss)


def _loss(loss: float) -> str:
    return f"{loss:.4f}" if abs(loss) < 1e3 else f"{loss:.3g}"


def _value(value: Value) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return printable(str(value))
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _digits(rate: float) -> str:
    """Return a rate with three digits, which do not dance."""
    return f"{float(f'{rate:.3g}'):,.0f}"


def _left(low: float, high: float) -> str:
    """Return the time left as a range.

    Examples:
        >>> _left(64, 190), _left(7.2, 7.4)
        ('1:04 to 3:10 left', 'about 0:07 left')
    """
    ends = list(dict.fromkeys((_clock(low), _clock(high))))
    return f"{' to '.join(ends)} left" if len(ends) > 1 else f"about {ends[0]} left"


def _clock(seconds: float) -> str:
    """Return a time as a clock shows it.

    Examples:
        >>> _clock(7.2), _clock(605), _clock(7262)
        ('0:07', '10:05', '2:01:02')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
