"""How far do seeds and words let a loss be known?

A mean over seeds is uncertain in two ways: other seeds would give other models, and other words of the
same kind another loss. The second is the larger one, and no number of seeds makes it smaller.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from sweep.certify.selection import mean_interval
from sweep.certify.word_uncertainty import Uncertainty, mean_losses, over_seeds_and_words, over_words

BOOTSTRAP_SEED = 0
"""Seed of the resamples."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The uncertainty from one source, nats per character."""

    standard_error: float
    low: float
    high: float
    """95 % interval for the mean loss."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Certainty:
    """A mean loss over seeds, and what it may be off by."""

    losses: tuple[float, ...]
    """Of each seed, nats per character."""
    seeds: Source | None
    """Other seeds, these words; None for one seed."""
    words: Source
    """Other words, these seeds."""
    both: Source | None

    @property
    def mean(self) -> float:
        """Mean loss over the seeds."""
        return float(np.mean(self.losses))

    def sentences(self) -> Iterator[str]:
        """Yield one line for each source."""
        sources = {"seeds": self.seeds, "words": self.words, "both": self.both}
        for name, source in sources.items():
            if source is not None:
                interval = f"{source.low:.4f} to {source.high:.4f}"
                yield f"95 % over {name:<6} {interval} (standard error {source.standard_error:.4f})"


def certainty(nll: np.ndarray, sizes: np.ndarray) -> Certainty:
    """Return the mean loss of one configuration over seeds with its uncertainties.

    Args:
        nll: Summed negative log-likelihood of each distinct word for each seed, nats, shape (n, W).
        sizes: Characters of each word, its end and its repeats included, shape (W,).
    """
    losses = mean_losses(nll, sizes)
    several = len(losses) > 1
    return Certainty(
        losses=tuple(losses.tolist()),
        seeds=_over_seeds(losses) if several else None,
        words=_source(over_words(nll, sizes, seed=BOOTSTRAP_SEED)),
        both=_source(over_seeds_and_words(nll, sizes)) if several else None,
    )


def _over_seeds(losses: np.ndarray) -> Source:
    interval = mean_interval(losses)
    error = float(losses.std(ddof=1) / np.sqrt(len(losses)))
    return Source(standard_error=error, low=float(interval.low), high=float(interval.high))


def _source(found: Uncertainty) -> Source:
    return Source(standard_error=float(found.standard_error), low=float(found.low), high=float(found.high))
