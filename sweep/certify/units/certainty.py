"""Compute the uncertainty of a mean loss over seeds and units.

The mean is uncertain in two ways: other seeds would give other models, and other units of the same kind would
give another loss. The second is larger, and more seeds do not reduce it.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from sweep.certify.statistics.selection import mean_interval
from sweep.certify.units.uncertainty import Uncertainty, mean_losses, over_seeds_and_units, over_units

BOOTSTRAP_SEED = 0
"""Seed of the resamples."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The uncertainty from one source, in the metric's unit."""

    standard_error: float
    low: float
    high: float
    """95 % interval for the mean loss."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Certainty:
    """A mean loss over seeds, and its uncertainty."""

    losses: tuple[float, ...]
    """Loss on each seed, in the metric's unit."""
    seeds: Source | None
    """Uncertainty over seeds, with these units; None for one seed, or if the seed makes no difference."""
    units: Source | None
    """Uncertainty over units, with these seeds; None if the losses of the units are unknown."""
    both: Source | None

    @property
    def mean(self) -> float:
        """Mean loss over the seeds."""
        return float(np.mean(self.losses))

    def sentences(self, unit: str) -> Iterator[str]:
        """Yield one line for each source; ``unit`` is the name of a unit."""
        sources = {"seeds": self.seeds, f"{unit}s": self.units, "both": self.both}
        width = max(6, *map(len, sources))
        for name, source in sources.items():
            if source is not None:
                interval = f"{source.low:.4f} to {source.high:.4f}"
                yield f"95 % over {name:<{width}} {interval} (standard error {source.standard_error:.4f})"


def certainty(losses: np.ndarray, sizes: np.ndarray) -> Certainty:
    """Return the mean loss of one configuration over seeds with its uncertainties.

    Args:
        losses: Summed loss of each distinct unit for each seed, shape (n, U).
        sizes: Size of each unit, including its repeats, shape (U,).
    """
    means = mean_losses(losses, sizes)
    several = len(means) > 1
    return Certainty(
        losses=tuple(means.tolist()),
        seeds=_over_seeds(means) if several else None,
        units=_source(over_units(losses, sizes, seed=BOOTSTRAP_SEED)),
        both=_source(over_seeds_and_units(losses, sizes)) if several else None,
    )


def certainty_over_seeds(values: Sequence[float]) -> Certainty:
    """Return the mean value of one configuration over seeds, if the losses of units are unknown.

    Equal values show that the seed makes no difference: there is no interval over seeds.
    """
    seeds = _over_seeds(np.array(values)) if len(set(values)) > 1 else None
    return Certainty(losses=tuple(values), seeds=seeds, units=None, both=None)


def _over_seeds(losses: np.ndarray) -> Source:
    interval = mean_interval(losses)
    error = float(losses.std(ddof=1) / np.sqrt(len(losses)))
    return Source(standard_error=error, low=float(interval.low), high=float(interval.high))


def _source(found: Uncertainty) -> Source:
    return Source(standard_error=float(found.standard_error), low=float(found.low), high=float(found.high))
