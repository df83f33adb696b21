"""Plot the training loss over the learning rate of a range test."""

import dataclasses
import math

import numpy as np

from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.theme import (
    BLUE,
    GREEN,
    GREY,
    LEGEND,
    MAX_POINTS,
    ORANGE,
    PURPLE,
    axis,
    band,
    gaps,
    layout,
    plain,
)
from sweep.trainers.mlp.learning_rate.range_curve import RangeCurve, suggestions
from sweep.values import Json

_MARKS = {
    "steepest": ("steepest", ORANGE, "circle", "●"),
    "minimum_over_ten": ("minimum / 10", GREEN, "square", "■"),
    "valley": ("valley", PURPLE, "diamond", "◆"),
    "minimum": ("minimum, recommended", BLUE, "triangle-up", "▲"),
}
"""Rule -> label, colour, and a shape by plotly's name and as a character."""

_MARK_SIZES = (28, 22, 14, 8)
"""Sizes of the marks from left to right, so that marks at one point appear as rings."""

_LABEL_ROWS = (6, 24, 42, 60)
"""Heights of the labels above the plot, in pixels, so that near labels do not overlap."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A suggested learning rate on the curve."""

    name: str
    learning_rate: float
    loss: float
    """Smoothed median at this rate."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LrFinderCurve:
    """Numbers of the learning rate finder's figure; losses in nats per character."""

    learning_rates: list[float]
    raw: list[float | None]
    """Median over the seeds of the raw loss; None if no seed is left."""
    median: list[float]
    lower: list[float]
    upper: list[float | None]
    """Upper quartile; None once it has diverged."""
    seeds: int
    marks: list[Mark]
    """Suggestions within the curve, from left to right."""
    own: float | None
    """Learning rate of the tested configuration; None if it is unknown or lies beside the curve."""


def lr_finder_curve(test: RangeCurve, own: object = None) -> LrFinderCurve:
    """Return at most ``MAX_POINTS`` points of a range test's curve.

    The points are evenly spaced in the logarithm of the learning rate, like the steps.
    """
    count, lrs = min(test.points, MAX_POINTS), test.learning_rates[: test.points]
    steps = np.linspace(0, test.points - 1, count).round().astype(np.int64)
    return LrFinderCurve(
        learning_rates=plain(test.learning_rates[steps]),
        raw=gaps(_median_of_finite(test.raw[:, steps])),
        median=plain(test.median[steps]),
        lower=plain(test.lower[steps]),
        upper=gaps(test.upper[steps]),
        seeds=len(test.seeds),
        marks=_marks(test),
        own=own if isinstance(own, float) and lrs[0] <= own <= lrs[-1] else None,
    )


def plot_lr_finder(curve: LrFinderCurve) -> Figure:
    """Draw median, band, raw losses and suggestions over the learning rate on a log axis."""
    lrs, several = curve.learning_rates, curve.seeds > 1
    figure = Figure()
    figure.add_scatter(
        x=lrs,
        y=curve.raw,
        name="raw, median of seeds" if several else "raw",
        mode="lines",
        line={"color": GREY, "width": 1},
        opacity=0.45,
        hoverinfo="skip",
    )
    if several:
        figure.add_scatter(**band("quartiles of seeds", lrs, curve.lower, curve.upper, BLUE))
    figure.add_scatter(
        x=lrs,
        y=curve.median,
        name=f"smoothed, median of {curve.seeds} seeds" if several else "smoothed",
        mode="lines",
        line={"color": BLUE, "width": 2.5},
        hovertemplate="learning rate %{x:.3g}<br>loss %{y:.4f}<extra></extra>",
    )
    _draw_own(figure, curve)
    for mark, size in zip(curve.marks, _MARK_SIZES, strict=False):
        _draw_mark(figure, mark, size, top=_loss_range(curve)[1])
    figure.update_layout(**_layout(curve))
    return figure


def _marks(test: RangeCurve) -> list[Mark]:
    lrs, found = test.learning_rates[: test.points], suggestions(test)
    marks = [
        Mark(
            name=name,
            learning_rate=float(f"{rate:.6g}"),
            loss=float(np.interp(math.log(rate), np.log(lrs), test.median[: test.points])),
        )
        for name, (rate, _) in found.items()
        if rate is not None and lrs[0] <= rate <= lrs[-1]
    ]
    return sorted(marks, key=lambda mark: mark.learning_rate)


def _draw_own(figure: Figure, curve: LrFinderCurve) -> None:
    """Draw an upright line at the learning rate that the configuration has."""
    if curve.own is None:
        return
    figure.add_scatter(
        x=[curve.own, curve.own],
        y=_loss_range(curve),
        name=f"its own rate, {curve.own:.3g}",
        mode="lines",
        line={"color": "#6E6E6E", "width": 2, "dash": "dash"},
        hovertemplate="its own learning rate %{x:.3g}<extra></extra>",
    )


def _draw_mark(figure: Figure, mark: Mark, size: int, top: float) -> None:
    """Draw a shape on the curve, and a line from it to its label above the plot."""
    label, colour, symbol, _ = _MARKS[mark.name]
    figure.add_scatter(
        x=[mark.learning_rate, mark.learning_rate],
        y=[mark.loss, top],
        name=label,
        mode="lines+markers",
        line={"color": colour, "width": 1.5, "dash": "dot"},
        marker={
            "color": colour,
            "symbol": symbol,
            "size": [size, 0],
            "opacity": 1,
            "line": {"color": "white", "width": 1.5},
        },
        showlegend=False,
        hovertemplate=f"{label}<br>learning rate %{{x:.3g}}<extra></extra>",
    )


def _label(curve: LrFinderCurve, mark: Mark, row: int) -> dict[str, Json]:
    name, colour, _, shape = _MARKS[mark.name]
    lowest, highest = curve.learning_rates[0], curve.learning_rates[-1]
    in_left_half = mark.learning_rate < math.sqrt(lowest * highest)
    shape = f'<span style="color: {colour}">{shape}</span>'
    return {
        "x": math.log10(mark.learning_rate),
        "y": 1,
        "yref": "paper",
        "xanchor": "left" if in_left_half else "right",
        "yanchor": "bottom",
        "yshift": row,
        "xshift": -6 if in_left_half else 6,
        "text": f"{shape} {name} <b>{mark.learning_rate:.2g}</b>",
        "showarrow": False,
    }


def _layout(curve: LrFinderCurve) -> dict[str, Json]:
    rows = reversed(_LABEL_ROWS[: len(curve.marks)])
    return layout(
        axis("learning rate", type="log", dtick=1, exponentformat="power"),
        axis("training loss (nats per character)", range=_loss_range(curve)),
        annotations=[_label(curve, mark, row) for mark, row in zip(curve.marks, rows, strict=True)],
        showlegend=True,
        legend=LEGEND,
        margin={"l": 64, "r": 28, "t": 90, "b": 16},
    )


def _loss_range(curve: LrFinderCurve) -> list[float]:
    """Return the range of the loss axis, which contains the smoothed curves, but not all raw losses.

    A single raw loss of a diverging step, a million times the others, would flatten the curves.
    """
    shown = [*curve.median, *curve.lower, *(loss for loss in curve.upper if loss is not None)]
    low, high = min(shown), max(shown)
    margin = 0.15 * (high - low) or 0.1
    return [low - margin, high + margin]


def _median_of_finite(losses: np.ndarray) -> np.ndarray:
    """Return the median of each column over its finite entries; NaN if there are none."""
    columns = (column[np.isfinite(column)] for column in losses.T)
    return np.array([np.median(column) if len(column) else np.nan for column in columns])
