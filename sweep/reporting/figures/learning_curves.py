"""Draw how the best trials learned: their values of the metric and their training losses over their steps."""

import dataclasses
import math

import numpy as np

from sweep.definition.records import TrialRecord
from sweep.errors import NothingToShowError
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.points import best_first
from sweep.reporting.figures.theme import BLUE, GREEN, GREY, ORANGE, PURPLE, axis, gaps, layout, plain
from sweep.reporting.figures.training_curve import smoothed_curve
from sweep.reporting.units import axis_title
from sweep.task import Metric

MOST_CURVES = 5
"""Trials whose curves can be told apart: the winner and the best others."""

MOST_POINTS = 120
"""Points of each training loss."""

_COLOURS = (ORANGE, BLUE, GREEN, PURPLE, GREY)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One trial over its steps."""

    trial: int
    value: float
    """Final value of the metric."""
    step: list[int]
    """Steps at which the metric was measured."""
    measured: list[float]
    train_step: list[int]
    """Steps of ``train_loss``; empty if its losses are not stored."""
    train_loss: list[float | None]
    """Moving average of the training loss."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """The winner first, then the best others."""

    metric: Metric
    curves: list[Curve]


def learning_curves(evidence: Evidence) -> Curves:
    """Return the curves of the winner and the best other trials.

    Raises:
        NothingToShowError: If none of them was measured before its end.
    """
    metric, winner = evidence.study.metric, evidence.winner
    others = [trial for trial in best_first(evidence.scored, metric) if trial.number != winner.number]
    curves = [_curve(evidence, trial) for trial in (winner, *others[: MOST_CURVES - 1])]
    if all(len(curve.step) < 2 and not curve.train_step for curve in curves):
        raise NothingToShowError(f"none of the best trials has a {metric.noun} from before its end")
    return Curves(metric=metric, curves=curves)


def plot_learning_curves(numbers: Curves) -> Figure:
    """Draw the metric of each trial as a line with marks, its training loss as a thin line."""
    metric, figure = numbers.metric, Figure()
    for curve, colour in zip(numbers.curves, _COLOURS, strict=False):
        name = f"trial {curve.trial}"
        figure.add_scatter(
            x=curve.train_step,
            y=curve.train_loss,
            name=name,
            mode="lines",
            line={"color": colour, "width": 1},
            opacity=0.45,
            hoverinfo="skip",
            legendgroup=name,
            showlegend=False,
        )
        figure.add_scatter(
            x=curve.step,
            y=curve.measured,
            name=f"{name}: {curve.value:.4f}",
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"color": colour, "size": 6},
            legendgroup=name,
            hovertemplate=f"{name}, step %{{x:,}}<br>{metric.label} %{{y:.4f}}<extra></extra>",
        )
    x = axis("step", tickformat=",~d", rangemode="tozero")
    figure.update_layout(**layout(x, axis(axis_title(metric)), showlegend=True))
    return figure


def _curve(evidence: Evidence, trial: TrialRecord) -> Curve:
    assert trial.dev_loss is not None, "only trials with a final value have a curve"
    segments = [segment for segment in trial.segments if math.isfinite(segment.dev_loss)]
    steps, losses = _training(evidence, trial.number)
    return Curve(
        trial=trial.number,
        value=plain([trial.dev_loss])[0],
        step=[segment.step for segment in segments],
        measured=plain(segment.dev_loss for segment in segments),
        train_step=steps,
        train_loss=losses,
    )


def _training(evidence: Evidence, trial: int) -> tuple[list[int], list[float | None]]:
    """Return a moving average of a trial's training loss, thinned; nothing if it is not stored."""
    try:
        steps, losses = evidence.curve_of(trial)
    except NothingToShowError:
        return [], []
    window, smoothed = smoothed_curve(losses)
    places = np.unique(np.linspace(window - 1, len(steps) - 1, min(len(steps), MOST_POINTS)).astype(np.int64))
    return [int(step) + 1 for step in steps[places]], gaps(smoothed[places].tolist())
