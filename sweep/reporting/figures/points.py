"""Represent trials as points, for most figures of a search."""

import dataclasses
import math
from collections.abc import Callable, Sequence

from sweep.definition.dimension import Dimension
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.theme import BLUE, GREY, ORANGE, plain, shown_metric
from sweep.task import Metric

BEST_SHARE = 0.1
"""Share of the trials that figures mark as the best."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Some trials, one entry each."""

    x: list[float]
    dev_loss: list[float]
    trial: list[int]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrialPoints:
    """Values of trials over some quantity, and the range that a figure shows."""

    others: Points
    best: Points
    """The best tenth, without the winner."""
    winner: Points
    metric: Metric
    loss_range: list[float]
    above: int
    """Number of trials beyond the bad end of the range."""


def used_dimensions(study: StudyRecord) -> dict[str, Dimension]:
    """Return the dimensions of which some trial has a value; choices that are numbers are in order."""
    used = {name for trial in study.trials for name in trial.params}
    return {name: dimension.in_order() for name, dimension in study.space.items() if name in used}


def trial_points(
    trials: Sequence[TrialRecord],
    winner: TrialRecord,
    x: Callable[[TrialRecord], float],
    *,
    metric: Metric,
) -> TrialPoints:
    """Return trials with a finite loss as points.

    Args:
        trials: At least one.
        winner: Set off from the others.
        x: Trial -> horizontal coordinate.
        metric: What the trials are judged by.
    """
    best = best_tenth(trials, metric)
    losses = [metric.as_loss(_loss(trial)) for trial in trials]
    loss_range = shown_range(losses)
    groups: dict[str, list[TrialRecord]] = {"others": [], "best": [], "winner": []}
    for trial in trials:
        group = "winner" if trial.number == winner.number else "best" if trial.number in best else "others"
        groups[group].append(trial)
    return TrialPoints(
        **{name: _points(group, x) for name, group in groups.items()},
        metric=shown_metric(metric),
        loss_range=sorted(map(metric.as_loss, loss_range)),
        above=sum(loss > loss_range[1] for loss in losses),
    )


def best_tenth(trials: Sequence[TrialRecord], metric: Metric) -> set[int]:
    """Return the numbers of the tenth of the trials with the best value, at least one."""
    ordered = best_first(trials, metric)
    return {trial.number for trial in ordered[: math.ceil(BEST_SHARE * len(ordered))]}


def best_first(trials: Sequence[TrialRecord], metric: Metric) -> list[TrialRecord]:
    """Return trials with a final value in order; equal ones by number."""
    return sorted(trials, key=lambda trial: (metric.as_loss(_loss(trial)), trial.number))


def shown_range(losses: Sequence[float]) -> list[float]:
    """Return the range of values in loss form that a figure shows, without the few that would flatten it.

    The range ends at twice the distance between the lowest loss and the 90 % quantile.

    Examples:
        >>> shown_range([2.0, 2.1, 2.2])
        [1.99, 2.21]
        >>> shown_range([2.0, 2.1] * 10 + [90.0])
        [1.99, 2.21]
    """
    ordered = sorted(losses)
    low, most = ordered[0], ordered[math.ceil(0.9 * len(ordered)) - 1]
    high = min(ordered[-1], low + 2 * (most - low)) if most > low else ordered[-1]
    margin = 0.05 * (high - low) or 0.01
    return plain([low - margin, high + margin])


def add_points(figure: Figure, points: TrialPoints, quantity: str) -> None:
    """Draw the points, the best and the winner over the others.

    Args:
        figure: Drawn into.
        points: What.
        quantity: The line of the hover text on ``x``, in plotly's format.
    """
    few = len(points.others.x) < 1_000
    styles = (
        ("other trials", points.others, {"color": GREY, "size": 6 if few else 4, "opacity": 0.55}),
        ("best tenth", points.best, {"color": BLUE, "size": 7}),
        ("winner", points.winner, {"color": ORANGE, "size": 12, "symbol": "diamond"}),
    )
    for name, group, marker in styles:
        figure.add_scatter(
            x=group.x,
            y=group.dev_loss,
            customdata=group.trial,
            name=name,
            mode="markers",
            marker=marker,
            hovertemplate=hover_text(quantity, points.metric),
        )


def hover_text(quantity: str, metric: Metric) -> str:
    """Return the hover text of a trial: its number, the quantity on ``x`` and its value."""
    return f"trial %{{customdata}}<br>{quantity}<br>{metric.label} %{{y:.4f}}<extra></extra>"


def _points(trials: Sequence[TrialRecord], x: Callable[[TrialRecord], float]) -> Points:
    return Points(
        x=plain(x(trial) for trial in trials),
        dev_loss=plain(_loss(trial) for trial in trials),
        trial=[trial.number for trial in trials],
    )


def _loss(trial: TrialRecord) -> float:
    assert trial.dev_loss is not None, "only trials with a final loss are points"
    return trial.dev_loss
