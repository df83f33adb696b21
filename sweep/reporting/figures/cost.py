"""Draw the metric over a cost: training seconds, or a fact that the trainer counts.

Dots are trials. The Pareto front is that of the ranked table: its points are configurations with the mean of
their replicates, so a single lucky seed is not on it.
"""

import dataclasses
from collections.abc import Sequence

from sweep.errors import NothingToShowError
from sweep.metric import Fact
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.points import Points, TrialPoints, add_points, hover_text, trial_points
from sweep.reporting.figures.theme import GREEN, axis, layout, log_axis, plain, shown
from sweep.reporting.table.pareto_summary import Configuration, has_place, knee_of, pareto_front
from sweep.reporting.units import axis_title, words_of
from sweep.task import TRAIN_SECONDS, costs_of
from sweep.values import Json


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The metric over a cost."""

    cost: str
    """One of ``costs_of``."""
    fact: Fact
    """What it is."""
    points: TrialPoints
    front: Points
    """The configurations that no other beats in both, cheapest first; the trial is their first."""
    knee: Points
    """Their knee, or nothing."""
    loss_range: list[float]
    """Range of the points, extended to contain the front."""


def loss_by_cost(evidence: Evidence, cost: str) -> Cost:
    """Return the metric over one of ``costs_of``."""
    return _cost(evidence, cost)


def loss_by_seconds(evidence: Evidence) -> Cost:
    """Return the metric over the training seconds of each trial."""
    return _cost(evidence, TRAIN_SECONDS)


def loss_by_objective(evidence: Evidence) -> Cost:
    """Return the metric over the study's second objective, else over the trainer's first cost."""
    study = evidence.study
    return _cost(evidence, study.cost or next(iter(costs_of(study.task))))


def plot_cost(cost: Cost) -> Figure:
    """Draw loss over a cost, with the front and its knee."""
    number = "%{x:,.3~f}" if cost.cost == TRAIN_SECONDS else "%{x:,}"
    quantity = f"{number} {shown(cost.fact.unit or cost.cost).replace('%{', '&#37;{')}"
    metric = cost.points.metric
    figure = Figure()
    figure.add_scatter(
        x=cost.front.x,
        y=cost.front.dev_loss,
        customdata=cost.front.trial,
        name="front",
        mode="lines+markers",
        line={"color": GREEN, "width": 1.5, "shape": "hv"},
        marker={"color": GREEN, "size": 8, "symbol": "circle-open", "line": {"width": 1.5}},
        hovertemplate=f"front: {hover_text(quantity, metric)}",
    )
    add_points(figure, cost.points, quantity)  # over the front, so that the winner keeps its colour
    figure.add_scatter(
        x=cost.knee.x,
        y=cost.knee.dev_loss,
        text=["knee"] * len(cost.knee.x),
        name="knee",
        mode="markers+text",
        textposition=f"{words_of(metric)['bottom']} left",
        marker={"color": GREEN, "size": 12, "symbol": "square"},
        hoverinfo="skip",
    )
    figure.update_layout(
        **layout(_x_axis(cost, shown(cost.fact.label)), axis(axis_title(metric), range=cost.loss_range))
    )
    return figure


def _x_axis(cost: Cost, title: str) -> dict[str, Json]:
    points = cost.points
    places = [x for group in (points.others, points.best, points.winner) for x in group.x]
    return axis(title) if cost.fact.is_linear else log_axis(title, min(places), max(places))


def _cost(evidence: Evidence, cost: str) -> Cost:
    fact = costs_of(evidence.study.task)[cost]
    trials = [trial for trial in evidence.scored if has_place(fact, trial.cost(cost))]
    if not trials:
        raise NothingToShowError("no trial has a cost above 0")
    points = trial_points(
        trials, evidence.winner, lambda trial: trial.cost(cost), metric=evidence.study.metric
    )
    front = pareto_front(evidence.rows, cost, points.metric, fact)
    knee = knee_of(front)
    return Cost(
        cost=cost,
        fact=fact,
        points=points,
        front=_points(front),
        knee=_points([] if knee is None else [knee]),
        loss_range=_wide_enough(points, front[0]),
    )


def _wide_enough(points: TrialPoints, worst: Configuration) -> list[float]:
    """Return the range of the points, extended on its bad side so that the front's cheapest end is in it."""
    metric = points.metric
    low, high = sorted(map(metric.as_loss, points.loss_range))
    high = max(high, worst.loss + 0.05 * (worst.loss - low))
    return plain(sorted(map(metric.as_loss, (low, high))))


def _points(configurations: Sequence[Configuration]) -> Points:
    return Points(
        x=plain(one.cost for one in configurations),
        dev_loss=plain(one.dev_loss for one in configurations),
        trial=[one.trial for one in configurations],
    )
