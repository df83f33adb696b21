"""Draw the value of each trial at its rungs, and the rungs at which trials were stopped."""

import dataclasses
import math
from collections.abc import Container, Mapping, Sequence

from sweep.definition.records import TrialRecord
from sweep.errors import NothingToShowError
from sweep.execution.rungs import DECISION_RUNGS
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.points import best_first, best_tenth, shown_range
from sweep.reporting.figures.theme import BLUE, GREY, ORANGE, PURPLE, axis, layout, plain, shown_metric
from sweep.reporting.units import axis_title, words_of
from sweep.task import Metric
from sweep.values import Json

MAX_LINES = 60
"""Lines of each group; more are evenly thinned, because hundreds hide each other."""

Line = tuple[int, Sequence[int], Sequence[float]]
"""Number of a trial, the places where it was measured, and its values there."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RungLine:
    """Dev loss of one trial at its rungs."""

    trial: int
    percent: list[int]
    dev_loss: list[float]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RungCurves:
    """Trials by how they ended."""

    winner: list[RungLine]
    best: list[RungLine]
    others: list[RungLine]
    given_up: list[RungLine]
    """Pruned, diverged, out of time or failed, with at least one rung."""
    metric: Metric
    loss_range: list[float]


def rung_curves(evidence: Evidence) -> RungCurves:
    """Return the rungs of all trials that have any.

    Raises:
        NothingToShowError: If no trial reached a rung before its end.
    """
    metric = shown_metric(evidence.study.metric)
    lines = {trial.number: _line(trial) for trial in evidence.study.trials}
    reached = [t for t in evidence.study.trials if any(p in DECISION_RUNGS for p in lines[t.number].percent)]
    if not reached:
        raise NothingToShowError("no trial reached a rung before its end")
    scored = [trial for trial in reached if trial.is_scored]
    best = best_tenth(scored, metric) if scored else set()
    first = best_first(scored, metric)[0].number if scored else -1
    groups = by_outcome([t for t in reached if t.is_finished or t.is_scored], best, first)
    shown = {name: [lines[t.number] for t in thinned(group)] for name, group in groups.items()}
    losses = [metric.as_loss(value) for group in shown.values() for line in group for value in line.dev_loss]
    if not losses:
        raise NothingToShowError("no trial that reached a rung has ended yet")
    return RungCurves(**shown, metric=metric, loss_range=sorted(map(metric.as_loss, shown_range(losses))))


def plot_rung_curves(numbers: RungCurves) -> Figure:
    """Draw a line for each trial; a cross ends the line of a trial that was stopped."""
    words = words_of(numbers.metric)
    lines = {
        "complete": _points(numbers.others),
        "stopped": _points(numbers.given_up),
        "best tenth": _points(numbers.best),
        f"{words['lowest']} {words['noun']}": _points(numbers.winner),
    }
    figure = drawn_lines(lines, f"at %{{x}} %<br>{numbers.metric.label}")
    ticks = [*DECISION_RUNGS, 100]
    x = axis("share of the trial's own steps (%)", tickvals=ticks, range=[5, 104])
    y = axis(axis_title(numbers.metric), range=numbers.loss_range)
    figure.update_layout(**layout(x, y, showlegend=True))
    return figure


def by_outcome(
    trials: Sequence[TrialRecord], best: Container[int], first: int
) -> dict[str, list[TrialRecord]]:
    """Return trials by how they ended: ``winner``, ``best``, ``others``, and ``given_up`` without a value.

    Args:
        trials: Those that have a line.
        best: Numbers of the best tenth.
        first: Number of the winner.
    """
    scored = [trial for trial in trials if trial.is_scored]
    return {
        "winner": [t for t in scored if t.number == first],
        "best": [t for t in scored if t.number in best and t.number != first],
        "others": [t for t in scored if t.number not in best and t.number != first],
        "given_up": [t for t in trials if not t.is_scored],
    }


def thinned(trials: Sequence[TrialRecord]) -> Sequence[TrialRecord]:
    """Return at most ``MAX_LINES`` of some trials, evenly spread."""
    return trials[:: max(1, -(-len(trials) // MAX_LINES))]


def drawn_lines(groups: Mapping[str, Sequence[Line]], quantity: str) -> Figure:
    """Return a figure with one line a trial; a cross ends the lines of the second group.

    Args:
        groups: Name in the legend -> lines: other trials, those given up, the best tenth, the winner.
        quantity: What the hover text says between the trial's number and its value, in plotly's format.
    """
    figure = Figure()
    for (name, lines), style in zip(groups.items(), _STYLES, strict=True):
        if lines:
            figure.add_scatter(**_trace(name, lines, style, quantity))
    return figure


_STYLES: tuple[dict[str, Json], ...] = (
    {"color": GREY, "width": 0.9, "opacity": 0.35},
    {"color": PURPLE, "width": 1.2, "opacity": 0.8, "end": "x"},
    {"color": BLUE, "width": 1.5, "opacity": 0.9},
    {"color": ORANGE, "width": 2.5},
)
"""Of each group, in the order in which they are drawn."""


def _trace(name: str, lines: Sequence[Line], style: Mapping[str, Json], quantity: str) -> dict[str, Json]:
    """Return a group of lines as one trace, a gap after each."""
    end = style.get("end", "circle")
    symbols = [mark for _, x, _ in lines for mark in [*["circle"] * (len(x) - 1), end, end]]
    return {
        "x": [place for _, x, _ in lines for place in (*x, None)],
        "y": [value for _, _, y in lines for value in (*y, None)],
        "customdata": [trial for trial, x, _ in lines for _ in range(len(x) + 1)],
        "name": name,
        "mode": "lines+markers",
        "line": {"color": style["color"], "width": style["width"]},
        "marker": {
            "color": style["color"],
            "size": [8 if symbol == "x" else 4 for symbol in symbols],
            "symbol": symbols,
        },
        "opacity": style.get("opacity", 1.0),
        "hovertemplate": f"trial %{{customdata}} {quantity} %{{y:.4f}}<extra></extra>",
    }


def _line(trial: TrialRecord) -> RungLine:
    rungs = {percent: loss for percent, loss in trial.rungs.items() if math.isfinite(loss)}
    return RungLine(trial=trial.number, percent=list(rungs), dev_loss=plain(rungs.values()))


def _points(lines: Sequence[RungLine]) -> list[Line]:
    return [(line.trial, line.percent, line.dev_loss) for line in lines]
