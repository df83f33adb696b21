"""Draw the metric over the two most important hyperparameters, as a smoothed map with the trials on it.

The map is the mean of the trials' values, weighted by a Gaussian of their distance (Nadaraya, Watson). It is
empty where no trial is near.
"""

import dataclasses

import numpy as np

from sweep.definition.dimension import Dimension
from sweep.definition.records import TrialRecord
from sweep.errors import NothingToShowError
from sweep.metric import MAXIMIZE
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.points import best_tenth, shown_range, used_dimensions
from sweep.reporting.figures.slices import choices_of, ends_of, hyperparameter_axis
from sweep.reporting.figures.theme import BLUE, GREY, ORANGE, gaps, layout, plain, spoken, value_text
from sweep.task import Metric
from sweep.values import Json

GRID = 32
"""Cells of the map on each side."""

MAX_DOTS = 400
"""Trials that are drawn; more are evenly thinned, the best and the winner stay."""

_SPREAD = 0.29
"""Standard deviation of a uniform draw from 0 to 1."""

_NEAR = 2.0
"""Distance in widths; the map shows a value if the weights add up to that of a trial this far away."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two hyperparameters."""

    name: str
    log: bool
    choices: list[str]
    """As text; empty for a range. Their places are 0, 1, 2 and so on."""
    ends: list[float]
    grid: list[float]
    """Places of the map's cells on the axis."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One trial."""

    trial: int
    group: str
    """``others``, ``best`` or ``winner``."""
    x: float
    y: float
    text: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Contour:
    """The metric over two hyperparameters."""

    metric: Metric
    x: Side
    y: Side
    mean: list[list[float | None]]
    """Smoothed value of each cell, a row for each cell of ``y``; None where no trial is near."""
    dots: list[Dot]


def contour(evidence: Evidence) -> Contour:
    """Return the metric over the two most important hyperparameters.

    Raises:
        NothingToShowError: If importances are not known, or no two hyperparameters vary together.
    """
    dimensions = used_dimensions(evidence.study)
    names = [name for name in evidence.importances if dimensions[name].high > dimensions[name].low][:2]
    trials = [trial for trial in evidence.scored if all(name in trial.params for name in names)]
    if len(names) < 2 or len(trials) < 2:
        raise NothingToShowError("a map needs two hyperparameters that vary in the same trials")
    x, y = ((name, dimensions[name]) for name in names)
    return Contour(
        metric=evidence.study.metric,
        x=_side(*x),
        y=_side(*y),
        mean=_smoothed(trials, x, y, evidence.study.metric),
        dots=_dots(evidence, trials, x, y),
    )


def plot_contour(numbers: Contour) -> Figure:
    """Draw the map, darker where the metric is better, and the trials over it."""
    figure, metric = Figure(), numbers.metric
    shades = [[0.0, "rgba(0, 114, 178, 0.75)"], [1.0, "rgba(0, 114, 178, 0.02)"]]
    figure.add_trace(
        {
            "type": "contour",
            "x": numbers.x.grid,
            "y": numbers.y.grid,
            "z": numbers.mean,
            "colorscale": shades,
            "reversescale": metric.direction == MAXIMIZE,
            "ncontours": 12,
            "contours": {"coloring": "heatmap"},
            "line": {"width": 0.5, "color": "rgba(128, 128, 128, 0.6)"},
            "colorbar": {"thickness": 12, "outlinewidth": 0, "tickfont": {"size": 11}},
            "hovertemplate": f"{metric.label}, smoothed %{{z:.4f}}<extra></extra>",
        }
    )
    for group, name, marker in _STYLES:
        dots = [dot for dot in numbers.dots if dot.group == group]
        figure.add_scatter(
            x=[dot.x for dot in dots],
            y=[dot.y for dot in dots],
            text=[dot.text for dot in dots],
            name=name,
            mode="markers",
            marker=marker,
            hovertemplate="%{text}<extra></extra>",
        )
    sides = (hyperparameter_axis(s.name, s.ends, s.choices, log=s.log) for s in (numbers.x, numbers.y))
    figure.update_layout(**layout(*sides))
    return figure


_STYLES: tuple[tuple[str, str, dict[str, Json]], ...] = (
    ("others", "other trials", {"color": GREY, "size": 5}),
    ("best", "best tenth", {"color": BLUE, "size": 7, "line": {"color": "white", "width": 1}}),
    ("winner", "winner", {"color": ORANGE, "size": 12, "symbol": "diamond"}),
)


def _side(name: str, dimension: Dimension) -> Side:
    shares = np.linspace(0, 1, GRID)
    low, high = float(dimension.low), float(dimension.high)
    grid = low * (high / low) ** shares if dimension.log else low + (high - low) * shares
    return Side(
        name=name,
        log=dimension.log,
        choices=[value_text(choice) for choice in choices_of(dimension)],
        ends=ends_of(dimension),
        grid=plain(grid.tolist()),
    )


def _smoothed(
    trials: list[TrialRecord], x: tuple[str, Dimension], y: tuple[str, Dimension], metric: Metric
) -> list[list[float | None]]:
    """Return the weighted mean of the trials' values in each cell, shape (GRID, GRID)."""
    losses = np.array([metric.as_loss(trial.dev_loss) for trial in trials if trial.dev_loss is not None])
    losses = np.minimum(losses, shown_range(losses.tolist())[1])  # an outlier would flatten the map
    width = _SPREAD * len(trials) ** (-1 / 6)  # Scott's rule in two dimensions
    along = [_weights(trials, *side, width) for side in (y, x)]
    total = along[0] @ along[1].T
    sums = (along[0] * losses) @ along[1].T
    is_known = total > np.exp(-(_NEAR**2) / 2)
    means = np.divide(sums, total, out=np.full_like(sums, np.nan), where=is_known)
    return [gaps(metric.as_loss(value) for value in row) for row in means.tolist()]


def _weights(trials: list[TrialRecord], name: str, dimension: Dimension, width: float) -> np.ndarray:
    """Return the Gaussian weight of each trial in each cell along one side, shape (GRID, trials)."""
    shares = np.array([dimension.share(trial.params[name]) for trial in trials])
    distance = (np.linspace(0, 1, GRID)[:, None] - shares[None, :]) / width
    weights: np.ndarray = np.exp(-(distance**2) / 2)
    return weights


def _dots(
    evidence: Evidence, trials: list[TrialRecord], x: tuple[str, Dimension], y: tuple[str, Dimension]
) -> list[Dot]:
    metric = evidence.study.metric
    groups = dict.fromkeys(best_tenth(trials, metric), "best") | {evidence.winner.number: "winner"}
    others = [trial for trial in trials if trial.number not in groups]
    shown = others[:: -(-len(others) // MAX_DOTS) or 1] + [t for t in trials if t.number in groups][:MAX_DOTS]
    return [
        Dot(
            trial=trial.number,
            group=groups.get(trial.number, "others"),
            x=plain([x[1].coordinate(trial.params[x[0]])])[0],
            y=plain([y[1].coordinate(trial.params[y[0]])])[0],
            text=f"trial {trial.number}, {metric.label} {trial.dev_loss:.4f}"
            + "".join(f"<br>{spoken(name)} {value_text(trial.params[name])}" for name, _ in (x, y)),
        )
        for trial in shown
    ]
