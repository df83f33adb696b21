"""Draw the intermediate values of each trial of a guest, and where it was stopped."""

import dataclasses
from collections.abc import Sequence

from sweep.definition.records import TrialRecord
from sweep.errors import NothingToShowError
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.points import best_tenth, shown_range
from sweep.reporting.figures.rungs import by_outcome, drawn_lines, thinned
from sweep.reporting.figures.theme import axis, layout, plain, shown_metric
from sweep.reporting.units import axis_title
from sweep.task import Metric
from sweep.values import Json

_SHORT = 12
"""Steps up to which each has a tick."""


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
    given_up: list[Line]
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
    groups = by_outcome(reported, best, first)
    losses = [metric.as_loss(segment.dev_loss) for trial in reported for segment in trial.segments]
    return IntermediateValues(
        **{name: _lines(trials) for name, trials in groups.items()},
        metric=shown_metric(metric),
        value_range=sorted(map(metric.as_loss, shown_range(losses))),
    )


def plot_intermediate_values(numbers: IntermediateValues) -> Figure:
    """Draw one line a trial; a cross ends the line of a trial without a final value."""
    lines = {
        "complete": numbers.others,
        "no final value": numbers.given_up,
        "best tenth": numbers.best,
        "winner": numbers.winner,
    }
    figure = drawn_lines(
        {name: [(line.trial, line.step, line.value) for line in group] for name, group in lines.items()},
        f"at step %{{x:,}}<br>{numbers.metric.label}",
    )
    y = axis(axis_title(numbers.metric), range=numbers.value_range)
    figure.update_layout(**layout(_steps(numbers), y, showlegend=True))
    return figure


def _steps(numbers: IntermediateValues) -> dict[str, Json]:
    """Return the axis of steps; a short one has a tick at each step."""
    groups = (numbers.winner, numbers.best, numbers.others, numbers.given_up)
    steps = [step for group in groups for line in group for step in line.step]
    every = {"dtick": 1} if max(steps) - min(steps) <= _SHORT else {}
    return axis("step", tickformat=",~d", **every)


def _lines(trials: Sequence[TrialRecord]) -> list[Line]:
    return [
        Line(
            trial=trial.number,
            step=[segment.step for segment in trial.segments],
            value=plain(segment.dev_loss for segment in trial.segments),
        )
        for trial in thinned(trials)
    ]
