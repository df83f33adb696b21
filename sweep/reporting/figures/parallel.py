"""Draw parallel coordinates, which show the combinations of values that the best trials share.

They are plain line traces, so that hover texts work and any plotly.js draws them.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from sweep.definition.dimension import Choices, Dimension, Range
from sweep.definition.records import TrialRecord
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.points import best_tenth, shown_range, used_dimensions
from sweep.reporting.figures.theme import (
    BLUE,
    GREY,
    ORANGE,
    TEMPLATE,
    even_ticks,
    log_ticks,
    plain,
    spoken,
    tick_text,
    value_text,
)
from sweep.values import Json

MAX_LINES = 300
"""Most lines that a reader can distinguish: the best trials, and an even selection of the others."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One upright axis."""

    title: str
    log: bool
    ticks: list[float]
    """Places from 0 (bottom) to 1."""
    labels: list[str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One trial."""

    trial: int
    dev_loss: float
    group: str
    """``others``, ``best`` or ``winner``."""
    places: list[float | None]
    """On each axis from 0 to 1; None where the trial lacks the hyperparameter."""
    values: list[str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ParallelCoordinates:
    """Axes from left to right, the dev loss last, and one line a trial."""

    axes: list[Axis]
    lines: list[Line]
    left_out: int
    """Trials that have no line."""


def parallel_coordinates(evidence: Evidence) -> ParallelCoordinates:
    """Return the searched hyperparameters and the dev loss as axes, trials as lines."""
    trials = evidence.scored
    dimensions = used_dimensions(evidence.study)
    metric = evidence.study.metric
    losses = {trial.number: metric.as_loss(trial.dev_loss) for trial in trials if trial.dev_loss is not None}
    ends = shown_range(list(losses.values()))
    loss, label = Range(*sorted(map(metric.as_loss, ends))), metric.label
    inside = [trial for trial in trials if losses[trial.number] <= ends[1]]
    best = best_tenth(trials, metric)
    shown = _thinned(inside, best | {evidence.winner.number}, losses)
    groups = dict.fromkeys(best, "best") | {evidence.winner.number: "winner"}
    return ParallelCoordinates(
        axes=[_axis(name, dimension) for name, dimension in {**dimensions, label: loss}.items()],
        lines=[_line(trial, groups.get(trial.number, "others"), dimensions, loss) for trial in shown],
        left_out=len(trials) - len(shown),
    )


def plot_parallel_coordinates(numbers: ParallelCoordinates) -> Figure:
    """Draw the other trials in grey, the best over them, the winner on top."""
    figure = Figure()
    styles = {
        "others": ("other trials", {"color": GREY, "width": 0.8}, 0.3),
        "best": ("best tenth", {"color": BLUE, "width": 1.4}, 0.85),
        "winner": ("winner", {"color": ORANGE, "width": 2.5}, 1.0),
    }
    for group, (name, line, opacity) in styles.items():
        entries = [entry for entry in numbers.lines if entry.group == group]
        _add_lines(figure, entries, name, line, opacity, label=numbers.axes[-1].title)
    places = list(range(len(numbers.axes)))
    figure.update_layout(
        xaxis={
            "tickvals": places,
            "ticktext": [f"{axis.title}<br>{'log' if axis.log else ''}" for axis in numbers.axes],
            "range": [-0.35, len(places) - 0.65],
            "side": "top",
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        yaxis={"visible": False, "range": [-0.04, 1.04], "fixedrange": True},
        shapes=[_rule(place) for place in places],
        annotations=[note for place in places for note in _labels(place, numbers.axes[place])],
        template=TEMPLATE,
        hovermode="closest",
        showlegend=False,
        margin={"l": 12, "r": 12, "t": 60, "b": 20},
    )
    return figure


def _thinned(
    trials: Sequence[TrialRecord], wanted: set[int], losses: Mapping[int, float]
) -> list[TrialRecord]:
    """Return at most ``MAX_LINES`` trials: the best of those wanted, and every so many of the others."""
    first = sorted((t for t in trials if t.number in wanted), key=lambda t: (losses[t.number], t.number))
    first = first[: MAX_LINES // 2]
    others = [trial for trial in trials if trial.number not in wanted]
    step = max(1, -(-len(others) // (MAX_LINES - len(first))))
    return [*others[::step], *first]


def _line(trial: TrialRecord, group: str, dimensions: Mapping[str, Dimension], loss: Range) -> Line:
    assert trial.dev_loss is not None, "only trials with a final loss are lines"
    params = trial.params
    places = [d.share(params[name]) if name in params else None for name, d in dimensions.items()]
    return Line(
        trial=trial.number,
        dev_loss=plain([trial.dev_loss])[0],
        group=group,
        places=[
            None if place is None else round(place, 4) for place in (*places, loss.share(trial.dev_loss))
        ],
        values=[
            *(value_text(params[name]) if name in params else "inactive" for name in dimensions),
            f"{trial.dev_loss:.4f}",
        ],
    )


def _axis(name: str, dimension: Dimension) -> Axis:
    if isinstance(dimension, Choices):
        labels = {dimension.share(choice): value_text(choice) for choice in dimension.choices}
    else:
        ticks = (log_ticks if dimension.log else even_ticks)(dimension.low, dimension.high)
        labels = {dimension.share(tick): tick_text(tick) for tick in ticks}
    return Axis(
        title=spoken(name),
        log=dimension.log,
        ticks=[round(share, 4) for share in labels],
        labels=list(labels.values()),
    )


def _add_lines(
    figure: Figure, lines: Sequence[Line], name: str, style: dict[str, Json], opacity: float, *, label: str
) -> None:
    """Draw lines as one trace, a gap after each."""
    x: list[float | None] = []
    y: list[float | None] = []
    text: list[str] = []
    for line in lines:
        x += [*range(len(line.places)), None]
        y += [*line.places, None]
        text += [
            f"trial {line.trial}, {label} {line.dev_loss:.4f}<br>{value}" for value in (*line.values, "")
        ]
    figure.add_scatter(
        x=x,
        y=y,
        text=text,
        name=name,
        mode="lines+markers",
        line=style,
        marker={"size": 5, "color": style["color"]},
        opacity=opacity,
        connectgaps=False,
        hovertemplate="%{text}<extra></extra>",
    )


def _rule(place: int) -> dict[str, Json]:
    line = {"color": "rgba(128, 128, 128, 0.55)", "width": 1}
    return {"type": "line", "x0": place, "x1": place, "y0": 0, "y1": 1, "layer": "below", "line": line}


def _labels(place: int, axis: Axis) -> list[dict[str, Json]]:
    return [
        {
            "x": place,
            "y": tick,
            "text": label,
            "showarrow": False,
            "xanchor": "right",
            "xshift": -6,
            "font": {"size": 11},
        }
        for tick, label in zip(axis.ticks, axis.labels, strict=True)
    ]
