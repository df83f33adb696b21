"""How low a loss are k trials expected to reach?"""

import dataclasses

import numpy as np

from sweep.errors import NothingToShowError
from sweep.metric import MAXIMIZE, Metric
from sweep.reporting.evidence import Evidence
from sweep.reporting.expected_best import draws, expected_best, quantile_of_best
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.theme import BLUE, BLUE_BAND, MAX_POINTS, axis, layout, plain, shown_metric

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


def expected_best_curve(evidence: Evidence) -> ExpectedBest:
    """Return the expected best of 1 to all trials that the sampler proposed.

    Raises:
        NothingToShowError: If fewer than two have a final loss.
    """
    study, losses = evidence.study, draws(evidence.study)
    if len(losses) < 2:
        raise NothingToShowError("the expected best needs at least two trials that the sampler proposed")
    trials = np.linspace(1, len(losses), min(len(losses), MAX_POINTS)).round().astype(int).tolist()
    half = [k for k in trials if 2 * k <= len(losses)]
    seconds = [trial.train_seconds for trial in study.trials if trial.is_finished]
    as_value = study.as_loss  # its own inverse
    ends = [[as_value(quantile_of_best(losses, k, quantile)) for k in half] for quantile in BAND]
    lower, upper = reversed(ends) if study.direction == MAXIMIZE else ends
    return ExpectedBest(
        metric=shown_metric(study.metric),
        sampler=study.sampler,
        trials=trials,
        expected=plain(as_value(expected_best(losses, k)) for k in trials),
        band_trials=half,
        lower=plain(lower),
        upper=plain(upper),
        seconds=plain([sum(seconds) / len(seconds)])[0],
    )


def plot_expected_best(curve: ExpectedBest) -> Figure:
    """Draw the expected best over the number of trials, with its band."""
    metric = curve.metric
    figure = Figure()
    figure.add_scatter(
        x=[*curve.band_trials, *reversed(curve.band_trials)],
        y=[*curve.lower, *reversed(curve.upper)],
        name="10 to 90 % of all sets of so many trials",
        mode="lines",
        line={"color": BLUE, "width": 0},
        fill="toself",
        fillcolor=BLUE_BAND,
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=curve.trials,
        y=curve.expected,
        name="expected best",
        mode="lines",
        line={"color": BLUE, "width": 2.5},
        hovertemplate=f"best of %{{x}} trials<br>{metric.label} %{{y:.4f}}<extra></extra>",
    )
    sampler = f" of sampler {curve.sampler}" if curve.sampler else ""
    x = axis(f"trials{sampler}, {curve.seconds:.3g} s of training each")
    unit = f" ({metric.unit})" if metric.unit else ""
    figure.update_layout(**layout(x, axis(f"expected best {metric.label}{unit}"), showlegend=True))
    return figure
