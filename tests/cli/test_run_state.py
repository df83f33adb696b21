"""Where a running sweep stands: from made-up events and a clock that the test turns."""

import pytest

from sweep.cli.run_state import BEST, WINDOW_S, RunState
from sweep.execution.events import TrialEnded, TrialStarted, Warned
from sweep.trainers.mlp.trainer import MLP
from tests.support.run_events import Clock, begin, outlook, started, stored
from tests.support.study_records import trial


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock: Clock) -> RunState:
    """A run of ten trials on two workers, in which trial 0 began."""
    state = RunState(MLP.metric, clock)
    state.take(started())
    state.take(begin(0))
    return state


def test_progress_between_segments_follows_the_rate_and_stays_within_the_segment(
    state: RunState, clock: Clock
) -> None:
    """A 50,000-step trial is cut at 5,000 and 15,000: after 2 s a 1,000-step second counts, up to 15,000."""
    (row,) = state.training()
    assert state.step_of(row) == 0
    clock.now += 5
    state.take(stored(0, 5_000, seconds=5.0))
    assert state.step_of(row) == 5_000
    clock.now += 2
    assert state.step_of(row) == 7_000
    clock.now += 1_000
    assert state.step_of(row) == 14_999
    state.take(stored(0, 15_000, seconds=10.0))
    assert state.step_of(row) == 15_000


def test_a_trial_without_a_segment_goes_at_the_usual_rate(state: RunState, clock: Clock) -> None:
    """Before its own first segment a trial is taken to be as fast as the others, up to its first rung."""
    state.take(begin(1))
    clock.now += 5
    state.take(stored(0, 5_000, seconds=5.0))
    second = state.training()[1]
    assert state.step_of(second) == 4_999
    assert state.steps_per_s() == pytest.approx(2_000)  # two workers, 1,000 each


def test_progress_never_goes_back(state: RunState, clock: Clock) -> None:
    """Over a whole trial, whatever its rate does, steps and the share of the run only grow."""
    seen, shares = [], []
    for step, seconds in [(5_000, 1.0), (15_000, 9.0), (30_000, 2.0), (45_000, 20.0), (50_000, 0.5)]:
        for _ in range(4):
            clock.now += seconds / 4
            seen.append(state.step_of(state.training()[0]))
            shares.append(state.share_done())
        state.take(stored(0, step, seconds=seconds))
    state.take(TrialEnded(trial=trial(0, 2.1), done=1, total=10))
    shares.append(state.share_done())
    assert seen == sorted(seen)
    assert shares == sorted(shares)
    assert shares[-1] == 0.1


def test_what_remains_counts_the_trials_to_come_and_the_rests(clock: Clock) -> None:
    """Trials take 20 s each. Seven come, half of one remains, on two workers: about 4 * 20 s."""
    state = RunState(MLP.metric, clock)
    state.take(started(outlook=outlook()))
    assert state.remaining_s() is None
    state.take(begin(0))
    assert state.remaining_s() is None  # nothing says how long it takes
    clock.now += 20
    state.take(TrialEnded(trial=trial(0, 2.1, seconds=20.0), done=1, total=10))
    state.take(TrialEnded(trial=trial(1, 2.1, seconds=20.0), done=2, total=10))
    state.take(begin(2))
    clock.now += 10
    state.take(stored(2, 25_000, seconds=10.0))
    remains = state.remaining_s()
    assert remains is not None
    low, high = remains
    assert low < 80 < high
    assert high / low < 3


def test_what_remains_shrinks_with_the_clock_between_two_predictions(clock: Clock) -> None:
    """Half a second later both ends are half a second nearer."""
    state = RunState(MLP.metric, clock)
    state.take(started(outlook=outlook(), done=2, finished=(trial(0, 2.1), trial(1, 2.1))))
    first = state.remaining_s()
    clock.now += 0.5
    second = state.remaining_s()
    assert first is not None
    assert second == pytest.approx([end - 0.5 for end in first])


def test_what_remains_is_at_least_the_longest_rest(clock: Clock) -> None:
    """One trial is left and cannot be shared between the workers: 45 s at 1,000 steps a second."""
    state = RunState(MLP.metric, clock)
    state.take(started(done=9, outlook=outlook()))
    state.take(begin(9))
    clock.now += 1
    state.take(stored(9, 5_000, seconds=5.0))
    assert state.remaining_s() == pytest.approx((45, 45), rel=0.1)


