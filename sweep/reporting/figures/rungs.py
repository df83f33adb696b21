"""Draw the value of each trial at its rungs, and the rungs at which trials were stopped."""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any

from sweep.definition.records import TrialRecord
from sweep.errors import NothingToShowError
from sweep.execution.rungs import DECISION_RUNGS
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.points import best_first, best_tenth, shown_range
from sweep.reporting.figures.theme import BLUE, GREY, ORANGE, PURPLE, axis, layout, plain, shown_metric
from sweep.reporting.units import axis_title, words_of
from sweep.task import Metric

MAX_LINES = 300
"""Lines of each group; more are evenly thinned."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RungLine:
    """Dev loss of one trial at its rungs."""

    trial: int
    percent: list[int]
    dev_loss: list[float]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RungCurves:
    """Trials by how they ended."""

    winner: list[RungLine]
    best: list[RungLine]
    others: list[RungLine]
    given_up: list[RungLine]
    """Pruned, diverged, out of time or failed, with at least one rung."""
    metric: Metric
    loss_range: list[float]


def rung_curves(evidence: Evidence) -> RungCurves:
    """Return the rungs of all trials that have any.

    Raises:
        NothingToShowError: If no trial reached a rung before its end.
    """
    metric = shown_metric(evidence.study.metric)
    lines = {trial.number: _line(trial) for trial in evidence.study.trials}
    reached = [t for t in evidence.study.trials if any(p in DECISION_RUNGS for p in lines[t.number].percent)]
    if not reached:
        raise NothingToShowError("no trial reached a rung before its end")
    scored = [trial for trial in reached if trial.is_scored]
    best = best_tenth(scored, metric) if scored else set()
    first = best_first(scored, metric)[0].number if scored else -1
    ranked = {trial.number for trial in scored}
    groups = {
        "winner": [t for t in scored if t.number == first],
        "best": [t for t in scored if t.number in best and t.number != first],
        "others": [t for t in scored if t.number not in best and t.number != first],
        "given_up": [t for t in reached if t.is_finished and t.number not in ranked],
    }
    shown = {name: [lines[t.number] for t in _thinned(group)] for name, group in groups.items()}
    losses = [metric.as_loss(value) for group in shown.values() for line in group for value in line.dev_loss]
    if not losses:
        raise NothingToShowError("no trial that reached a rung has ended yet")
    return RungCurves(**shown, metric=metric, loss_range=sorted(map(metric.as_loss, shown_range(losses))))


def plot_rung_curves(numbers: RungCurves) -> Figure:
    """Draw a line for each trial; a cross ends the line of a trial that was stopped."""
    figure = Figure()
    add = functools.partial(_add, figure, label=numbers.metric.label)
    add(numbers.others, "complete", {"color": GREY, "width": 0.9}, opacity=0.35)
    add(numbers.given_up, "stopped", {"color": PURPLE, "width": 1.2}, opacity=0.8, end="x")
    add(numbers.best, "best tenth", {"color": BLUE, "width": 1.5}, opacity=0.9)
    add(numbers.winner, "{lowest} {noun}".format(**words_of(numbers.metric)), {"color": ORANGE, "width": 2.5})
    ticks = [*DECISION_RUNGS, 100]
    x = axis("share of the trial's own steps (%)", tickvals=ticks, range=[5, 104])
    y = axis(axis_title(numbers.metric), range=numbers.loss_range)
    figure.update_layout(**layout(x, y, showlegend=True))
    return figure


def _line(trial: TrialRecord) -> RungLine:
    rungs = {percent: loss for percent, loss in trial.rungs.items() if math.isfinite(loss)}
    return RungLine(trial=trial.number, percent=list(rungs), dev_loss=plain(rungs.values()))


def _thinned(trials: Sequence[TrialRecord]) -> Sequence[TrialRecord]:
    return trials[:: max(1, -(-len(trials) // MAX_LINES))]


def _add(
    figure: Figure,
    lines: Sequence[RungLine],
    name: str,
    style: dict[str, Any],
    *,
    label: str,
    opacity: float = 1.0,
    end: str = "circle",
) -> None:
    """Draw a group of lines as one trace, a gap after each."""
    if not lines:
        return
    x: list[int | None] = []
    y: list[float | None] = []
    numbers: list[int] = []
    symbols: list[str] = []
    for line in lines:
        x += [*line.percent, None]
        y += [*line.dev_loss, None]
        numbers += [line.trial] * (len(line.percent) + 1)
        symbols += ["circle"] * (len(line.percent) - 1) + [end, end]
    figure.add_scatter(
        x=x,
        y=y,
        customdata=numbers,
        name=name,
        mode="lines+markers",
        line=style,
        marker={
            "color": style["color"],
            "size": [8 if symbol == "x" else 4 for symbol in symbols],
            "symbol": symbols,
        },
        opacity=opacity,
        hovertemplate=f"trial %{{customdata}} at %{{x}} %<br>{label} %{{y:.4f}}<extra></extra>",
    )
