"""Which configuration is best: by hand, against scipy, and by simulation with known means."""

import numpy as np
import pytest
import scipy

from sweep.certify.statistics.selection import choose, critical_value, mcb_intervals, mean_interval, tied_set
from tests.support.simulated_losses import at_least, simulated_losses

REPEATS = 2_000


def block(*rows: list[float]) -> np.ndarray:
    return np.array(rows)


class TestByHand:
    def test_mean_interval_is_scipys(self) -> None:
        """Student's interval of each row."""
        losses = np.random.default_rng(0).normal(2.1, 0.01, (3, 5))
        low, high = mean_interval(losses, 0.1)
        for row, *ends in zip(losses, low, high, strict=True):
            assert ends == pytest.approx(scipy.stats.t.interval(0.9, 4, row.mean(), scipy.stats.sem(row)))

    def test_two_configurations_are_a_paired_one_sided_t_test(self) -> None:
        """With k = 2, who leaves the tied set is who is worse by scipy's paired test at 5 %."""
        draws = simulated_losses(np.array([2.0, 2.004]), np.array([0.004, 0.004]), 0.3, 6, 300)
        worse = scipy.stats.ttest_rel(draws[:, 1], draws[:, 0], axis=1, alternative="greater").pvalue < 0.05
        assert worse.any()
        assert not worse.all()
        np.testing.assert_array_equal(~tied_set(draws)[:, 1], worse)

    def test_intervals_of_two_are_worked_out(self) -> None:
        """Differences 1, 2, 3: mean 2, margin 2.92 / sqrt(3); each one's interval ends at 0 or holds it."""
        low, high = mcb_intervals(block([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]))
        margin = scipy.stats.t.ppf(0.95, 2) / np.sqrt(3)
        assert low == pytest.approx([-2 - margin, 0.0])
        assert high == pytest.approx([0.0, 2 + margin])

    def test_upper_ends_look_at_tied_ones_alone(self) -> None:
        """A hopeless configuration with a huge spread does not widen the others' intervals."""
        good = block([1.0, 1.1, 1.2, 1.3, 1.4], [1.1, 1.1, 1.3, 1.2, 1.5])
        hopeless = np.array([[90.0, 110.0, 95.0, 105.0, 100.0]])
        high = mcb_intervals(np.concatenate([good, hopeless])).high[:2]
        difference = good[1] - good[0]
        margin = critical_value(3, 5) * scipy.stats.sem(difference)
        assert high == pytest.approx([margin - difference.mean(), margin + difference.mean()])

    def test_the_tied_are_those_whose_interval_goes_below_zero(self) -> None:
        """Screen and intervals rest on the same comparisons, and each interval holds its estimate."""
        draws = simulated_losses(np.array([0.0, 0.0, 0.01, 0.03]), np.full(4, 0.01), 0.5, 5, 500)
        low, high = mcb_intervals(draws)
        np.testing.assert_array_equal(tied_set(draws), low < 0)
        means = draws.mean(axis=2)
        best_other = np.stack([np.delete(means, i, axis=1).min(axis=1) for i in range(4)], axis=1)
        assert (low <= means - best_other).all()
        assert (means - best_other <= high).all()

    def test_one_configuration_is_tied_with_itself(self) -> None:
        """Alone it is the best, by nothing."""
        alone = block([2.0, 2.1])
        assert tied_set(alone).tolist() == [True]
        assert [end.tolist() for end in mcb_intervals(alone)] == [[0.0], [0.0]]
        assert choose(alone, np.array([1.0]), delta=0.003).index == 0

    def test_equal_losses_tie_and_constant_ones_do_too(self) -> None:
        """Without any spread, nothing is known of how a difference varies."""
        assert tied_set(block([2.0, 2.0], [2.0, 2.0], [2.1, 2.1])).tolist() == [True, True, True]

    @pytest.mark.parametrize("losses", [block([2.0], [2.1]), block([2.0, np.nan], [2.0, 2.1])])
    def test_a_block_that_is_none_is_refused(self, losses: np.ndarray) -> None:
        """One seed has no spread; a loss that is not finite has no mean."""
        with pytest.raises(AssertionError):
            tied_set(losses)