def test_what_remains_ends_with_the_timeout(clock: Clock) -> None:
    """A run that stops after 60 s has at most what is left of them."""
    state = RunState(MLP.metric, clock)
    finished = (trial(0, 2.0, seconds=500.0),)
    state.take(started(timeout=60.0, finished=finished, done=1, outlook=outlook()))
    clock.now += 50
    assert state.remaining_s() == (pytest.approx(10), pytest.approx(10))
    clock.now += 50
    assert state.remaining_s() == (0, 0)


def test_a_run_that_nobody_predicts_has_no_time_left(state: RunState) -> None:
    """Without an outlook nothing is said."""
    state.take(TrialEnded(trial=trial(0, 2.1), done=1, total=10))
    assert state.remaining_s() is None


def test_the_rate_is_that_of_the_last_minute(state: RunState, clock: Clock) -> None:
    """A slow segment is forgotten once it is older than the window."""
    state.take(stored(0, 5_000, seconds=100.0))
    assert state.steps_per_s() == pytest.approx(50)
    clock.now += WINDOW_S + 1
    state.take(stored(0, 15_000, seconds=10.0))
    assert state.steps_per_s() == pytest.approx(1_000)


def test_the_best_include_those_of_earlier_runs(clock: Clock) -> None:
    """Five, lowest loss first; ties by number; what has no loss is never among them."""
    state = RunState(MLP.metric, clock)
    finished = (trial(0, 2.5), trial(1, 2.2), trial(2, state="diverged"))
    state.take(started(done=3, finished=finished))
    for number, loss in [(3, 2.2), (4, 2.4), (5, 2.1), (6, 2.9), (7, 2.8)]:
        state.take(TrialEnded(trial=trial(number, loss), done=number + 1, total=10))
    assert [t.number for t in state.best] == [5, 1, 3, 4, 0]
    assert len(state.best) == BEST
    assert [t.number for t in state.recent] == [7, 6, 5, 4, 3]


def test_a_further_round_goes_on_where_the_last_one_stood(state: RunState, clock: Clock) -> None:
    """A confirmation is one run a round: none of the best is counted twice, and the time goes on."""
    state.take(TrialEnded(trial=trial(0, 2.0), done=1, total=2))
    clock.now += 30
    state.take(started(done=1, total=4, workers=1, finished=(trial(0, 2.0),)))
    assert [t.number for t in state.best] == [0]
    assert state.elapsed_s() == 30
    assert state.workers == [None]


def test_a_worker_takes_its_next_trial_in_its_own_row(state: RunState) -> None:
    """What ends leaves its place, and the next trial takes it; the others stay where they are."""
    state.take(begin(1))
    state.take(TrialEnded(trial=trial(0, 2.0), done=1, total=10))
    assert [row and row.trial.number for row in state.workers] == [None, 1]
    state.take(begin(2))
    assert [row and row.trial.number for row in state.workers] == [2, 1]


def test_a_trial_that_goes_on_starts_where_it_was_stored(state: RunState) -> None:
    """A resumed trial shows its steps and its last loss at once."""
    record = trial(1, state="running")
    state.take(TrialStarted(trial=record, from_step=15_000, num_steps=50_000))
    row = state.training()[1]
    assert state.step_of(row) == 15_000
    assert row.dev_loss == record.segments[-1].dev_loss


def test_a_trial_that_starts_again_starts_at_nothing(state: RunState) -> None:
    """Its stored rungs are of another attempt: no step is done, no loss is known, no second is spent."""
    record = trial(1, state="running")
    assert record.train_seconds > 0
    state.take(TrialStarted(trial=record, from_step=0, num_steps=50_000, restart="starts again"))
    row = state.training()[1]
    assert (state.step_of(row), row.dev_loss, row.spent) == (0, None, 0.0)


def test_warnings_are_kept(state: RunState) -> None:
    """They are shown while the run goes on, and told after it."""
    state.take(Warned(text="the worker of trial 0 died"))
    assert state.warnings == ["the worker of trial 0 died"]
