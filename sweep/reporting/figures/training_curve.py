"""Draw the training loss of the winner over its steps, with its values of the metric."""

import dataclasses

import numpy as np

from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.theme import (
    BLUE,
    GREY,
    MAX_POINTS,
    ORANGE,
    axis,
    gaps,
    layout,
    plain,
    shown_metric,
)
from sweep.smoothing import smooth
from sweep.task import Metric

SMOOTHED_SHARE = 0.01
"""Share of the curve that a point of the moving average covers."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCurve:
    """Training losses of one trial over its steps, and its values of the metric."""

    metric: Metric
    trial: int
    step: list[int]
    raw: list[float | None]
    """Training loss at each of ``step``."""
    smoothed: list[float | None]
    window: int
    """Stored points that the moving average looks back on."""
    dev_step: list[int]
    dev_loss: list[float]


def training_curve(evidence: Evidence) -> TrainingCurve:
    """Return the winner's curve, smoothed in full and then thinned to ``MAX_POINTS``."""
    steps, losses = evidence.curve
    window, smoothed = smoothed_curve(losses)
    places = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), MAX_POINTS)).round().astype(np.int64))
    segments = evidence.winner.segments
    return TrainingCurve(
        metric=shown_metric(evidence.study.metric),
        trial=evidence.winner.number,
        step=[int(step) + 1 for step in steps[places]],
        raw=gaps(losses[places].tolist()),
        smoothed=gaps(smoothed[places].tolist()),
        window=window,
        dev_step=[segment.step for segment in segments],
        dev_loss=plain(segment.dev_loss for segment in segments),
    )


def smoothed_curve(losses: np.ndarray) -> tuple[int, np.ndarray]:
    """Return the window of the moving average of stored training losses, and the average at each of them."""
    window = max(1, int(len(losses) * SMOOTHED_SHARE))
    return window, smooth(losses.astype(np.float64), window)


def plot_training_curve(curve: TrainingCurve, raw: str = "training loss") -> Figure:
    """Draw the smoothed loss over the raw one, named ``raw``, with the metric where it was measured."""
    metric = curve.metric
    figure = Figure()
    figure.add_scatter(
        x=curve.step,
        y=curve.raw,
        name=raw,
        mode="lines",
        line={"color": GREY, "width": 1},
        opacity=0.45,
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=curve.step,
        y=curve.smoothed,
        name="smoothed",
        mode="lines",
        line={"color": BLUE, "width": 2.5},
        hovertemplate="step %{x:,}<br>training loss, smoothed %{y:.4f}<extra></extra>",
    )
    figure.add_scatter(
        x=curve.dev_step,
        y=curve.dev_loss,
        name=metric.label,
        mode="markers",
        marker={"color": ORANGE, "size": 9, "symbol": "diamond"},
        hovertemplate=f"step %{{x:,}}<br>{metric.label} %{{y:.4f}}<extra></extra>",
    )
    x, y = (
        axis("step", tickformat=",~d", rangemode="tozero"),
        axis(f"{metric.noun}, {metric.unit}" if metric.unit else metric.noun),
    )
    figure.update_layout(**layout(x, y, showlegend=True))
    return figure
