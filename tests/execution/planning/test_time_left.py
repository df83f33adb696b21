"""How long a run still takes: hand computations, and studies whose seconds follow a law."""

from typing import Any

import numpy as np
import pytest

from sweep.definition.dimension import Choices, Range
from sweep.definition.records import SegmentRecord
from sweep.definition.space import Space
from sweep.definition.spec import StudySpec
from sweep.execution.events import InTraining, Standing
from sweep.execution.planning.time_left import Prediction, rehearsed_runs
from sweep.values import Params
from tests.support.study_records import trial

SPACE = Space({"steps": Range(10, 1_000, log=True), "rate": Range(0.0, 1.0)})


def spec(**changes: Any) -> StudySpec:
    values = {"name": "s", "objectives": ("loss",), "data": {}, "fixed": {}, "space": SPACE, "trials": 40}
    return StudySpec(**{**values, "sampler": "random", **changes})


def work(params: Params) -> float:
    return float(params["steps"])


def ended(number: int, steps: int, loss: float = 2.0, **changes: Any) -> Any:
    """A trial that takes a tenth of a second a step."""
    values = {"params": {"steps": steps, "rate": number % 7 / 7}, "seconds": steps / 10, **changes}
    return trial(number, loss, **values)


def at(ended: Any, training: Any, numbers: range, workers: int, overhead: float = 0.0) -> Standing:
    return Standing(ended=ended, training=training, numbers=numbers, workers=workers, overhead=overhead)


def test_nothing_is_known_before_a_trial_has_ended_or_has_a_speed() -> None:
    """A run that has just begun is silent."""
    waiting = InTraining(params={"steps": 50, "rate": 0.5}, spent=3.0, total=None)
    assert Prediction(spec(), work).seconds_left(at((), [waiting], range(1, 40), 2)) is None


def test_draws_of_known_work_give_a_narrow_range() -> None:
    """The configurations to come are known, so their seconds add up to the truth."""
    study = spec()
    outlook = Prediction(study, work)
    known = [ended(number, steps) for number, steps in enumerate((10, 30, 100, 20, 50, 15))]
    coming = outlook._known_ones(range(6, 40))
    truth = sum(params["steps"] / 10 for params in coming) / 2
    low, high = outlook.seconds_left(at(known, [], range(6, 40), 2)) or (0, 0)
    assert low < truth < high
    assert high / low < 2


def test_a_trial_in_training_takes_what_its_speed_says() -> None:
    """100 s in all, 60 of them spent: 40 s, though the other worker is free."""
    running = InTraining(params={"steps": 500, "rate": 0.5}, spent=60.0, total=100.0)
    found = Prediction(spec(), work).seconds_left(at([ended(0, 20)], [running], range(40, 40), 2))
    assert found == pytest.approx((40, 40), rel=0.06)


def test_pauses_between_trials_count() -> None:
    """Thirty trials of about 2 s on one worker, and 5 s between two: 150 s more."""
    study = spec(space=Space({"rate": Range(0.0, 1.0)}), trials=34)
    known = [trial(number, 2.0, params={"rate": number / 4}, seconds=2.0) for number in range(4)]
    plain, paused = (
        Prediction(study, lambda params: 1.0).seconds_left(at(known, [], range(4, 34), 1, pause))
        for pause in (0.0, 5.0)
    )
    assert plain is not None
    assert paused is not None
    assert np.array(paused) - plain == pytest.approx((150, 150), rel=0.1)


def test_trials_that_are_pruned_take_their_share() -> None:
    """All so far were stopped at 10 % of 100 s: those to come take some 10 s each."""
    segment = SegmentRecord(step=1, percent=10, dev_loss=2.0, seconds=10.0, state_sha256="")
    study = spec(space=Space({"rate": Range(0.0, 1.0)}), pruner="median", sampler="tpe")
    known = [
        trial(number, None, state="pruned", params={"rate": number / 8}, segments=(segment,))
        for number in range(8)
    ]
    low, high = Prediction(study, lambda params: 1.0).seconds_left(at(known, [], range(8, 18), 1)) or (0, 0)
    assert 60 < low < 100 < high < 160


@pytest.mark.parametrize("sampler", ["tpe", "gp_cost"])
def test_a_sampler_that_began_cheap_is_not_taken_to_stay_there(sampler: str) -> None:
    """Cheap trials so far, and the expensive part of the space is the better one: the range reaches it."""
    study = spec(sampler=sampler)
    known = [
        ended(number, steps, loss=3.0 - steps / 1_000)
        for number, steps in enumerate((10, 12, 20, 15, 11, 30, 60, 90))
    ]
    found = Prediction(study, work, time_share=1.0).seconds_left(at(known, [], range(8, 40), 2))
    assert found is not None
    naive = 32 * np.mean([trial.train_seconds for trial in known]) / 2
    assert found[1] > 2 * naive


def test_a_plan_rehearses_whole_runs() -> None:
    """Each run has the trials that are left, and its seconds are those of configurations of the space."""
    timed = [({"steps": steps, "rate": 0.5}, steps / 10) for steps in (10, 30, 100, 300, 1_000)]
    runs = list(rehearsed_runs(spec(sampler="gp_cost", trials=12), work, timed, 10, 1_000))
    assert {len(run) for run in runs} == {10}
    assert 0.01 < min(map(min, runs)) < max(map(max, runs)) < 10_000


@pytest.mark.parametrize("sampler", ["grid", "random", "tpe"])
@pytest.mark.parametrize("to_come", [3, 2, 7])
def test_retries_take_the_seconds_of_their_configurations(sampler: str, to_come: int) -> None:
    """They come after the study's own trials, whose numbers a grid has no cells beyond."""
    space = Space({"steps": Choices((100, 200, 300, 400))})
    retried = {n: {"steps": 400} for n in (0, 1, 2)}
    study = spec(space=space, trials=4, sampler=sampler, retried=retried)
    known = [trial(n, 2.0, params={"steps": 100 + 100 * n}, seconds=10.0 + 10 * n) for n in range(4)]
    ended = known[: min(4, 7 - to_come)]
    found = Prediction(study, work).seconds_left(at(ended, [], range(7 - to_come, 7), 1)) if ended else None
    if to_come == 3:
        assert found is not None
        assert found[0] <= 120 <= found[1] * 1.05
    else:
        assert (found is None) == (not ended)
