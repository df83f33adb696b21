"""The race: its rule by hand, its resumption, and how often it keeps the best one."""

import numpy as np
import pytest
from scipy.special import stdtrit

from sweep.certify.statistics.racing import Elimination, RaceState, race
from sweep.certify.statistics.selection import tied_set
from tests.support.simulated_losses import at_least, simulated_losses

DELTA = 0.003
TWO = {7: [2.00, 2.01, 2.00, 2.01, 2.00], 3: [2.05, 2.03, 2.06, 2.04, 2.05]}


def widths(losses: dict[int, list[float]], rounds: int, delta: float = 0.003, alpha: float = 0.05) -> float:
    """Half of the paper's continuation region for two configurations, step by step."""
    eta = ((2 * alpha) ** (-2 / 4) - 1) / 2
    h2 = 2 * eta * 4
    variance = np.var(np.subtract(losses[7][:5], losses[3][:5]), ddof=1)
    return float(max(0.0, delta / (2 * rounds) * (h2 * variance / delta**2 - rounds)))


def followed_by(rounds: int, difference: float) -> dict[int, list[float]]:
    """The two configurations, and then as many further rounds at one difference."""
    return {7: TWO[7] + [2.0] * rounds, 3: TWO[3] + [2.0 + difference] * rounds}


class TestRule:
    def test_one_leaves_where_the_difference_first_exceeds_the_width(self) -> None:
        """The round of the elimination is the one that the paper's formula gives by hand."""
        losses = followed_by(60, 0.01)
        differences = np.subtract(losses[3], losses[7])
        expected = next(r for r in range(5, 66) if differences[:r].mean() > widths(losses, r))
        assert 5 < expected < 65
        state = race(losses, most_rounds=65, delta=DELTA)
        assert state == RaceState(
            rounds=expected,
            alive=(7,),
            eliminated={3: Elimination(expected, 7)},
            is_over=True,
        )

    def test_nothing_is_judged_before_the_first_rounds_are_complete(self) -> None:
        """With a loss missing among the first five rounds, all go on."""
        state = race({**TWO, 3: TWO[3][:4]}, most_rounds=20, delta=DELTA)
        assert (state.rounds, state.alive, state.is_over) == (0, (7, 3), False)

    def test_a_race_goes_on_round_by_round(self) -> None:
        """Replaying all rounds ends as stopping after each of them; what ran ahead is not looked at."""
        draws = simulated_losses(np.linspace(0, 0.03, 5), np.full(5, 0.005), 0.5, 30, 20)
        for losses in draws.tolist():
            whole = race(dict(enumerate(losses)), most_rounds=30, delta=DELTA)
            done = {i: values[:5] for i, values in enumerate(losses)}
            while not (state := race(done, most_rounds=30, delta=DELTA)).is_over:
                assert state.rounds == len(done[state.alive[0]])
                for i in state.alive:
                    done[i] = losses[i][: state.rounds + 1]
            assert state == whole

    def test_survivors_at_the_end_are_several(self) -> None:
        """Two that are alike are both alive when the rounds are used up."""
        state = race(followed_by(5, 0.0), most_rounds=10, delta=DELTA)
        assert (state.rounds, state.alive, state.is_over) == (10, (7, 3), True)

    def test_one_configuration_has_won(self) -> None:
        """A race of one is over before it starts."""
        assert race({4: []}, most_rounds=5, delta=DELTA).alive == (4,)
        assert race({4: []}, most_rounds=5, delta=DELTA).is_over

    def test_equal_losses_never_part(self) -> None:
        """Two that are the same to the last digit are tied for ever."""
        assert race({0: [2.0] * 9, 1: [2.0] * 9}, most_rounds=9, delta=DELTA).alive == (0, 1)

    def test_loss_that_is_not_finite_is_refused(self) -> None:
        """A diverged configuration has no mean."""
        with pytest.raises(AssertionError):
            race({0: [2.0] * 5, 1: [2.0] * 4 + [float("nan")]}, most_rounds=9, delta=DELTA)


def one_ahead(k: int, lead: float) -> np.ndarray:
    return np.where(np.arange(k), lead, 0.0)


def survivors_of_plain_dropping(draws: np.ndarray) -> np.ndarray:
    """Drop, after each seed from the second, whatever is worse than another by a 95 % test."""
    alive = np.ones(draws.shape[:2], dtype=bool)
    for n in range(2, draws.shape[2] + 1):
        paired = draws[:, :, None, :n] - draws[:, None, :, :n]
        margin = stdtrit(n - 1, 0.95) * paired.std(axis=3, ddof=1) / np.sqrt(n)
        alive &= ~((paired.mean(axis=3) > margin) & alive[:, None, :]).any(axis=2)
    return alive


class TestSimulation:
    @pytest.mark.parametrize(
        ("k", "sds", "correlation"),
        [
            (2, np.full(2, 0.005), 0.0),
            (2, np.array([0.01, 0.001]), 0.5),
            (5, np.full(5, 0.005), 0.0),
            (5, np.geomspace(0.001, 0.01, 5), 0.9),
            (10, np.geomspace(0.01, 0.001, 10), 0.9),
        ],
    )
    def test_best_by_delta_is_kept(self, k: int, sds: np.ndarray, correlation: float) -> None:
        """At least 95 times in a hundred, but for a binomial margin of 3.1 standard errors."""
        draws = simulated_losses(one_ahead(k, 0.003), sds, correlation, 40, 400)
        kept = [0 in race(dict(enumerate(losses)), most_rounds=40, delta=DELTA).alive for losses in draws]
        assert np.mean(kept) >= at_least(0.95, 400)

    def test_best_is_kept_by_race_and_comparison_together(self) -> None:
        """A race at 2.5 % and then the tied set of its survivors at 2.5 % keep it in 95 %."""
        draws = simulated_losses(one_ahead(5, 0.003), np.geomspace(0.001, 0.01, 5), 0.5, 15, 400)
        kept = []
        for losses in draws:
            alive = race(dict(enumerate(losses)), most_rounds=15, delta=DELTA, alpha=0.025).alive
            tied = tied_set(losses[list(alive)], 0.025 * (len(alive) - 1) / 4) if len(alive) > 1 else [True]
            kept.append(0 in alive and tied[0])
        assert np.mean(kept) >= at_least(0.95, 400)

    def test_plain_dropping_loses_the_best_one(self) -> None:
        """Of ten equal ones it drops a given one, which may be the best by a hair, in more than half."""
        draws = simulated_losses(np.zeros(10), np.full(10, 0.005), 0.0, 20, 400)
        assert survivors_of_plain_dropping(draws)[:, 0].mean() < 0.5

    def test_plain_dropping_loses_the_best_by_delta_where_the_race_keeps_it(self) -> None:
        """On the same losses, one ahead by delta: dropped in more than 15 %, and in less than 5 %."""
        draws = simulated_losses(one_ahead(10, 0.003), np.full(10, 0.005), 0.0, 20, 400)
        kept = [0 in race(dict(enumerate(losses)), most_rounds=20, delta=DELTA).alive for losses in draws]
        assert survivors_of_plain_dropping(draws)[:, 0].mean() < 0.85
        assert np.mean(kept) >= at_least(0.95, 400)
