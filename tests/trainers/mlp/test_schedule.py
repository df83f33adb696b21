"""Learning rates, against values worked out by hand."""

import math

import numpy as np
import pytest

from sweep.trainers.mlp.config import SCHEDULES, TrainConfig
from sweep.trainers.mlp.schedule import SCHEDULE_FUNCTIONS, learning_rates


def rates(**fields: object) -> list[float]:
    config = TrainConfig(**fields)  # type: ignore[arg-type]
    return [round(float(rate), 7) for rate in learning_rates(config, 0, config.num_steps)]


def test_fraction_drops_at_its_share_of_the_steps() -> None:
    """A quarter of eight steps: two at the first rate, six at the final one."""
    assert rates(num_steps=8, decay_at=0.25) == [0.1] * 2 + [0.01] * 6


def test_whole_decay_at_is_an_absolute_step() -> None:
    """From 1 on ``decay_at`` is the first step at the final rate, whatever the budget."""
    assert rates(num_steps=6, decay_at=4.0) == [0.1] * 4 + [0.01] * 2
    assert rates(num_steps=6, decay_at=1.0) == [0.1] + [0.01] * 5


def test_drop_beyond_the_budget_never_comes() -> None:
    """The log's 100,000 leaves a run of 50,000 steps at the first rate."""
    config = TrainConfig(num_steps=50_000, decay_at=100_000.0)
    assert set(learning_rates(config, 0, 50_000).tolist()) == {float(np.float32(0.1))}


@pytest.mark.parametrize(("steps", "decay_at", "high"), [(7, 0.5, 4), (3, 0.1, 1), (10, 0.99, 10)])
def test_fraction_between_two_steps_drops_at_the_next(steps: int, decay_at: float, high: int) -> None:
    """Step s has the first rate while s < decay_at * num_steps."""
    assert rates(num_steps=steps, decay_at=decay_at) == [0.1] * high + [0.01] * (steps - high)


@pytest.mark.parametrize("percent", range(1, 100))
def test_per_cents_of_a_hundred_steps_drop_exactly_there(percent: int) -> None:
    """0.07 of 100 steps is step 7, although 0.07 * 100 is a little above 7 in binary."""
    expected = [0.1] * percent + [0.01] * (100 - percent)
    assert rates(num_steps=100, decay_at=percent / 100) == expected


def test_cosine_starts_at_the_first_rate_and_ends_near_the_final_one() -> None:
    """Step 0 has the first rate, the middle the mean, the step after the last the final one."""
    config = TrainConfig(
        num_steps=1_000, schedule="cosine", learning_rate=0.3, final_learning_rate=0.1, decay_at=0.01
    )
    values = learning_rates(config, 0, 1_000)
    assert values[0] == np.float32(0.3)
    assert values[500] == pytest.approx(0.2, abs=1e-7)
    assert values[250] == pytest.approx(0.2 + 0.1 * math.sqrt(0.5), abs=1e-7)
    assert values[999] == pytest.approx(0.1 + 0.1 * (1 + math.cos(math.pi * 0.999)), abs=1e-7)
    assert (np.diff(values) <= 0).all()
    beyond = SCHEDULE_FUNCTIONS["cosine"](config, np.array([1_000]))
    assert beyond[0] == pytest.approx(0.1, abs=1e-12)


def test_a_run_of_one_step_has_the_first_rate() -> None:
    """One step of a cosine is its start, and half a step is not reached."""
    assert rates(num_steps=1, schedule="cosine") == [0.1]
    assert rates(num_steps=1, decay_at=0.5) == [0.1]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_pieces_of_a_schedule_are_the_whole(schedule: str) -> None:
    """Rates do not depend on where a run is cut; they are float32."""
    config = TrainConfig(num_steps=97, schedule=schedule)
    whole = learning_rates(config, 0, 97)
    pieces = np.concatenate(
        [learning_rates(config, a, b) for a, b in ((0, 13), (13, 13), (13, 50), (50, 97))]
    )
    assert whole.dtype == np.float32
    assert whole.tobytes() == pieces.tobytes()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_warmup_raises_the_rates_of_the_schedule_step_by_step(schedule: str) -> None:
    """A tenth of 40 steps: a quarter, a half, three quarters of the scheduled rates, then all of them."""
    plain, warm = (
        learning_rates(TrainConfig(num_steps=40, schedule=schedule, warmup=warmup), 0, 40)
        for warmup in (0.0, 0.1)
    )
    np.testing.assert_allclose(warm[:4], plain[:4] * [0.25, 0.5, 0.75, 1], rtol=1e-6)
    assert warm[4:].tobytes() == plain[4:].tobytes()


def test_a_warmup_does_not_depend_on_where_a_run_is_cut() -> None:
    """And one that is shorter than a step changes nothing."""
    config = TrainConfig(num_steps=97, warmup=0.33, schedule="cosine")
    pieces = [learning_rates(config, a, b) for a, b in ((0, 13), (13, 50), (50, 97))]
    assert np.concatenate(pieces).tobytes() == learning_rates(config, 0, 97).tobytes()
    short, none = (learning_rates(config.replace(warmup=w), 0, 97) for w in (0.01, 0.0))
    assert short.tobytes() == none.tobytes()


def test_every_schedule_has_a_function() -> None:
    """What a configuration may name can be computed."""
    assert set(SCHEDULE_FUNCTIONS) == set(SCHEDULES)