class TestChoice:
    LOSSES = block(
        [2.000, 2.001, 2.002, 2.001, 2.000],
        [2.001, 2.001, 2.002, 2.001, 2.001],
        [2.001, 2.002, 2.002, 2.001, 2.001],
        [2.030, 1.990, 2.010, 1.985, 2.000],
    )

    def test_cheapest_that_is_not_inferior_takes_the_place(self) -> None:
        """Two are within 0.003 of the best for certain; the cheaper of them is taken."""
        steady = self.LOSSES[:3]
        choice = choose(steady, np.array([9.0, 5.0, 3.0]), delta=0.003)
        assert (choice.index, choice.best) == (2, 0)
        assert choice.reason == "cheaper, and above the best by less than 0.003: at most 0.0013"

    def test_tied_is_not_enough(self) -> None:
        """A cheap one that may be as good, or worse by 0.03, does not take the place."""
        assert tied_set(self.LOSSES)[3]
        choice = choose(self.LOSSES, np.array([9.0, 9.0, 9.0, 1.0]), delta=0.003)
        assert (choice.index, choice.best, choice.reason) == (0, 0, "the lowest mean")

    def test_equal_cost_changes_nothing(self) -> None:
        """Only what is cheaper is looked at; among equally cheap ones the lower mean wins."""
        steady = self.LOSSES[:3]
        assert choose(steady, np.array([5.0, 5.0, 5.0]), delta=0.003).index == 0
        assert choose(steady, np.array([5.0, 3.0, 3.0]), delta=0.003).index == 1


SPREADS = {
    "equal spreads": lambda k: np.full(k, 0.005),
    "best is steady": lambda k: np.geomspace(0.001, 0.01, k),
    "best is restless": lambda k: np.geomspace(0.01, 0.001, k),
}
MEANS = {
    "equal means": np.zeros,
    "one ahead": lambda k: np.where(np.arange(k), 0.003, 0.0),
    "in steps": lambda k: 0.003 * np.arange(k),
}


class TestSimulation:
    @pytest.mark.parametrize("spread", SPREADS)
    @pytest.mark.parametrize("layout", MEANS)
    @pytest.mark.parametrize(
        ("k", "n", "correlation"), [(2, 5, 0.0), (5, 5, 0.9), (5, 20, 0.0), (10, 20, 0.9)]
    )
    def test_best_is_kept_and_all_intervals_hold_together(
        self, k: int, n: int, correlation: float, layout: str, spread: str
    ) -> None:
        """Both at least 95 times in a hundred, but for a binomial margin of 3.1 standard errors."""
        means = MEANS[layout](k)
        draws = simulated_losses(means, SPREADS[spread](k), correlation, n, REPEATS)
        truth = np.array([means[i] - np.delete(means, i).min() for i in range(k)])
        low, high = mcb_intervals(draws)
        together = ((low <= truth) & (truth <= high)).all(axis=1)
        assert tied_set(draws)[:, 0].mean() >= at_least(0.95, REPEATS)
        assert together.mean() >= at_least(0.95, REPEATS)

    def test_level_is_used_up_where_it_can_be(self) -> None:
        """For two configurations the chance is 95 % exactly, so the intervals are no wider than needed."""
        draws = simulated_losses(np.array([0.0, 0.003]), np.array([0.002, 0.01]), 0.5, 5, 20_000)
        low, high = mcb_intervals(draws)
        held = (low[:, 0] <= -0.003) & (high[:, 1] >= 0.003)
        assert held.mean() == pytest.approx(0.95, abs=3.1 * np.sqrt(0.95 * 0.05 / 20_000))

    def test_cheaper_one_that_is_worse_by_delta_is_seldom_chosen(self) -> None:
        """Four cheaper ones, each worse by delta and of another spread: at most 5 times in a hundred."""
        means, costs = MEANS["one ahead"](5), np.array([5.0, 4.0, 3.0, 2.0, 1.0])
        draws = simulated_losses(means, np.geomspace(0.001, 0.004, 5), 0.5, 10, 1_500)
        choices = [choose(losses, costs, delta=0.003) for losses in draws]
        right = [choice.index in (0, choice.best) for choice in choices]
        assert np.mean(right) >= at_least(0.95, 1_500)


class TestWithoutSpread:
    """A difference that is the same on every seed has an unknown spread, not a spread of 0."""

    BLOCK = np.array([[0.5, 0.5, 0.5], [0.25, 0.25, 0.25], [0.25, 0.25, 0.25]])

    def test_nothing_is_screened_out(self) -> None:
        """Values that count hits are often equal on a few seeds."""
        assert tied_set(self.BLOCK).tolist() == [True, True, True]

    def test_the_interval_is_open(self) -> None:
        """It says that nothing is known, not that the difference is exact."""
        low, high = mcb_intervals(self.BLOCK[:2])
        assert np.isinf(low).all()
        assert np.isinf(high).all()

    def test_a_cheaper_one_is_not_taken_for_as_good(self) -> None:
        """Its distance is not bounded by anything that was seen."""
        assert choose(self.BLOCK[:2], np.array([1.0, 2.0]), delta=1.0).index == 1
