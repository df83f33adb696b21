"""The sampler sees the same study whether it was followed from the start or rebuilt."""

import dataclasses
import math
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from sweep.search.mirror import Mirror
from sweep.search.records import SegmentRecord, TrialRecord
from sweep.search.samplers import SAMPLERS
from sweep.search.space import Space

SPACE: Space = {
    "rate": FloatDistribution(1e-3, 1.0, log=True),
    "width": IntDistribution(4, 64),
    "batch": CategoricalDistribution([16, 32, 64]),
}
CEILING = math.log(27)
ENDS = ["complete", "diverged", "pruned", "complete", "failed", "timeout", "complete"]


def record(number: int, state: str, params: dict[str, Any], rungs: dict[int, float]) -> TrialRecord:
    segments = tuple(
        SegmentRecord(step=percent * 30, percent=percent, dev_loss=loss, seconds=1.0, state_sha256="")
        for percent, loss in rungs.items()
    )
    return TrialRecord(
        number=number,
        state=state,
        params=params,
        seed=number,
        dev_loss=rungs[100] if state == "complete" else None,
        segments=segments,
        reason=None if state == "complete" else state,
        facts={},
        engine="toy",
        device="cpu",
        started=None,
        ended=None,
    )


def rungs_of(number: int, state: str, params: dict[str, Any]) -> dict[int, float]:
    """Losses with one best point; trials that end early stand at fewer rungs, some at none."""
    loss = 2 + abs(math.log10(params["rate"]) + 1) + params["width"] / 100
    percents = {"complete": (10, 30, 90, 100), "timeout": ()}.get(state, (10, 30)[: 1 + number % 2])
    return {percent: loss + 10 / percent for percent in percents}


class Looking(BaseSampler):
    """Remembers what a sampler is shown."""

    def __init__(self) -> None:
        self.seen: list[FrozenTrial] = []

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, Any]:
        self.seen = study.get_trials(deepcopy=True)[:-1]  # all but the one asked for
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, Any]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, name: str, distribution: Any
    ) -> Any:
        return (
            distribution.choices[0] if isinstance(distribution, CategoricalDistribution) else distribution.low
        )


def shown(mirror: Mirror, number: int) -> list[tuple[Any, ...]]:
    """What a sampler is shown when trial ``number`` is asked for."""
    looking = Looking()
    mirror.ask(number, looking)
    return [(t.number, t.state, t.values, t.params, t.intermediate_values) for t in looking.seen]


def follow(name: str, n: int) -> tuple[Mirror, list[TrialRecord]]:
    """Ask, report and end ``n`` trials one after the other, as a run without interruption does."""
    mirror, records = Mirror(SPACE, CEILING, []), []
    for number in range(n):
        params = mirror.ask(number, SAMPLERS[name](SPACE, 0, number))
        state = ENDS[number % len(ENDS)]
        rungs = rungs_of(number, state, params)
        for percent, loss in rungs.items():
            mirror.report(number, percent, loss)
        records.append(record(number, state, params, rungs))
        mirror.end(number, state, records[-1].dev_loss)
    return mirror, records


@pytest.mark.parametrize("name", ["tpe", "random", "qmc"])
def test_a_resumed_mirror_proposes_what_an_undisturbed_one_does(name: str) -> None:
    """Rebuilt after any number of trials, of every state, the next proposals are bitwise the same."""
    _, whole = follow(name, 24)
    for n in (0, 1, 5, 12, 20):
        mirror = Mirror(SPACE, CEILING, whole[:n])
        for number in range(n, 24):
            assert mirror.ask(number, SAMPLERS[name](SPACE, 0, number)) == whole[number].params
            for percent, loss in whole[number].rungs.items():
                mirror.report(number, percent, loss)
            mirror.end(number, whole[number].state, whole[number].dev_loss)


def test_a_rebuilt_mirror_shows_what_a_followed_one_does() -> None:
    """State, value, parameters and rungs of every trial are equal, whichever way they came in."""
    mirror, records = follow("random", 14)
    assert shown(Mirror(SPACE, CEILING, records), 14) == shown(mirror, 14)


@pytest.mark.parametrize("how", ["followed", "rebuilt"])
def test_a_diverged_trial_is_as_bad_as_the_worst(how: str) -> None:
    """It appears as complete at the loss of knowing nothing, or at the worst loss so far if that is worse."""
    ends = [("diverged", None), ("complete", 2.0), ("diverged", None), ("complete", 9.5), ("diverged", None)]
    params = {"rate": 0.1, "width": 8, "batch": 16}
    records = [
        dataclasses.replace(record(number, "diverged", params, {10: 7.0}), state=state, dev_loss=loss)
        for number, (state, loss) in enumerate(ends)
    ]
    mirror = Mirror(SPACE, CEILING, records if how == "rebuilt" else [])
    for number, (state, loss) in enumerate(ends if how == "followed" else []):
        mirror.ask(number, SAMPLERS["random"](SPACE, 0, number))
        mirror.report(number, 10, 7.0)
        mirror.end(number, state, loss)
    seen = shown(mirror, 5)
    assert {state for _, state, *_ in seen} == {TrialState.COMPLETE}
    assert [values for _, _, values, *_ in seen] == [[CEILING], [2.0], [CEILING], [9.5], [9.5]]


@pytest.mark.parametrize("state", ["running", "waiting"])
def test_an_unfinished_trial_runs_and_may_report_its_rungs_again(state: str) -> None:
    """A trial that starts again tells the same losses; they are taken once, and no warning is given."""
    params = {"rate": 0.1, "width": 8, "batch": 16}
    mirror = Mirror(SPACE, CEILING, [record(0, state, params, {10: 3.0})])
    mirror.report(0, 10, 3.0)
    mirror.report(0, 30, 2.5)
    assert shown(mirror, 1) == [(0, TrialState.RUNNING, None, params, {10: 3.0, 30: 2.5})]
    mirror.end(0, "complete", 2.25)
