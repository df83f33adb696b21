"""Draw the expected best value by the number of trials, and its forecast for further trials."""

import dataclasses
from typing import Any

import numpy as np

from sweep.errors import NothingToShowError
from sweep.metric import MAXIMIZE, Metric
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.theme import (
    BLUE,
    MAX_POINTS,
    ORANGE,
    axis,
    band,
    layout,
    plain,
    shown_metric,
)
from sweep.reporting.further_trials.expected_best import draws, expected_best, quantile_of_best
from sweep.reporting.further_trials.forecast import latest, tail_of

BAND = (0.1, 0.9)
"""Quantiles of the band."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedBest:
    """Expected best value against the number of trials."""

    metric: Metric
    sampler: str
    trials: list[int]
    """k: how many trials."""
    expected: list[float]
    band_trials: list[int]
    """k up to half of the trials: above, two sets of k share most of their trials, and a band
    would look too sure."""
    lower: list[float]
    upper: list[float]
    seconds: float
    """Training of one trial, on average."""
    further: list[int]
    """Trials in all after further ones, from those made to twice as many; empty if nothing can be said."""
    further_expected: list[float]
    """Expected best after them, if they are like the latest of the sampler."""
    further_lower: list[float]
    further_upper: list[float]


def expected_best_curve(evidence: Evidence) -> ExpectedBest:
    """Return the expected best of 1 to all trials that the sampler proposed, and of further ones.

    Raises:
        NothingToShowError: If fewer than two have a final loss.
    """
    study, losses = evidence.study, draws(evidence.study)
    if len(losses) < 2:
        raise NothingToShowError("the expected best needs at least two trials that the sampler proposed")
    trials = np.linspace(1, len(losses), min(len(losses), MAX_POINTS)).round().astype(int).tolist()
    half = [k for k in trials if 2 * k <= len(losses)]
    seconds = [trial.train_seconds for trial in study.trials if trial.is_finished]
    ordered, as_value = sorted(losses), study.as_loss  # its own inverse
    ends = [[as_value(quantile_of_best(ordered, k, quantile)) for k in half] for quantile in BAND]
    lower, upper = reversed(ends) if study.direction == MAXIMIZE else ends
    return ExpectedBest(
        metric=shown_metric(study.metric),
        sampler=study.sampler,
        trials=trials,
        expected=plain(as_value(expected_best(ordered, k)) for k in trials),
        band_trials=half,
        lower=plain(lower),
        upper=plain(upper),
        seconds=plain([sum(seconds) / len(seconds)])[0],
        **_further(evidence, losses),
    )


def _further(evidence: Evidence, losses: list[float]) -> dict[str, Any]:
    """Return the fields ``further...``: from the best so far on, up to twice the trials made."""
    study, made = evidence.study, len(losses)
    names = ("further", "further_expected", "further_lower", "further_upper")
    tail = tail_of(latest(losses, study.sampler), len(study.space))
    if tail is None:
        return {name: [] for name in names}
    best = min(losses)
    more = np.linspace(1, made, min(made, MAX_POINTS // 3)).round().astype(int).tolist()
    expected = [best, *(tail.expected_best(best, k) for k in more)]
    ends = [[best, *(tail.quantile_of_best(best, k, quantile) for k in more)] for quantile in BAND]
    values = [plain(map(study.as_loss, each)) for each in (expected, *ends)]
    if study.direction == MAXIMIZE:
        values[1:] = reversed(values[1:])
    return dict(zip(names, ([made, *(made + k for k in more)], *values), strict=True))


def plot_expected_best(curve: ExpectedBest) -> Figure:
    """Draw the expected best over the number of trials, with its band."""
    metric = curve.metric
    figure = Figure()
    name = "10 to 90 % of all sets of as many trials"
    figure.add_scatter(**band(name, curve.band_trials, curve.lower, curve.upper, BLUE))
    figure.add_scatter(
        x=curve.trials,
        y=curve.expected,
        name="expected best",
        mode="lines",
        line={"color": BLUE, "width": 2.5},
        hovertemplate=f"best of %{{x}} trials<br>{metric.label} %{{y:.4f}}<extra></extra>",
    )
    _add_further(figure, curve)
    sampler = f" of sampler {curve.sampler}" if curve.sampler else ""
    x = axis(f"trials{sampler}, {curve.seconds:.3g} s of training each")
    unit = f" ({metric.unit})" if metric.unit else ""
    figure.update_layout(**layout(x, axis(f"expected best {metric.label}{unit}"), showlegend=True))
    return figure


def _add_further(figure: Figure, curve: ExpectedBest) -> None:
    """Draw what further trials may bring, to the right of those made."""
    if not curve.further:
        return
    name = "forecast, 10 to 90 % of cases"
    figure.add_scatter(**band(name, curve.further, curve.further_lower, curve.further_upper, ORANGE))
    end, expected = curve.further[-1], curve.further_expected[-1]
    figure.add_scatter(
        x=curve.further,
        y=curve.further_expected,
        name=f"further trials: {expected:.4f} expected after {end:,}",
        mode="lines",
        line={"color": ORANGE, "width": 2.5, "dash": "dash"},
        hovertemplate=f"after %{{x}} trials<br>expected {curve.metric.label} %{{y:.4f}}<extra></extra>",
    )
