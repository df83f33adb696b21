"""What does a lower loss cost, in parameters and in seconds?"""

import dataclasses
from collections.abc import Callable

import plotly.graph_objects as go

from sweep.errors import NothingToShowError
from sweep.results.evidence import Evidence
from sweep.results.figures.points import LOSS, TrialPoints, add_points, trial_points
from sweep.results.figures.theme import GREEN, axis, layout, log_axis, plain
from sweep.search.records import TrialRecord


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Dev loss over a cost."""

    points: TrialPoints
    front_x: list[float]
    front_loss: list[float]
    """The trials that no other beats in both, cheapest first."""
    front_trial: list[int]


def loss_by_parameters(evidence: Evidence) -> Cost:
    """Return dev loss over the number of trainable parameters."""
    return _cost(evidence, lambda trial: float(trial.facts["n_params"]))


def loss_by_seconds(evidence: Evidence) -> Cost:
    """Return dev loss over the training seconds of each trial."""
    return _cost(evidence, lambda trial: trial.train_seconds)


def plot_loss_by_parameters(cost: Cost) -> go.Figure:
    """Draw loss over parameters, with the front."""
    return _plot(cost, "trainable parameters", "%{x:,} parameters")


def plot_loss_by_seconds(cost: Cost) -> go.Figure:
    """Draw loss over seconds, with the front."""
    return _plot(cost, "training seconds of the trial", "%{x:,.3~f} s")


def front(costs: list[float], losses: list[float]) -> list[int]:
    """Return the places of the points that no other beats in both, cheapest first.

    Of equal points the first stands for all.

    Examples:
        >>> front([1, 2, 3, 4], [2.5, 2.7, 2.1, 2.1])
        [0, 2]
    """
    found: list[int] = []
    for place in sorted(range(len(costs)), key=lambda k: (costs[k], losses[k], k)):
        if not found or losses[place] < losses[found[-1]]:
            found.append(place)
    return found


def _cost(evidence: Evidence, cost: Callable[[TrialRecord], float]) -> Cost:
    trials = [trial for trial in evidence.scored if cost(trial) > 0]
    if not trials:
        raise NothingToShowError("no trial has a cost above 0")
    costs, losses = [cost(t) for t in trials], [t.dev_loss for t in trials if t.dev_loss is not None]
    places = front(costs, losses)
    return Cost(
        points=trial_points(trials, evidence.winner, cost),
        front_x=plain(costs[k] for k in places),
        front_loss=plain(losses[k] for k in places),
        front_trial=[trials[k].number for k in places],
    )


def _plot(cost: Cost, title: str, quantity: str) -> go.Figure:
    figure = go.Figure()
    add_points(figure, cost.points, quantity)
    figure.add_scatter(
        x=cost.front_x,
        y=cost.front_loss,
        customdata=cost.front_trial,
        name="front",
        mode="lines+markers",
        line={"color": GREEN, "width": 1.5, "shape": "hv"},
        marker={"color": GREEN, "size": 8, "symbol": "circle-open", "line": {"width": 1.5}},
        hovertemplate=f"front: trial %{{customdata}}<br>{quantity}<br>dev loss %{{y:.4f}}<extra></extra>",
    )
    figure.update_layout(**layout(log_axis(title), axis(LOSS, range=cost.points.loss_range)))
    return figure
