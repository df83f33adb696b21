import numpy as np
import pytest

from tests.benchmarks.samplers.judge import (
    better,
    chance_of_winning,
    long_enough,
    mean_ranks,
    median_quantile,
    on_every_task,
    own_ms,
    relative_trials,
    typical_quantile,
    worst_against,
)
from tests.benchmarks.samplers.results import Result
from tests.benchmarks.samplers.simulate import Step


def found(losses: list[float], *, at: int = 10, trials: int = 50) -> list[Result]:
    """One result per loss: 9.0 first, the loss from trial ``at`` on; quantiles are a tenth of losses."""
    return [
        Result(
            "any", seed, trials, 1.0, {10: 0.1, 50: 0.5}, (Step(1, 1, 0.9, 9.0), Step(at, 2, loss / 10, loss))
        )
        for seed, loss in enumerate(losses)
    ]


EQUAL = {"random": found([1.0, 2.0, 3.0]), "good": found([1.0, 2.0, 3.0])}
WON = {"random": found([4.0, 5.0]), "good": found([1.0, 2.0, 3.0])}
MIXED = {"random": found([2.0, 4.0]), "good": found([1.0, 3.0])}


def test_median_quantile_and_its_interval() -> None:
    """The median of 0.1, 0.2 and 0.6; a bootstrap of three seeds spans them all."""
    assert median_quantile(found([1.0, 2.0, 6.0]), 10) == (0.2, 0.1, 0.6)
    assert median_quantile(found([1.0, 2.0, 6.0]), 9).value == 0.9


def test_typical_quantile_is_the_median_over_tasks() -> None:
    """Medians 0.1, 0.2 and 0.7."""
    results = {"a": {"x": found([1.0])}, "b": {"x": found([2.0, 2.0])}, "c": {"x": found([7.0])}}
    assert typical_quantile(results, "x", 10) == (0.2, 0.1, 0.7)


def test_pairs_are_won_lost_or_drawn() -> None:
    """A draw counts half."""
    assert better([1.0, 2.0], [1.0, 3.0]).tolist() == [[0.5, 1.0], [0.0, 1.0]]


def test_chance_of_winning_counts_pairs_of_seeds() -> None:
    """1 beats 2 and 4; 3 beats 4 alone: three of four pairs."""
    assert chance_of_winning(MIXED["good"], MIXED["random"], 10).value == 0.75
    assert chance_of_winning(EQUAL["good"], EQUAL["random"], 10).value == 0.5
    assert chance_of_winning(WON["good"], WON["random"], 10) == (1.0, 1.0, 1.0)


def test_the_worst_task_is_the_one_that_is_won_least() -> None:
    """Level on the first task, ahead on the others."""
    task, chance = worst_against({"e": EQUAL, "w": WON, "m": MIXED}, "good", "random", 10)
    assert (task, chance.value) == ("e", 0.5)
    assert chance.low < 0.5 < chance.high


def test_mean_ranks_by_hand() -> None:
    """Ranks of good: 1.5 when level, 1 when it always wins, 1.25 if the other wins a quarter of pairs."""
    ranks = mean_ranks({"e": EQUAL, "w": WON, "m": MIXED}, 10)
    assert ranks["good"].value == pytest.approx((1.5 + 1 + 1.25) / 3)
    assert ranks["random"].value == pytest.approx((1.5 + 2 + 1.75) / 3)
    assert ranks["good"].low <= ranks["good"].value <= ranks["good"].high


def test_ranks_of_three_add_up() -> None:
    """1, 2 and 3 have the sum 6 on any task, ties or not, in every draw of the bootstrap."""
    draw = np.random.default_rng(0)
    searches = {name: found(draw.integers(4, size=5).astype(float).tolist()) for name in "abc"}
    ranks = mean_ranks({"one": searches}, 10)
    assert sum(rank.value for rank in ranks.values()) == pytest.approx(6)


def test_only_searches_with_all_tasks_and_enough_trials_are_ranked() -> None:
    """One that stopped at 20 trials has no rank after 50; one without a task has none at all."""
    results = {
        "e": {**EQUAL, "short": found([1.0], trials=20), "rare": found([0.0])},
        "w": {**WON, "short": found([1.0], trials=20)},
    }
    assert on_every_task(results) == ["random", "good", "short"]
    assert set(mean_ranks(results, 50)) == {"random", "good"}
    assert set(mean_ranks(results, 20)) == {"random", "good", "short"}
    assert set(long_enough(results, 50)["e"]) == {"random", "good", "rare"}


def test_relative_trials_by_hand() -> None:
    """Targets 2 and 3: reached after 10 and 40 of 50 trials, so the ratio is sqrt(10 * 40) / 50."""
    results = {
        "a": {"ref": found([1.0, 2.0, 3.0]), "quick": found([2.0, 2.0, 2.0], at=10)},
        "b": {"ref": found([3.0]), "quick": found([3.0, 1.0, 1.0], at=40)},
    }
    ratio, missed = relative_trials(results, "quick", "ref", 50)
    assert ratio.value == pytest.approx(20 / 50)
    assert missed == 0


def test_a_target_out_of_reach_costs_one_trial_more_than_there_were() -> None:
    """The task is counted as missed."""
    results = {"a": {"ref": found([1.0]), "slow": found([2.0, 3.0, 1.0])}}
    ratio, missed = relative_trials(results, "slow", "ref", 50)
    assert ratio.value == pytest.approx(51 / 50)
    assert missed == 1


def test_own_time_per_trial() -> None:
    """0.4 s for the 40 trials after the first ten."""
    assert own_ms(found([1.0, 2.0]), 10, 50) == pytest.approx(10)
    assert own_ms(found([1.0]), 0, 10) == pytest.approx(10)
