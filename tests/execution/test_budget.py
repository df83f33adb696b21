"""How much time a run has, and whether another trial fits into it."""

from pathlib import Path

from sweep.execution.budget import Budget
from tests.support.toy_runs import Watcher, run_toy, toy_study


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def known_budget(timeout: float | None, clock: Clock) -> Budget:
    """A budget that has seen three trials of about two seconds for each unit of work."""
    budget = Budget(timeout, clock)
    for work, seconds in ((1.0, 2.0), (10.0, 20.0), (5.0, 50.0)):  # one was slow; the median is not
        budget.learn(work, seconds)
    return budget


def test_a_trial_fits_while_there_is_time_for_it() -> None:
    """Ten units take twenty seconds: they fit into twenty that are left, not into nineteen."""
    clock = Clock()
    budget = known_budget(60.0, clock)
    clock.now = 140.0
    assert budget.fits(10.0)
    clock.now = 141.0
    assert not budget.fits(10.0)
    assert budget.fits(9.0)
    assert not budget.is_over()
    clock.now = 160.1
    assert budget.is_over()


def test_what_is_longer_than_the_whole_timeout_is_begun() -> None:
    """It can only end over several runs, so waiting for more time would be waiting for ever."""
    assert known_budget(60.0, Clock()).fits(31.0)


def test_nothing_is_refused_before_three_trials_or_without_a_timeout() -> None:
    """One slow first trial must not end a run, and where there is no limit everything fits."""
    clock = Clock()
    budget = Budget(60.0, clock)
    budget.learn(1.0, 1_000.0)
    budget.learn(1.0, 1_000.0)
    clock.now = 159.0
    assert budget.fits(1.0)
    assert known_budget(None, clock).fits(1e12)
    assert not known_budget(None, clock).is_over()


def test_a_run_ends_before_a_trial_that_it_could_not_finish(tmp_path: Path) -> None:
    """Trials of 0.04 s for 3,000 steps say that the last one takes 59.96 s of a minute that has begun."""
    quick = [{"x": 0.1 * place, "y": 1, "num_steps": 3_000} for place in range(4)]
    long = {"x": 0.9, "y": 1, "num_steps": 4_497_000}
    spec = toy_study(sampler="listed", trials=5, trial=[*quick, long], timeout="60s")
    watcher = Watcher()
    summary = run_toy(tmp_path, spec, watcher)
    assert summary.stopped_by == "timeout"
    assert [trial.state for trial in summary.study.trials] == ["complete"] * 4
