"""Maintain the in-memory Optuna study that the sampler learns from.

It is rebuilt from the stored records at the start and updated from then on. It differs from the database in
three ways. First, values of the metric are losses, so that lower is better whatever the direction. Second, a
diverged or infeasible trial is complete, with the loss of a model that has learned nothing or a worse one,
because samplers ignore failures and would return to a diverging region. If the trainer does not define that
loss, the worst loss so far is used; before the first loss, the trial is failed. Such a trial is marked with
``HAS_ASSUMED_LOSS``. Third, a study with two objectives reports no rungs, because no pruner applies and
Optuna supports rungs for one objective only.
"""

import math
from collections.abc import Iterable
from typing import Any

from optuna.samplers import BaseSampler
from optuna.trial import Trial, TrialState, create_trial

from sweep.definition.optuna_objects import distribution_of, study_in_memory, suggest
from sweep.definition.records import TrialRecord
from sweep.definition.space import Space
from sweep.metric import MINIMIZE, as_loss
from sweep.samplers.make_samplers import HAS_ASSUMED_LOSS, fixed_point


class Mirror:
    """All trials so far, as an Optuna study."""

    def __init__(
        self,
        space: Space,
        loss_ceiling: float | None,
        trials: Iterable[TrialRecord],
        cost: str | None = None,
        direction: str = MINIMIZE,
    ) -> None:
        """Rebuild the study.

        Args:
            space: The searched hyperparameters.
            loss_ceiling: Value of a model that has learned nothing, in the metric's unit; None if unknown.
            trials: Every stored trial, in the order of their numbers.
            cost: Name of the second objective, or None.
            direction: Direction of the metric.
        """
        self._study = study_in_memory(1 if cost is None else 2)
        self._space = space
        self._distributions = {name: distribution_of(dimension) for name, dimension in space.items()}
        self._cost = cost
        self._direction = direction
        self._worst_loss = -math.inf if loss_ceiling is None else self._loss(loss_ceiling)
        self._worst_cost = 0.0
        self._open: dict[int, Trial] = {}
        self._reported: set[tuple[int, int]] = set()
        for trial in trials:
            self.add(trial)

    def ask(self, number: int, sampler: BaseSampler) -> dict[str, Any]:
        """Start the next trial, and return the parameters that ``sampler`` proposes for it."""
        self._study.sampler = sampler
        trial = self._study.ask()
        params: dict[str, Any] = {}
        for name in self._space.asking_order():
            if self._space.is_active(name, params):
                params[name] = suggest(trial, name, self._distributions[name])
        assert trial.number == number, "the mirror and the database agree"
        self._open[number] = trial
        return {name: params[name] for name in self._space if name in params}

    def _loss(self, value: float) -> float:
        return as_loss(self._direction, value)

    def report(self, number: int, percent: int, dev_loss: float) -> None:
        """Record a running trial's value at a rung; a restarted trial reports again, which is ignored."""
        if self._cost is None and (number, percent) not in self._reported:
            self._reported.add((number, percent))
            self._open[number].report(self._loss(dev_loss), percent)

    def end(self, number: int, state: str, dev_loss: float | None, cost: float | None = None) -> None:
        """End a running trial in one of ``records.STATES``; ``cost`` if the study has one."""
        ended, values = self._seen_as(state, dev_loss, cost)
        trial = self._open.pop(number)
        for key, value in _marks(state).items():
            trial.set_user_attr(key, value)
        self._study.tell(trial, values, ended)

    def follow(self, record: TrialRecord) -> None:
        """Update a running trial with the outcome of its job elsewhere."""
        for percent, loss in record.rungs.items():
            self.report(record.number, percent, loss)
        if record.is_finished:
            cost = None if self._cost is None else record.cost(self._cost)
            self.end(record.number, record.state, record.dev_loss, cost)

    def add(self, record: TrialRecord) -> None:
        """Add a trial that another driver or run stored; it must be the next one by number."""
        if not record.is_finished:
            self.ask(record.number, fixed_point(record.params))
            for percent, loss in record.rungs.items():
                self.report(record.number, percent, loss)
            return
        cost = None if self._cost is None else record.cost(self._cost)
        ended, values = self._seen_as(record.state, record.dev_loss, cost)
        rungs = {percent: self._loss(value) for percent, value in record.rungs.items()}
        rungs = rungs if self._cost is None else {}
        if ended is TrialState.PRUNED and rungs:
            values = list(rungs.values())[-1:]  # as Optuna's tell
        self._study.add_trial(
            create_trial(
                state=ended,
                values=values,
                params=record.params,
                distributions={name: self._distributions[name] for name in record.params},
                intermediate_values=rungs,
                user_attrs=_marks(record.state),
            )
        )

    def _seen_as(
        self, state: str, dev_loss: float | None, cost: float | None
    ) -> tuple[TrialState, list[float] | None]:
        if state == "complete":
            assert dev_loss is not None, "a complete trial has a loss"
            loss = self._loss(dev_loss)
            self._worst_loss = max(self._worst_loss, loss)
            self._worst_cost = max(self._worst_cost, cost or 0)
        elif state in ("diverged", "infeasible") and math.isfinite(self._worst_loss):
            loss = self._worst_loss
            if self._cost == "train_seconds":  # it stopped early, so its time would look short
                cost = max(self._worst_cost, cost or 0)
        else:
            return (
                TrialState.FAIL if state in ("failed", "diverged", "infeasible") else TrialState.PRUNED
            ), None
        return TrialState.COMPLETE, [loss] if cost is None else [loss, cost]


def _marks(state: str) -> dict[str, bool]:
    """Return the attributes of a trial that ended in a state: whether its loss was not measured."""
    return {HAS_ASSUMED_LOSS: True} if state in ("diverged", "infeasible") else {}
