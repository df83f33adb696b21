"""Candidates: less luck than the lowest loss, and robust against what a search leaves behind."""

import numpy as np
import pytest

from sweep.samplers.configuration_means import FEWEST, smoothed_means


def bowl(
    n: int, d: int, noise: float, seed: int, replicates: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A search on a noisy quadratic, half of it near the minimum: points, losses, true means."""
    rng = np.random.default_rng(seed)
    centre = 0.3 + 0.4 * rng.random(d)
    points = rng.random((n, d))
    points[n // 2 :] = np.clip(centre + 0.12 * rng.standard_normal((n - n // 2, d)), 0, 1)
    points = points.repeat(replicates, axis=0)
    truth = 2.0 + 0.3 * ((points - centre) ** 2).sum(axis=1)
    return points, truth + noise * rng.standard_normal(len(points)), truth


def mean_regrets(outlier: float) -> np.ndarray:
    """How far the choice by raw losses and by smoothed ones is above the best, over twenty searches."""
    regrets = []
    for seed in range(20):
        points, losses, truth = bowl(40, 3, 0.01, seed)
        losses[-1] += outlier
        smoothed = smoothed_means(points, losses)
        regrets.append([truth[losses.argmin()] - truth.min(), truth[smoothed.argmin()] - truth.min()])
    return np.mean(regrets, axis=0)


class TestChoice:
    @pytest.mark.parametrize("outlier", [0.0, 1.2])
    def test_smoothing_chooses_better_than_the_lowest_loss(self, outlier: float) -> None:
        """On a noisy quadratic, mean regret is less than half, also with a loss of 3.3 near the best."""
        raw, smoothed = mean_regrets(outlier)
        assert smoothed < raw / 2

    def test_more_replicates_are_worth_more(self) -> None:
        """Of two equal means at one spot, the estimate stays nearer to the one that rests on more trials."""
        points, losses, _ = bowl(30, 2, 0.01, 0)
        spot = np.full((1, 2), 0.5)
        all_points = np.concatenate([points, spot, spot.repeat(8, axis=0) + 1e-9])
        all_losses = np.concatenate([losses, np.full(9, losses.min() - 0.05)])
        smoothed = smoothed_means(all_points, all_losses)
        assert smoothed[30:] == pytest.approx(smoothed[30], abs=1e-6)
        once = smoothed_means(all_points[:31], all_losses[:31])[30]
        assert all_losses[30] <= smoothed[30] < once


class TestRobustness:
    def test_few_configurations_keep_their_plain_means(self) -> None:
        """Below the limit a configuration's estimate is the mean over its replicates."""
        points, losses, _ = bowl(FEWEST - 1, 3, 0.01, 0, replicates=2)
        assert smoothed_means(points, losses) == pytest.approx(losses.reshape(-1, 2).mean(axis=1).repeat(2))

    def test_losses_that_are_all_the_same_stay(self) -> None:
        """A constant has nothing to smooth."""
        points = np.random.default_rng(0).random((40, 2))
        assert smoothed_means(points, np.full(40, 2.5)).tolist() == [2.5] * 40

    @pytest.mark.parametrize("share", [0.1, 0.6, 0.95])
    def test_many_equal_losses_are_no_obstacle(self, share: float) -> None:
        """Also where more than half of the trials are equally bad, or equally good."""
        points, losses, _ = bowl(40, 2, 0.01, 0)
        for end in (losses.max(), losses.min()):
            equal = losses.copy()
            equal[: int(share * 40)] = end
            assert np.isfinite(smoothed_means(points, equal)).all()

    def test_replicates_and_order_of_trials_do_not_matter(self) -> None:
        """Replicates share an estimate, and a shuffled study has the same ones."""
        points, losses, _ = bowl(30, 2, 0.01, 0, replicates=3)
        smoothed = smoothed_means(points, losses)
        assert (smoothed.reshape(-1, 3) == smoothed[::3, None]).all()
        order = np.random.default_rng(0).permutation(90)
        assert smoothed_means(points[order], losses[order]) == pytest.approx(smoothed[order], abs=1e-6)

    def test_an_axis_that_never_varies_changes_nothing_much(self) -> None:
        """A hyperparameter with one value has no distances."""
        points, losses, _ = bowl(30, 2, 0.01, 0)
        with_constant = np.concatenate([points, np.full((30, 1), 0.5)], axis=1)
        assert smoothed_means(with_constant, losses) == pytest.approx(
            smoothed_means(points, losses), abs=0.002
        )

    def test_a_large_study_is_smoothed_whole(self) -> None:
        """The fit sees a sample of 800 trials, the surface all of them, and the choice is good."""
        points, losses, truth = bowl(800, 3, 0.01, 0)
        smoothed = smoothed_means(points, losses)
        assert np.abs(smoothed - truth).mean() < np.abs(losses - truth).mean() / 3
        assert truth[smoothed.argmin()] - truth.min() < (truth[losses.argmin()] - truth.min()) / 5

    def test_a_loss_that_is_not_finite_is_refused(self) -> None:
        """A diverged trial is no candidate."""
        with pytest.raises(AssertionError):
            smoothed_means(np.zeros((2, 1)), np.array([2.0, np.inf]))
