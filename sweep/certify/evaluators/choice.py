"""Which way of evaluating a trainer offers."""

from collections.abc import Sequence
from typing import Protocol

from sweep.certify.evaluators.by_runs import ByRuns
from sweep.certify.evaluators.by_units import ByUnits
from sweep.certify.evaluators.models import Model, Source
from sweep.certify.units.certainty import Certainty
from sweep.task import Config, TestsByRuns, check_has_test


class Evaluator(Protocol):
    """Gets exported models back, and evaluates them on the test part."""

    def check(self) -> None:
        """Refuse what cannot be evaluated here, before anything is recorded; raises ``SweepError``."""

    def model(self, config: Config, exported: float) -> Model:
        """Return a model that came out as exported; raises ``TestSplitError``."""

    def evaluate(self, models: Sequence[Model], units: Sequence[str]) -> Certainty:
        """Return what the models reach on the test part; it is looked at here and nowhere else."""


def evaluator_of(source: Source) -> Evaluator:
    """Return what evaluates the models of a trainer; raises ``TestSplitError`` if it has no test part."""
    check_has_test(source.task)
    if isinstance(source.task, TestsByRuns):
        return ByRuns(source=source)
    return ByUnits(source=source)
