"""Choose the way to evaluate a trainer's models."""

from collections.abc import Sequence
from typing import Protocol

from sweep.certify.evaluators.as_ensemble import AsEnsemble
from sweep.certify.evaluators.by_runs import ByRuns
from sweep.certify.evaluators.by_units import ByUnits
from sweep.certify.evaluators.models import Model, Source
from sweep.certify.replay import Comparison
from sweep.certify.units.certainty import Certainty
from sweep.task import Config, TestsByRuns, check_has_test


class Evaluator(Protocol):
    """Restores exported models, and evaluates them on the test part."""

    def check(self) -> None:
        """Check that evaluation is possible, before anything is recorded; raises ``SweepError``."""

    def model(self, config: Config, exported: float) -> Model:
        """Return a model with the exported value; raises ``TestSplitError``."""

    def compared(self, models: Sequence[Model]) -> tuple[Comparison, ...]:
        """Return what is compared with the export before anything is recorded; raises ``TestSplitError``."""

    def evaluate(self, models: Sequence[Model], units: Sequence[str]) -> Certainty:
        """Evaluate the models on the test part; nothing else reads it."""


def evaluator_of(source: Source) -> Evaluator:
    """Return the evaluator of a trainer; raises ``TestSplitError`` if it has no test part."""
    check_has_test(source.task)
    if source.provenance.ensemble is not None:
        return AsEnsemble(source=source, ensemble=source.provenance.ensemble)
    if isinstance(source.task, TestsByRuns):
        return ByRuns(source=source)
    return ByUnits(source=source)
