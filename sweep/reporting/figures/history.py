"""Draw the values of a search in order, with the best value so far."""

import dataclasses
import datetime
import itertools
from collections.abc import Callable, Sequence

from sweep.definition.records import TrialRecord
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.points import TrialPoints, add_points, trial_points
from sweep.reporting.figures.theme import GREY, ORANGE, axis, layout, plain, shown
from sweep.reporting.units import axis_title


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Dev loss over the course of a search."""

    points: TrialPoints
    best_x: list[float]
    best_loss: list[float]
    """Best value so far, wherever it improves and at the end of the search."""
    without_x: list[float]
    """Positions of finished trials without a final value."""
    without_text: list[str]
    """Number of each, and the reason."""


def history_by_trial(evidence: Evidence) -> History:
    """Return dev loss over the number of the trial."""
    return _history(evidence, evidence.study.trials, lambda trial: float(trial.number))


def history_by_seconds(evidence: Evidence) -> History:
    """Return dev loss over the seconds of training that all trials so far took together.

    Trials count in the order in which they ended. Pauses between runs and the number of workers
    play no part.
    """
    ended = sorted((t for t in evidence.study.trials if t.is_finished), key=_end)
    spent = itertools.accumulate(trial.train_seconds for trial in ended)
    by_number = {trial.number: seconds for trial, seconds in zip(ended, spent, strict=True)}
    return _history(evidence, ended, lambda trial: by_number[trial.number])


def plot_history_by_trial(history: History) -> Figure:
    """Draw loss and best so far over trials."""
    return _plot(history, "trial", "")


def plot_history_by_seconds(history: History) -> Figure:
    """Draw loss and best so far over training seconds."""
    return _plot(history, "training seconds, all trials together", "after %{x:,.1f} s<br>")


def _history(
    evidence: Evidence, ordered: Sequence[TrialRecord], x: Callable[[TrialRecord], float]
) -> History:
    numbers = {trial.number for trial in evidence.scored}
    scored = [trial for trial in ordered if trial.number in numbers]
    as_loss = evidence.study.as_loss
    best_x: list[float] = []
    best_loss: list[float] = []
    for trial in scored:
        assert trial.dev_loss is not None, "scored trials have a loss"
        if not best_loss or as_loss(trial.dev_loss) < as_loss(best_loss[-1]):
            best_x.append(x(trial))
            best_loss.append(trial.dev_loss)
    without = [trial for trial in ordered if trial.is_finished and trial.number not in numbers]
    return History(
        points=trial_points(scored, evidence.winner, x, metric=evidence.study.metric),
        best_x=plain([*best_x, max(map(x, scored + without))]),
        best_loss=plain([*best_loss, best_loss[-1]]),
        without_x=plain(x(trial) for trial in without),
        without_text=[f"trial {trial.number}: {shown(_ended_as(trial))}" for trial in without],
    )


def _plot(history: History, title: str, quantity: str) -> Figure:
    figure = Figure()
    ends, at_bad_end = _range_and_bad_end(history.points)
    figure.add_scatter(
        x=history.without_x,
        y=[at_bad_end] * len(history.without_x),
        text=history.without_text,
        name=f"no final {history.points.metric.noun}",
        mode="markers",
        marker={"color": GREY, "symbol": "x-thin", "size": 6, "line": {"width": 1.5, "color": GREY}},
        hovertemplate="%{text}<extra></extra>",
    )
    add_points(figure, history.points, quantity.removesuffix("<br>"))
    figure.add_scatter(
        x=history.best_x,
        y=history.best_loss,
        name="best so far",
        mode="lines",
        line={"color": ORANGE, "width": 1.5, "shape": "hv"},
        hoverinfo="skip",
    )
    x_axis = axis(title, showgrid=False, rangemode="nonnegative")
    y_axis = axis(axis_title(history.points.metric), range=ends)
    figure.update_layout(**layout(x_axis, y_axis))
    return figure


def _range_and_bad_end(points: TrialPoints) -> tuple[list[float], float]:
    """Return the range of the axis, with room for marks at its bad end, and where that end is."""
    as_loss = points.metric.as_loss
    low, high = sorted(map(as_loss, points.loss_range))
    return sorted(map(as_loss, (low, high + 0.03 * (high - low)))), as_loss(high)


def _ended_as(trial: TrialRecord) -> str:
    return trial.reason or trial.state


def _end(trial: TrialRecord) -> tuple[float, int]:
    """Return what the ends of trials are sorted by; those without a time come first."""
    ended: datetime.datetime | None = trial.ended
    return (ended.timestamp() if ended else 0.0, trial.number)
