"""Evaluate models on the test part unit by unit, in this process."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from sweep.certify.evaluators.models import Model, Source, check_equal
from sweep.certify.replay import Comparison
from sweep.certify.units.certainty import Certainty, certainty
from sweep.certify.units.uncertainty import distinct_units
from sweep.certify.weights import kept_weights
from sweep.errors import TestSplitError
from sweep.task import AnyTask, Config, HeldOut, check_weights


def held_out(task: AnyTask) -> HeldOut:
    """Return the trainer if it holds out a test part.

    Raises:
        TestSplitError: If it does not.
    """
    if not isinstance(task, HeldOut):
        raise TestSplitError(f"trainer {task.name} has no test split, so there is nothing to test on")
    return task


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ByUnits:
    """Load models from stored weights, and evaluate them on test units."""

    source: Source

    def check(self) -> None:
        """Do nothing: the trainer itself evaluates the models."""

    def model(self, config: Config, exported: float) -> Model:
        """Return the stored model, or else train it again; refuse one with another loss."""
        source, task = self.source, self.source.task
        state = kept_weights(task, config, exported, source.provenance.study, source.database)
        dev = source.train(config, exported) if state is None else self._compare(config, exported, state)
        check_equal(dev, task)
        check_weights(task, dev.state)
        return Model(config=config, dev=dev)

    def compared(self, models: Sequence[Model]) -> tuple[Comparison, ...]:
        """Return the comparison of each model."""
        return tuple(model.dev for model in models)

    def evaluate(self, models: Sequence[Model], units: Sequence[str]) -> Certainty:
        """Evaluate the models on the test units."""
        task, data = held_out(self.source.task), self.source.data
        distinct, repeats = distinct_units(units)
        losses = np.array([task.unit_losses(m.config, data, m.dev.state, distinct) for m in models])
        return certainty(losses * repeats, task.unit_sizes(distinct) * repeats)

    def _compare(self, config: Config, exported: float, state: bytes) -> Comparison:
        task, data = held_out(self.source.task), self.source.data
        again = task.units_loss(config, data, state, task.units(data, "dev"))
        tolerance = self.source.task.metric.tolerance
        return Comparison(stored=exported, again=again, tolerance=tolerance, seconds=0.0, state=state)
