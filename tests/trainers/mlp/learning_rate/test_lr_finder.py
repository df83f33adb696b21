import math
import subprocess
import sys
import warnings

import numpy as np
import pytest

from sweep.errors import RangeTestError
from sweep.smoothing import smooth
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines import ENGINES
from sweep.trainers.mlp.learning_rate.lr_finder import range_test
from sweep.trainers.mlp.learning_rate.lr_suggestions import (
    DEFINITIONS,
    RULES,
    minimum_lr,
    minimum_over_ten_lr,
    steepest_lr,
    valley_lr,
)
from sweep.trainers.mlp.learning_rate.range_curve import (
    flat_stretch,
    range_curve,
    settled_curve,
    suggestions,
)
from sweep.trainers.mlp.learning_rate.recommendation import BUDGET, recommend
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.training import train_examples

CONFIG = TrainConfig(block_size=2, embedding_dim=4, hidden_neurons=16, batch_size=16, seed=3)


@pytest.fixture
def scripted(monkeypatch, corpus):
    """Function that runs a range test whose engine reports given losses: step -> loss."""

    def run(loss_of_step, **settings):
        steps_taken = []

        def engine(config, examples, state, learning_rates, device):
            steps = range(state.step, state.step + len(learning_rates))
            steps_taken.extend(steps)
            losses = np.array([loss_of_step(step) for step in steps], np.float32)
            new = TrainState(step=steps.stop, parameters=state.parameters, velocity=state.velocity)
            return new, losses

        monkeypatch.setitem(ENGINES, "scripted", engine)
        test = range_test(CONFIG, corpus, engine="scripted", **settings).curve
        return test, steps_taken

    return run


def valley_of_fastai(lrs, losses):
    """fastai's ``valley`` (fastai/callback/schedule.py, Apache-2.0), as it stands there."""
    n = len(losses)
    max_start, max_end = 0, 0
    lds = [1] * n
    for i in range(1, n):
        for j in range(i):
            if (losses[i] < losses[j]) and (lds[i] < lds[j] + 1):
                lds[i] = lds[j] + 1
            if lds[max_end] < lds[i]:
                max_end = i
                max_start = max_end - lds[max_end]
    sections = (max_end - max_start) / 3
    return max_start + int(sections) + int(sections / 2)


