"""Uncertainty over words, and over seeds and words: against closed forms and by simulation."""

import numpy as np
import pytest
import scipy

from sweep.certify.units.uncertainty import mean_losses, over_seeds_and_units, over_units
from tests.support.simulated_losses import at_least

REPEATS = 1_000


def drawn(shape: tuple[int, ...], seeds: float, words: float, both: float) -> tuple[np.ndarray, np.ndarray]:
    """Sums over words of losses around 2, with spreads over seeds, over words, and over both at once."""
    rng = np.random.default_rng(0)
    *leading, n, n_words = shape
    per_character = (
        2.0
        + seeds * rng.standard_normal((*leading, n, 1))
        + words * rng.standard_normal((*leading, 1, n_words))
        + both * rng.standard_normal(shape)
    )
    sizes = rng.integers(3, 12, n_words)
    return per_character * sizes, sizes


def linearised(nll: np.ndarray, sizes: np.ndarray) -> float:
    """The standard error over words of a ratio of sums, to first order (Cochran 1977, chapter 6)."""
    residuals = nll.mean(axis=0) - nll.mean(axis=0).sum() / sizes.sum() * sizes
    return float(np.sqrt((residuals**2).sum()) / sizes.sum())


def test_loss_is_a_ratio_of_sums() -> None:
    """Nats over characters, on all words and on some of them."""
    nll, sizes = np.array([[4.0, 6.0, 20.0], [2.0, 3.0, 10.0]]), np.array([2, 3, 5])
    assert mean_losses(nll, sizes) == pytest.approx([3.0, 1.5])
    assert mean_losses(nll, sizes, np.array([True, False, True])) == pytest.approx([24 / 7, 12 / 7])
    with pytest.raises(AssertionError):
        mean_losses(nll, sizes, np.zeros(3, dtype=bool))


class TestOverWords:
    def test_standard_errors_are_those_of_the_closed_form(self) -> None:
        """For single configurations and for a difference, which is far surer than either."""
        nll, sizes = drawn((1, 4, 800), 0.003, 0.4, 0.05)
        nll = np.concatenate([nll, nll + 0.02 * np.random.default_rng(1).standard_normal((1, 4, 800))])
        stacked = np.concatenate([nll, nll[:1] - nll[1:]])
        errors = over_units(stacked, sizes, seed=3).standard_error
        assert errors == pytest.approx([linearised(part, sizes) for part in stacked], rel=0.06)
        assert errors[2] < errors[0] / 10

    def test_interval_is_near_the_normal_one(self) -> None:
        """With hundreds of words the percentiles lie at 1.96 standard errors."""
        nll, sizes = drawn((3, 600), 0.003, 0.4, 0.05)
        _, low, high = over_units(nll, sizes, seed=3)
        centre, margin = mean_losses(nll, sizes).mean(), 1.96 * linearised(nll, sizes)
        assert low == pytest.approx(centre - margin, abs=0.1 * margin)
        assert high == pytest.approx(centre + margin, abs=0.1 * margin)

    def test_it_depends_on_its_seed_alone(self) -> None:
        """The same seed gives the same answer, and a configuration's does not depend on the others'."""
        nll, sizes = drawn((2, 3, 50), 0.003, 0.4, 0.05)
        both, again, alone = (over_units(x, sizes, seed=3, resamples=250) for x in (nll, nll, nll[1]))
        np.testing.assert_array_equal(both, again)
        assert [part[1] for part in both] == pytest.approx(list(alone))
        assert over_units(nll, sizes, seed=4, resamples=250).low[0] != both.low[0]

    def test_words_that_are_all_alike_leave_no_doubt(self) -> None:
        """One loss on every word, whatever its length: no spread over words."""
        sizes = np.array([3, 5, 9, 2])
        error, low, high = over_units(2.0 * sizes[None], sizes, seed=0, resamples=20)
        assert (float(error), float(low), float(high)) == pytest.approx((0.0, 2.0, 2.0))


class TestOverSeedsAndWords:
    @pytest.mark.parametrize(
        ("seeds", "words", "both"), [(0.02, 0.3, 0.1), (0.02, 0.02, 0.02), (0.005, 0.1, 0.3)]
    )
    def test_error_is_the_true_one_and_the_interval_holds_the_truth(
        self, seeds: float, words: float, both: float
    ) -> None:
        """Known variances, seven runs on two hundred words: whichever part is the largest."""
        nll, sizes = drawn((REPEATS, 7, 200), seeds, words, both)
        shares = sizes / sizes.sum()
        truth = np.sqrt(seeds**2 / 7 + (words**2 + both**2 / 7) * (shares**2).sum())
        error, low, high = over_seeds_and_units(nll, sizes)
        assert np.sqrt((error**2).mean()) == pytest.approx(truth, rel=0.08)
        assert ((low <= 2) & (high >= 2)).mean() >= at_least(0.95, REPEATS)

    def test_without_a_spread_over_units_it_is_students(self) -> None:
        """Runs that differ by the same on each character: the t interval over seeds."""
        sizes = np.array([3, 5, 9, 2])
        losses = np.array([2.00, 2.02, 2.01, 2.05])
        _, low, high = over_seeds_and_units(losses[:, None] * sizes, sizes, alpha=0.1)
        expected = scipy.stats.t.interval(0.9, 3, losses.mean(), scipy.stats.sem(losses))
        assert (float(low), float(high)) == pytest.approx(expected)

    def test_a_configuration_less_itself_is_nothing(self) -> None:
        """The best one compared with itself: zero, for certain."""
        nothing = np.zeros((3, 4))
        assert [float(part) for part in over_seeds_and_units(nothing, np.array([3, 5, 9, 2]))] == [0, 0, 0]

    def test_one_seed_is_refused(self) -> None:
        """One run says nothing about seeds."""
        with pytest.raises(AssertionError):
            over_seeds_and_units(np.ones((1, 4)), np.array([3, 5, 9, 2]))
