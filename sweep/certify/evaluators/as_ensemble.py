"""Evaluate models on the test part together, by the mean of their probabilities."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from sweep.certify.ensemble.record import Ensemble
from sweep.certify.evaluators.by_units import ByUnits
from sweep.certify.evaluators.models import Model, Source, check_equal
from sweep.certify.replay import Comparison
from sweep.certify.units.certainty import Certainty, certainty
from sweep.certify.units.uncertainty import distinct_units
from sweep.errors import TestSplitError
from sweep.task import Config, Ensembles


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AsEnsemble:
    """Load the models one by one, and evaluate their ensemble alone."""

    source: Source
    ensemble: Ensemble

    @property
    def _task(self) -> Ensembles:
        task = self.source.task
        if not isinstance(task, Ensembles):
            raise TestSplitError(f"trainer {task.name} cannot combine models; export without --ensemble")
        return task

    def check(self) -> None:
        """Refuse a trainer that cannot combine models."""
        assert self._task.name, "the property refuses it"

    def model(self, config: Config, exported: float) -> Model:
        """Return the stored model, or else train it again; refuse one with another loss."""
        return ByUnits(source=self.source).model(config, exported)

    def compared(self, models: Sequence[Model]) -> tuple[Comparison, ...]:
        """Compare the ensemble on the dev part with the exported one; refuse another value."""
        task = self._task
        losses, sizes = self._losses(models, task.units(self.source.data, "dev"))
        dev = Comparison(
            stored=self.ensemble.value,
            again=float(losses.sum() / sizes.sum()),
            tolerance=task.metric.tolerance,
            seconds=0.0,
            state=b"",
        )
        check_equal(dev, self.source.task)
        return (dev,)

    def evaluate(self, models: Sequence[Model], units: Sequence[str]) -> Certainty:
        """Evaluate the ensemble on the test units."""
        losses, sizes = self._losses(models, units)
        return certainty(losses[None], sizes)

    def _losses(self, models: Sequence[Model], units: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return summed loss and size of each distinct unit with its repeats, both of shape (U,)."""
        task, data = self._task, self.source.data
        distinct, repeats = distinct_units(units)
        configs, states = [m.config for m in models], [m.dev.state for m in models]
        losses = task.ensemble_losses(configs, data, states, distinct)
        return losses * repeats, task.unit_sizes(distinct) * repeats
