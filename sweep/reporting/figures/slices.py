"""Draw the metric over each searched hyperparameter."""

import dataclasses
import statistics

from sweep.definition.dimension import Choices, Dimension
from sweep.definition.records import TrialRecord
from sweep.errors import NothingToShowError
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.points import (
    TrialPoints,
    add_points,
    shown_range,
    trial_points,
    used_dimensions,
)
from sweep.reporting.figures.theme import axis, layout, log_axis, plain, spoken, value_text
from sweep.values import Json, Value

COLUMNS = 3
"""Panels side by side in the figure of all slices."""

_JITTER = 0.5
"""Width over which the trials of one choice are spread, in choices."""

_GOLDEN = 0.6180339887498949
"""Multiples of it, cut to their fraction, are evenly spread however many there are."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Dev loss over one hyperparameter."""

    name: str
    log: bool
    choices: list[str]
    """As text; empty for a range. Their places are 0, 1, 2 …"""
    medians: list[float | None]
    """Median loss of each choice."""
    ends: list[float]
    points: TrialPoints


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """A slice for each searched hyperparameter that some trial has, all on one scale."""

    slices: list[Slice]


def slices(evidence: Evidence) -> Slices:
    """Return dev loss over each searched hyperparameter."""
    scored = evidence.scored
    found = [_slice(evidence, *searched) for searched in used_dimensions(evidence.study).items()]
    if not any(found):
        raise NothingToShowError(f"no hyperparameter was searched in the {len(scored)} trials")
    metric = evidence.study.metric
    losses = [metric.as_loss(trial.dev_loss) for trial in scored if trial.dev_loss is not None]
    scale = sorted(map(metric.as_loss, shown_range(losses)))
    return Slices(slices=[_on_scale(entry, scale) for entry in found if entry is not None])


def plot_slice(numbers: Slice) -> Figure:
    """Draw the trials over one hyperparameter."""
    figure = Figure()
    if numbers.choices:
        quantity = f"{spoken(numbers.name)} %{{text}}"
    else:
        quantity = f"{spoken(numbers.name)} %{{x:,.6~g}}"
    add_points(figure, numbers.points, quantity)
    if numbers.choices:
        for trace in figure.data:
            trace["text"] = [numbers.choices[round(x)] for x in trace["x"]]
        _add_medians(figure, numbers)
    x_axis = hyperparameter_axis(numbers.name, numbers.ends, numbers.choices, log=numbers.log)
    figure.update_layout(**layout(x_axis, axis(numbers.points.metric.label, range=numbers.points.loss_range)))
    return figure


def plot_slices(numbers: Slices) -> Figure:
    """Draw all slices as panels of one figure, with one scale of losses."""
    count = len(numbers.slices)
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    figure = Figure()
    figure.update_layout(**layout(axis(""), axis(""), height=300 * rows))
    for place, entry in enumerate(numbers.slices):
        row, column = divmod(place, columns)
        _add_panel(figure, plot_slice(entry), place, _box(row, rows, 0.28), _box(column, columns, 0.12))
    return figure


def _slice(evidence: Evidence, name: str, dimension: Dimension) -> Slice | None:
    choices = choices_of(dimension)
    trials = [trial for trial in evidence.scored if name in trial.params]
    if not trials:
        return None

    def place(trial: TrialRecord) -> float:
        jitter = _JITTER * ((trial.number * _GOLDEN) % 1 - 0.5) if choices else 0.0
        return dimension.coordinate(trial.params[name]) + jitter

    return Slice(
        name=name,
        log=dimension.log,
        choices=[value_text(choice) for choice in choices],
        medians=[_median(trials, name, choice) for choice in choices],
        ends=ends_of(dimension),
        points=trial_points(trials, evidence.winner, place, metric=evidence.study.metric),
    )


def _on_scale(entry: Slice, scale: list[float]) -> Slice:
    """Return a slice on the scale of all trials, also of those that lack its hyperparameter."""
    return dataclasses.replace(entry, points=dataclasses.replace(entry.points, loss_range=scale))


def _median(trials: list[TrialRecord], name: str, choice: Value) -> float | None:
    losses = [
        trial.dev_loss for trial in trials if trial.params[name] == choice and trial.dev_loss is not None
    ]
    return plain([statistics.median(losses)])[0] if losses else None


def _add_medians(figure: Figure, numbers: Slice) -> None:
    """Draw a short line at each choice's median."""
    x: list[float | None] = []
    y: list[float | None] = []
    for place, median in enumerate(numbers.medians):
        x += [place - 0.32, place + 0.32, None]
        y += [median, median, None]
    figure.add_scatter(
        x=x,
        y=y,
        name="median",
        mode="lines",
        line={"width": 2, "color": "#6E6E6E"},
        hovertemplate="median %{y:.4f}<extra></extra>",
    )


def choices_of(dimension: Dimension) -> tuple[Value, ...]:
    """Return the choices of a dimension; none of a range."""
    return dimension.choices if isinstance(dimension, Choices) else ()


def ends_of(dimension: Dimension) -> list[float]:
    """Return the ends of a dimension's axis, with room beside the outer choices."""
    margin = 0.5 if choices_of(dimension) else 0.0
    return plain([dimension.low - margin, dimension.high + margin])


def hyperparameter_axis(name: str, ends: list[float], choices: list[str], *, log: bool) -> dict[str, Json]:
    """Return the axis of a hyperparameter.

    Args:
        name: Of the hyperparameter.
        ends: The lowest and highest place.
        choices: As text, at the places 0, 1, 2 and so on; empty for a range.
        log: Whether a range is logarithmic.
    """
    title = spoken(name)
    if choices:
        places = list(range(len(choices)))
        return axis(title, showgrid=False, tickvals=places, ticktext=choices, range=ends)
    return log_axis(title, *ends) if log else axis(title)


def _box(place: int, count: int, gap: float) -> list[float]:
    """Return from where to where panel ``place`` of ``count`` reaches, as shares of the whole."""
    size = 1 / (count + gap * (count - 1))
    return [place * size * (1 + gap), place * size * (1 + gap) + size]


def _add_panel(figure: Figure, panel: Figure, place: int, rows: list[float], columns: list[float]) -> None:
    number = str(place + 1) if place else ""
    for trace in panel.data:
        figure.add_trace({**trace, "xaxis": f"x{number}", "yaxis": f"y{number}"})
    x = {**panel.layout["xaxis"], "domain": columns, "anchor": f"y{number}"}
    y = {**panel.layout["yaxis"], "domain": [1 - rows[1], 1 - rows[0]], "anchor": f"x{number}"}
    figure.update_layout(**{f"xaxis{number}": x, f"yaxis{number}": y})
