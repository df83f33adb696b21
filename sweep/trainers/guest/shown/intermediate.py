"""What did each trial of a guest report on the way, and where was it given up?"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

from sweep.definition.records import TrialRecord
from sweep.errors import NothingToShowError
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.points import best_tenth, shown_range
from sweep.reporting.figures.theme import BLUE, GREY, ORANGE, PURPLE, axis, layout, plain, shown_metric
from sweep.reporting.units import axis_title
from sweep.task import Metric

_SHORT = 12

MAX_LINES = 60
"""Lines of each group; more are evenly thinned, because hundreds hide each other."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The intermediate values of one trial."""

    trial: int
    step: list[int]
    value: list[float]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class IntermediateValues:
    """Trials by how they ended."""

    winner: list[Line]
    best: list[Line]
    others: list[Line]
    without: list[Line]
    """Pruned, failed or still running."""
    metric: Metric
    value_range: list[float]


def intermediate_values(evidence: Evidence) -> IntermediateValues:
    """Return what trials reported before their end.

    Raises:
        NothingToShowError: If none reported anything.
    """
    metric = evidence.study.metric
    reported = [trial for trial in evidence.study.trials if trial.segments]
    if not reported:
        raise NothingToShowError("no trial reported intermediate values")
    scored = [trial for trial in evidence.study.trials if trial.is_scored]
    best = best_tenth(scored, metric) if scored else set()
    first = evidence.winner.number if scored else -1
    groups = {
        "winner": [t for t in reported if t.number == first],
        "best": [t for t in reported if t.number in best and t.number != first],
        "others": [t for t in reported if t.is_scored and t.number not in best and t.number != first],
        "without": [t for t in reported if not t.is_scored],
    }
    losses = [metric.as_loss(segment.dev_loss) for trial in reported for segment in trial.segments]
    return IntermediateValues(
        **{name: _lines(trials) for name, trials in groups.items()},
        metric=shown_metric(metric),
        value_range=sorted(map(metric.as_loss, shown_range(losses))),
    )


def plot_intermediate_values(numbers: IntermediateValues) -> Figure:
    """Draw one line a trial; a cross ends the line of a trial without a final value."""
    figure = Figure()
    add = functools.partial(_add, figure, label=numbers.metric.label)
    add(numbers.others, "complete", {"color": GREY, "width": 0.9}, opacity=0.35)
    add(numbers.without, "no final value", {"color": PURPLE, "width": 1.2}, opacity=0.8, end="x")
    add(numbers.best, "best tenth", {"color": BLUE, "width": 1.5}, opacity=0.9)
    add(numbers.winner, "winner", {"color": ORANGE, "width": 2.5})
    y = axis(axis_title(numbers.metric), range=numbers.value_range)
    figure.update_layout(**layout(_steps(numbers), y, showlegend=True))
    return figure


def _steps(numbers: IntermediateValues) -> dict[str, Any]:
    """Return the axis of steps; a short one has a tick at each step."""
    groups = (numbers.winner, numbers.best, numbers.others, numbers.without)
    steps = [step for group in groups for line in group for step in line.step]
    every = {"dtick": 1} if max(steps) - min(steps) <= _SHORT else {}
    return axis("step", tickformat=",~d", **every)


def _lines(trials: Sequence[TrialRecord]) -> list[Line]:
    shown = trials[:: max(1, -(-len(trials) // MAX_LINES))]
    return [
        Line(
            trial=trial.number,
            step=[segment.step for segment in trial.segments],
            value=plain(segment.dev_loss for segment in trial.segments),
        )
        for trial in shown
    ]


def _add(
    figure: Figure,
    lines: Sequence[Line],
    name: str,
    style: dict[str, Any],
    *,
    label: str,
    opacity: float = 1.0,
    end: str = "circle",
) -> None:
    """Draw a group of lines as one trace, a gap after each."""
    if not lines:
        return
    symbols = [mark for line in lines for mark in [*["circle"] * (len(line.step) - 1), end, end]]
    figure.add_scatter(
        x=[x for line in lines for x in (*line.step, None)],
        y=[y for line in lines for y in (*line.value, None)],
        customdata=[line.trial for line in lines for _ in range(len(line.step) + 1)],
        name=name,
        mode="lines+markers",
        line=style,
        marker={
            "color": style["color"],
            "size": [8 if symbol == "x" else 4 for symbol in symbols],
            "symbol": symbols,
        },
        opacity=opacity,
        hovertemplate=f"trial %{{customdata}} at step %{{x:,}}<br>{label} %{{y:.4f}}<extra></extra>",
    )
