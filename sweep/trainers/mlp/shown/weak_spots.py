"""Plot the best model's loss by position and by character."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.theme import BLUE, axis, layout, plain
from sweep.reporting.units import axis_title
from sweep.trainers.mlp.shown.embedding import symbol_texts
from sweep.trainers.mlp.shown.learned import Learned
from sweep.trainers.mlp.shown.note_kinds import WeakSpots
from sweep.trainers.mlp.trainer import MLP

if TYPE_CHECKING:  # the module loads torch
    from sweep.trainers.mlp.inspection import Inspection, MeanLosses

MAX_BARS = 40
"""Number of characters shown, those that contribute most to the total loss."""


def loss_by_position(evidence: Evidence) -> WeakSpots:
    """Return the loss of the first character of a word, the second, and so on, including ends."""
    learned = evidence.more(Learned)
    noted = learned.noted
    return spots_by_position(learned.inspection) if noted is None else noted.by_position


def loss_by_character(evidence: Evidence) -> WeakSpots:
    """Return the loss by predicted character, highest first, with displayed symbols."""
    learned = evidence.more(Learned)
    noted = learned.noted
    if noted is None:
        symbols = evidence.data.vocabulary
        spots = spots_by_character(learned.inspection, symbols)
    else:
        symbols, spots = noted.embedding.labels, noted.by_character
    texts = dict(zip(symbols, symbol_texts(symbols), strict=True))
    return dataclasses.replace(spots, labels=[texts[symbol] for symbol in spots.labels])


def spots_by_position(inspection: "Inspection") -> WeakSpots:
    """Return the mean loss of each position in a word."""
    losses = inspection.by_position
    return _spots(losses, [str(place + 1) for place in range(len(losses.count))])


def spots_by_character(inspection: "Inspection", vocabulary: Sequence[str]) -> WeakSpots:
    """Return the mean loss of each next character, highest first."""
    return _hardest_first(_spots(inspection.by_character, list(vocabulary)))


def plot_loss_by_position(spots: WeakSpots) -> Figure:
    """Draw one bar per position."""
    return _plot(spots, "position in the word", "position %{x}")


def plot_loss_by_character(spots: WeakSpots) -> Figure:
    """Draw one bar per character."""
    return _plot(spots, "next character", "next is %{x}")


def _spots(losses: "MeanLosses", labels: list[str]) -> WeakSpots:
    """Return the groups with examples; if they are many, those with the largest shares."""
    total = float((losses.count * losses.mean)[losses.count > 0].sum())
    shares = [m * n / total if n else 0.0 for m, n in zip(losses.mean, losses.count, strict=True)]
    present = [k for k, mean in enumerate(losses.mean) if math.isfinite(mean)]
    kept = sorted(sorted(present, key=lambda k: (-shares[k], k))[:MAX_BARS])
    return WeakSpots(
        labels=[labels[k] for k in kept],
        mean=plain(losses.mean[kept].tolist()),
        count=losses.count[kept].tolist(),
        share=plain(shares[k] for k in kept),
        left_out=len(present) - len(kept),
    )


def _hardest_first(spots: WeakSpots) -> WeakSpots:
    order = sorted(range(len(spots.mean)), key=lambda k: (-spots.mean[k], k))
    return dataclasses.replace(
        spots,
        labels=[spots.labels[k] for k in order],
        mean=[spots.mean[k] for k in order],
        count=[spots.count[k] for k in order],
        share=[spots.share[k] for k in order],
    )


def _plot(spots: WeakSpots, title: str, group: str) -> Figure:
    figure = Figure()
    figure.add_bar(
        x=spots.labels,
        y=spots.mean,
        customdata=[list(pair) for pair in zip(spots.count, spots.share, strict=True)],
        marker={"color": BLUE},
        hovertemplate=(
            f"{group}<br>dev loss %{{y:.4f}}<br>%{{customdata[0]:,}} characters, "
            "%{customdata[1]:.1%} of the total loss<extra></extra>"
        ),
    )
    x = axis(title, type="category", showgrid=False, tickangle=0)
    figure.update_layout(**layout(x, axis(axis_title(MLP.metric)), bargap=0.3))
    return figure
