"""What a study would cost: times, sizes and simulated runs against hand computations."""

from typing import Any

import pytest

from sweep.definition.registries import SAMPLERS
from sweep.execution.planning.study_plan import StudyPlan, plan_study
from sweep.execution.planning.timing import POINTS
from sweep.execution.planning.wall_clock import ends
from tests.support.toy_runs import toy_study
from tests.support.toy_task import TOY


def plan(workers: int = 2, done: int = 0, **changes: Any) -> StudyPlan:
    spec = toy_study(**changes)
    return plan_study(TOY, spec, TOY.load_data(spec.data), workers=workers, device="cpu", done=done)


def test_workers_take_the_next_trial_when_they_are_free() -> None:
    """Durations 3, 1, 1, 5 on two workers end at 3, 1, 2 and 7."""
    assert ends([3, 1, 1, 5], 2) == [3, 1, 2, 7]


def test_equal_trials_take_their_number_times_their_seconds() -> None:
    """A toy's segment takes 0.01 s and its trial has 4 segments: 10 trials on 2 workers take 0.2 s."""
    planned = plan(trials=12, done=2, timeout="0.09s")
    assert [t.seconds for t in planned.timings] == pytest.approx([0.04] * POINTS, rel=1e-3)
    wall = planned.wall_seconds
    assert (wall.low, wall.middle, wall.high) == pytest.approx((0.2, 0.2, 0.2), rel=1e-3)
    assert (planned.study.trials, planned.study.left, planned.fit) == (12, 10, 4)
    assert planned.disk_bytes > 0


def test_the_space_is_described_and_counted() -> None:
    """A condition divides the grid; a range of fractions makes it continuous."""
    y = {"low": 1, "high": 3, "step": 1, "when": {"conduct": "learn"}}
    conduct = {"choices": ["learn", "sleep"]}
    planned = plan(search={"y": y, "conduct": conduct}, sampler="grid", trials=3)
    assert planned.study.size == 4
    assert [(k.name, k.values, k.when) for k in planned.study.knobs] == [
        ("y", 3, "conduct = 'learn'"),
        ("conduct", 2, ""),
    ]
    assert len(planned.timings) == 4
    assert plan().study.size is None


def test_the_same_configurations_are_timed_each_time() -> None:
    """And they lie apart from each other."""
    one, two = ([t.params for t in plan().timings] for _ in range(2))
    assert one == two
    assert len({tuple(params.values()) for params in one}) == POINTS


def test_a_list_that_is_timed_whole_has_no_spread() -> None:
    """Three trials of 1, 4 and 4 segments (a short trial is one), 0.01 s each, on one worker."""
    trials = [{"num_steps": steps} for steps in (1_000, 3_000, 4_000)]
    planned = plan(workers=1, sampler="listed", trial=trials, trials=3)
    wall = planned.wall_seconds
    assert wall.low == wall.high == pytest.approx(0.09, rel=1e-3)
    assert (planned.study.size, planned.study.knobs[0].values, planned.study.knobs[0].dimension.low) == (
        3,
        3,
        1_000,
    )


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_sampler_that_learns_may_turn_to_the_longest(sampler: str) -> None:
    """Three trials on two workers end after two of the longest, 0.04 s each; others choose nothing."""
    trial = [{"num_steps": steps} for steps in (1_000, 3_000, 4_000)]
    search = {"y": {"low": 1, "high": 3, "step": 1}}
    planned = plan(
        sampler=sampler, trials=3, **({"trial": trial} if sampler == "listed" else {"search": search})
    )
    learns = sampler in ("tpe", "gp", "gp_cost")
    assert planned.longest_wall_seconds == (pytest.approx(0.08, rel=1e-3) if learns else None)


def test_trials_beyond_their_timeout_and_a_finished_study_are_told() -> None:
    """Nothing left takes no time; what would be given up is counted."""
    assert plan(trial_timeout="0.03s").too_long == POINTS
    finished = plan(trials=3, done=3)
    assert (finished.study.left, finished.wall_seconds.high, finished.fit) == (0, 0.0, 0)