class TestRules:
    """On one curve: 3.3 -> 3.2 -> 2.6 -> 2.4 -> 2.9 over five decades."""

    LRS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    LOSSES = (3.3, 3.2, 2.6, 2.4, 2.9)

    def test_steepest_is_the_lower_end_of_the_steepest_segment(self):
        assert steepest_lr(self.LRS, self.LOSSES) == 1e-3

    def test_steepest_is_per_decade_not_per_point_and_not_per_unit_of_rate(self):
        """Per point the last segment falls most (0.6); per unit of rate the first (100); per
        decade the middle one: 0.5 in half a decade."""
        lrs = [1e-3, 2e-3, 2e-3 * 10**0.5, 2.0]
        losses = [3.3, 3.2, 2.7, 2.1]
        slopes = [-0.1 / math.log10(2), -1.0, -0.6 / math.log10(2 / lrs[2])]
        assert slopes.index(min(slopes)) == 1
        assert steepest_lr(lrs, losses) == 2e-3

    def test_minimum_over_ten(self):
        assert minimum_over_ten_lr(self.LRS, self.LOSSES) == pytest.approx(1e-2)

    def test_minimum(self):
        assert minimum_lr(self.LRS, self.LOSSES) == 1e-1

    def test_valley_is_the_middle_of_the_longest_fall(self):
        assert valley_lr(self.LRS, self.LOSSES) == 1e-3

    def test_valley_looks_past_noise(self):
        """The longest falling subsequence is 9 8 7 6 5 4, the last six of eight points."""
        losses = [9.0, 9.5, 8.0, 8.2, 7.0, 6.0, 5.0, 4.0]
        lrs = [10.0**k for k in range(-8, 0)]
        assert valley_lr(lrs, losses) == lrs[(2 + 7) // 2]

    @pytest.mark.parametrize("seed", range(20))
    def test_valley_is_within_two_points_of_fastais(self, seed):
        draw = np.random.default_rng(seed)
        lrs = np.geomspace(1e-3, 1, 60)
        losses = 3 - np.sin(np.linspace(0, 2.5, 60)) + draw.normal(0, 0.05, 60)
        index = int(np.flatnonzero(lrs == valley_lr(lrs, losses))[0])
        assert abs(index - valley_of_fastai(lrs, losses)) <= 2

    @pytest.mark.parametrize("name", RULES)
    @pytest.mark.parametrize(
        ("lrs", "losses", "sentence"),
        [
            ([], [], "at least 2 points, got 0"),
            ([0.1], [3.0], "at least 2 points, got 1"),
            ([0.1, 0.2], [3.0], "a loss is needed for each learning rate"),
            ([0.1, 0.2], [3.0, math.nan], "must be finite"),
            ([0.1, math.inf], [3.0, 2.0], "must be finite"),
            ([0.2, 0.1], [3.0, 2.0], "strictly increasing"),
            ([0.1, 0.1], [3.0, 2.0], "strictly increasing"),
            ([0.0, 0.1], [3.0, 2.0], "above 0"),
            (
                [0.1, 0.2, 0.3],
                [3.0, 3.00001, 3.0],
                "the loss is flat: it stays at 3 from learning rate 0.1 to 0.3",
            ),
            ([0.1, 0.2, 0.3], [3.0, 3.1, 3.2], "never falls|lowest at the first"),
        ],
    )
    def test_a_curve_without_an_answer_is_refused(self, name, lrs, losses, sentence):
        with pytest.raises(RangeTestError, match=sentence):
            RULES[name](lrs, losses)

    def test_arguments_stay_as_they_are(self):
        losses = np.array(self.LOSSES)
        for rule in RULES.values():
            rule(np.array(self.LRS), losses)
        assert losses.tolist() == list(self.LOSSES)

    def test_each_rule_has_a_definition(self):
        assert DEFINITIONS.keys() == RULES.keys()


class TestSmoothing:
    def test_a_constant_stays_itself_from_the_first_step(self):
        assert smooth(np.full(30, 2.5), 10) == pytest.approx(np.full(30, 2.5))

    def test_is_the_weighted_mean_of_the_past(self):
        """Weights b^k / sum(b^k), k steps back, b = 1 - 1/4."""
        losses = np.array([3.0, 1.0, 2.0])
        weights = np.array([0.75**2, 0.75, 1.0])
        assert smooth(losses, 4)[-1] == pytest.approx(losses @ weights / weights.sum())

    def test_a_window_of_one_smooths_nothing(self):
        assert smooth(np.array([3.0, 1.0]), 1).tolist() == [3.0, 1.0]

    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
    def test_is_infinite_from_a_loss_that_is_not_finite(self, bad):
        losses = np.array([3.0, bad, 2.0])
        assert smooth(losses, 5).tolist() == [3.0, math.inf, math.inf]
        assert losses[2] == 2.0


class TestRange:
    @pytest.mark.parametrize(
        ("settings", "sentence"),
        [
            ({"steps": 1}, "at least 2 steps, got 1"),
            ({"steps": 0}, "at least 2 steps, got 0"),
            ({"steps": -5}, "at least 2 steps, got -5"),
            ({"low": 1.0, "high": 1.0}, "must start below its end, got 1 to 1"),
            ({"low": 2.0, "high": 1.0}, "must start below its end, got 2 to 1"),
            ({"low": 0.0}, "start of the range must be above 0 and finite, got 0.0"),
            ({"low": -1.0}, "start of the range must be above 0 and finite, got -1.0"),
            ({"low": math.nan}, "start of the range must be above 0 and finite, got nan"),
            ({"high": math.inf}, "end of the range must be above 0 and finite, got inf"),
            ({"high": math.nan}, "end of the range must be above 0 and finite, got nan"),
            ({"low": 1e-50}, "float32 cannot tell"),
            ({"high": 1e40}, "float32 cannot tell"),
            ({"low": 1.0, "high": 1.000001}, "float32 cannot tell"),
            ({"seeds": 0}, "seeds must be at least 1, got 0"),
        ],
    )
    def test_bad_settings_are_refused_in_one_sentence(self, settings, sentence, corpus):
        with pytest.raises(RangeTestError, match=sentence) as caught:
            range_test(CONFIG, corpus, **settings)
        assert "\n" not in str(caught.value)

    def test_rates_grow_geometrically_over_the_range(self, scripted):
        test, _ = scripted(lambda step: 3.0 - step / 100, steps=4, low=1e-3, high=1.0)
        assert test.learning_rates == pytest.approx([1e-3, 1e-2, 1e-1, 1.0])

    def test_median_and_quartiles_are_those_of_five_seeds(self, corpus):
        """A window of one step smooths nothing, so the order statistics of the raw losses show."""
        test = range_test(CONFIG, corpus, steps=10).curve
        ordered = np.sort(test.raw, axis=0)
        assert test.raw.shape == (5, 10)
        assert (test.lower.tolist(), test.median.tolist(), test.upper.tolist()) == (
            ordered[1].tolist(),
            ordered[2].tolist(),
            ordered[3].tolist(),
        )

    def test_seeds_differ_and_the_same_call_gives_the_same_numbers(self, corpus):
        first, again = (range_test(CONFIG, corpus, steps=60).curve for _ in range(2))
        assert len(set(first.seeds)) == 5
        assert first.raw.tobytes() == again.raw.tobytes()
        assert len({row.tobytes() for row in first.raw}) == 5
        other = range_test(CONFIG.replace(seed=4), corpus, steps=60).curve
        assert not set(first.seeds) & set(other.seeds)

    def test_schedule_and_learning_rate_of_the_configuration_play_no_part(self, corpus):
        other = CONFIG.replace(learning_rate=5.0, schedule="cosine", num_steps=7)
        assert (
            range_test(CONFIG, corpus, steps=60).curve.raw.tobytes()
            == range_test(other, corpus, steps=60).curve.raw.tobytes()
        )

    def test_chunks_do_not_show(self, corpus):
        """Trained in one call of the engine, the first seed has the same losses."""
        test = range_test(CONFIG, corpus, seeds=1, steps=120, high=0.1, engine="autograd").curve
        config = CONFIG.replace(seed=test.seeds[0])
        _, losses = ENGINES["autograd"](
            config,
            train_examples(corpus, config.block_size),
            TrainState.initial(config, corpus.vocabulary_size),
            test.learning_rates.astype(np.float32),
            "cpu",
        )
        assert test.raw[0].tolist() == losses.tolist()

    def test_suggestions_on_a_real_run_lie_where_the_loss_falls(self, corpus):
        test = range_test(CONFIG, corpus, steps=400).curve
        found = suggestions(test)
        assert found.keys() == RULES.keys()
        lrs, losses = settled_curve(test)
        for rate, why in found.values():
            assert why
            assert rate <= lrs[losses.argmin()]
        assert found["minimum_over_ten"][0] == pytest.approx(lrs[losses.argmin()] / 10)

    def test_suggestions_on_a_known_curve(self, scripted):
        """The loss falls along a logistic curve centred at 10**-1.5, and rises from 10**-0.6 on.

        What is read is smoothed, and a moving average over a twentieth of the range (0.15
        decades) comes late by at most about that much.
        """

        def loss(step):
            return 3.0 - 1 / (1 + math.exp((500 - step) / 60)) + max(step - 800, 0) / 100

        found = suggestions(scripted(loss, steps=1_001)[0])
        assert -1.65 <= math.log10(found["steepest"][0]) <= -1.35
        assert -1.75 <= math.log10(found["minimum_over_ten"][0]) <= -1.45
        assert -2.0 <= math.log10(found["valley"][0]) <= -1.5
        assert found["minimum"][0] == pytest.approx(10 * found["minimum_over_ten"][0])


class TestTrouble:
    """Every run, however short or broken, gives a result or one clear sentence."""

    @pytest.mark.parametrize("steps", [2, 5, 14])
    @pytest.mark.parametrize("seeds", [1, 2, 5])
    def test_short_runs_give_a_rate_or_a_reason(self, steps, seeds, corpus):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            test = range_test(CONFIG, corpus, steps=steps, seeds=seeds).curve
            found = suggestions(test)
        assert test.points == steps
        for rate, why in found.values():
            assert why
            assert rate is None or 1e-4 <= rate <= 1

    def test_a_diverging_seed_really_stops(self, scripted):
        test, steps = scripted(lambda step: 3.0 if step < 120 else 1e6, seeds=1)
        assert max(steps) == 149
        assert test.points == 120
        assert test.raw[0, 120] == 1e6
        assert np.isnan(test.raw[0, 121:]).all()
        assert test.stopped == 1

    def test_four_times_the_best_is_where_a_seed_stops(self, scripted):
        assert scripted(lambda step: 12.0 if step else 3.0, steps=10)[0].points == 10
        assert scripted(lambda step: 12.1 if step > 4 else 3.0, steps=10)[0].points == 5

    def test_divergence_at_step_three_is_said(self, scripted):
        test, _ = scripted(lambda step: 3.0 - 0.1 * step if step < 3 else math.inf)
        assert test.points == 3
        for rate, why in suggestions(test).values():
            assert rate is None
            assert why.startswith("training diverged after 3 steps, at learning rate 0.00101")

    def test_divergence_at_step_three_of_a_short_run_still_gives_rates(self, scripted):
        test, _ = scripted(lambda step: 3.0 - 0.1 * step**2 if step < 3 else math.nan, steps=10)
        assert suggestions(test)["steepest"][0] == pytest.approx(test.learning_rates[1])

    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
    def test_a_loss_that_is_not_finite_ends_the_curve(self, bad, scripted):
        test, steps = scripted(lambda step: bad if step == 75 else 3.0 - step / 100, seeds=2, steps=200)
        assert test.points == 75
        assert max(steps) == 99
        assert np.isnan(test.raw[:, 75:]).all()
        assert np.isfinite(test.raw[:, :75]).all()
        assert all(rate for rate, _ in suggestions(test).values())

    @pytest.mark.parametrize("bad", [math.nan, math.inf])
    def test_nan_throughout_is_refused(self, bad, scripted):
        with pytest.raises(RangeTestError, match=r"diverged at once.*lower the start"):
            scripted(lambda step: bad)

    def test_real_overflow_is_refused_without_a_warning(self, corpus):
        with pytest.raises(RangeTestError, match="diverged at once"):
            range_test(CONFIG, corpus, low=1e30, high=1e31, engine="autograd")

    def test_a_flat_loss_has_no_suggestion(self, scripted):
        test, _ = scripted(lambda step: 3.0)
        for rate, why in suggestions(test).values():
            assert rate is None
            assert "the loss is flat" in why

    def test_a_rising_loss_has_no_suggestion(self, scripted):
        test, _ = scripted(lambda step: 3.0 + step / 1000)
        assert {rate for rate, _ in suggestions(test).values()} == {None}

    def test_noise_without_a_fall_is_not_taken_for_one(self, corpus):
        """Rates of a billionth train nothing: whatever the curve does is chance."""
        for rate, why in suggestions(range_test(CONFIG, corpus, low=1e-9, high=1e-8).curve).values():
            assert rate is None
            assert "too little compared to" in why

    def test_a_minimum_at_the_end_asks_for_a_wider_range(self, scripted):
        test, _ = scripted(lambda step: 3.0 - step / 1000)
        assert {why for _, why in suggestions(test).values()} == {
            "the loss still falls at the end of the range; a higher end may change this"
        }

    def test_a_suggestion_below_the_range_says_so(self, scripted):
        test, _ = scripted(lambda step: 3.0 + (step / 1000 - 0.2) ** 2 * 10)
        rate, why = suggestions(test)["minimum_over_ten"]
        assert rate < 1e-3
        assert why.startswith("below the tested range")

    def test_a_seed_that_stops_does_not_make_the_median_better(self, monkeypatch, corpus):
        """Two of three seeds end at step 5 and 7; the lucky third never carries the curve alone."""
        ends = iter([5, 7, 99])

        def engine(config, examples, state, learning_rates, device):
            end = next(ends)
            losses = np.array([3.0 if step < end else np.nan for step in range(len(learning_rates))])
            return state, losses.astype(np.float32)

        monkeypatch.setitem(ENGINES, "scripted", engine)
        test = range_test(CONFIG, corpus, seeds=3, steps=10, engine="scripted").curve
        assert test.points == 7
        assert np.isfinite(test.upper).sum() == 5
        assert test.stopped == 2


def test_importing_the_finder_loads_no_pandas_and_no_plotly():
    finder = "sweep.trainers.mlp.learning_rate.lr_finder"
    code = f"import sys, {finder}; print({{'pandas', 'plotly'}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def curve_of(median, band):
    """A curve of twenty points without smoothing, whose five seeds lie a quarter of the band apart."""
    rates = np.geomspace(1e-3, 1.0, len(median))
    raw = np.array(median) + band * np.linspace(-1, 1, 5)[:, None]
    return range_curve(rates, (0, 1, 2, 3, 4), raw)


def test_the_flat_stretch_is_what_the_seeds_cannot_tell_from_the_minimum():
    """Quartiles 0.02 apart: the points at 2.00, 2.01 and 2.015 are as good, that at 2.03 is not."""
    median = [3.3, 3.0, 2.8, 2.5, 2.3, 2.2, 2.015, 2.0, 2.01, 2.03, 2.005, *np.linspace(2.1, 3.0, 9)]
    test = curve_of(median, 0.02)
    assert flat_stretch(test) == pytest.approx((test.learning_rates[6], test.learning_rates[8]))
    found = recommend(suggestions(test), flat_stretch(test))
    assert found.rate == pytest.approx(test.learning_rates[7])
    low, high = (f"{test.learning_rates[k]:.2g}" for k in (6, 8))
    assert (
        f"From {low} to {high} the loss is as low within the noise between seeds. {BUDGET}"
        in found.sentence()
    )


def test_a_sharp_minimum_has_no_flat_stretch_to_tell():
    """Both ends are the minimum, and the sentence names no interval; a curve that says nothing has none."""
    test = curve_of([3.3, 3.0, 2.5, 2.0, 2.6, *np.linspace(2.7, 3.2, 15)], 0.001)
    assert flat_stretch(test) == (test.learning_rates[3], test.learning_rates[3])
    assert "From" not in recommend(suggestions(test), flat_stretch(test)).sentence()
    assert flat_stretch(curve_of([3.3] * 20, 0.02)) is None
    assert recommend(suggestions(curve_of([3.3] * 20, 0.02))).flat is None
