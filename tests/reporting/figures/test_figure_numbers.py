"""Every figure's numbers, without drawing; hand computations on made-up trials."""

import colorsys
import math

import numpy as np
import pytest

from sweep.definition.dimension import Choices, Range
from sweep.errors import NothingToShowError
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures import theme
from sweep.reporting.figures.history import history_by_seconds, history_by_trial
from sweep.reporting.figures.parallel import MAX_LINES, parallel_coordinates
from sweep.reporting.figures.points import best_tenth, shown_range, used_dimensions
from sweep.reporting.figures.rungs import rung_curves
from sweep.reporting.figures.slices import slices
from sweep.reporting.figures.training_curve import training_curve
from sweep.trainers.mlp.trainer import MLP
from tests.support.study_evidence import made_study, made_trial


def evidence(*trials, **changes):
    return Evidence(made_study(*trials, **changes))


class TestHistory:
    TRIALS = (made_trial(0, 2.5), made_trial(1), made_trial(2, 2.6), made_trial(3, 2.2), made_trial(4, 2.3))

    def test_the_best_so_far_falls_where_a_trial_beats_all_before(self):
        found = history_by_trial(evidence(*self.TRIALS))
        assert (found.best_x, found.best_loss) == ([0, 3, 4], [2.5, 2.2, 2.2])
        assert (found.without_x, found.without_text) == ([1], ["trial 1: pruned"])
        assert (found.points.winner.x, found.points.winner.dev_loss) == ([3], [2.2])

    def test_seconds_add_up_in_the_order_of_the_ends(self):
        """Each complete trial trains four segments of 0.5 s, a pruned one a single segment."""
        found = history_by_seconds(evidence(*self.TRIALS))
        assert found.best_x == [2.0, 6.5, 8.5]
        assert found.without_x == [2.5]

    def test_a_running_trial_is_no_end(self):
        found = history_by_trial(evidence(made_trial(0, 2.5), made_trial(1, state="running")))
        assert found.without_x == []


class TestPoints:
    def test_the_best_tenth_is_rounded_up_and_ties_go_to_the_lower_number(self):
        trials = [made_trial(k, 2.0) for k in range(11)]
        assert best_tenth(trials, MLP.metric) == {0, 1}

    @pytest.mark.parametrize(
        ("losses", "expected"),
        [
            ([2.0], [1.99, 2.01]),
            ([2.0, 3.0], [1.95, 3.05]),
            ([2.0] * 9 + [3.0] * 9 + [1e30], [1.9, 4.1]),
        ],
        ids=["one", "all are shown", "one far above is left out"],
    )
    def test_the_range_shown_leaves_out_what_would_flatten_it(self, losses, expected):
        assert shown_range(losses) == expected


class TestSlices:
    @pytest.fixture
    def found(self):
        space = {
            "hidden_neurons": Range(4, 64, log=True),
            "momentum": Range(0.0, 0.9),
            "num_steps": Choices((80, 40)),
            "schedule": Choices(("step", "cosine")),
        }
        params = [
            {"hidden_neurons": 4, "momentum": 0.5, "num_steps": 40, "schedule": "step"},
            {"hidden_neurons": 64, "momentum": 0.1, "num_steps": 80, "schedule": "cosine"},
            {"hidden_neurons": 16, "num_steps": 80, "schedule": "step"},
        ]
        trials = [made_trial(k, 2.2 + k / 10, params=p) for k, p in enumerate(params)]
        return {entry.name: entry for entry in slices(evidence(*trials, space=space)).slices}

    def test_a_range_keeps_its_scale_and_its_ends(self, found):
        assert (found["hidden_neurons"].log, found["hidden_neurons"].ends) == (True, [4, 64])
        assert (found["momentum"].log, found["momentum"].ends) == (False, [0, 0.9])

    def test_numbers_among_choices_are_sorted_and_texts_keep_their_order(self, found):
        assert found["num_steps"].choices == ["40", "80"]
        assert found["schedule"].choices == ["step", "cosine"]
        assert found["num_steps"].medians == [2.2, 2.35]

    def test_trials_of_one_choice_are_spread_around_its_place(self, found):
        places = found["schedule"].points
        x = [*places.others.x, *places.winner.x]
        assert sorted(round(place) for place in x) == [0, 0, 1]

    def test_a_trial_that_lacks_the_hyperparameter_is_left_out(self, found):
        points = found["momentum"].points
        assert sorted([*points.others.trial, *points.winner.trial]) == [0, 1]


class TestParallelCoordinates:
    def test_values_stand_at_their_share_of_the_axis(self):
        """16 is half-way from 4 to 64 on a logarithmic axis; 3 is half-way from 2 to 4."""
        params = {"block_size": 3, "hidden_neurons": 16}
        found = parallel_coordinates(evidence(made_trial(0, 2.5, params=params)))
        assert [axis.title for axis in found.axes] == ["block size", "hidden neurons", "dev loss"]
        (line,) = found.lines
        assert line.places[:2] == [0.5, 0.5]
        assert (line.group, line.values) == ("winner", ["3", "16", "2.5000"])

    def test_a_missing_hyperparameter_is_a_gap(self):
        trials = (made_trial(0, 2.5), made_trial(1, 2.6, params={"block_size": 2}))
        lines = {line.trial: line for line in parallel_coordinates(evidence(*trials)).lines}
        assert lines[1].places[:4] == [0.0, None, None, None]
        assert lines[1].values[1] == "inactive"

    def test_many_trials_are_thinned_and_the_best_stay(self):
        trials = [made_trial(k, 2 + k / 1_000) for k in range(1_000)]
        found = parallel_coordinates(evidence(*trials))
        assert len(found.lines) <= MAX_LINES
        assert {line.trial for line in found.lines} >= set(range(100))
        assert found.left_out == 1_000 - len(found.lines)


class TestRungs:
    def test_trials_are_grouped_by_how_they_ended(self):
        found = rung_curves(evidence(*(made_trial(k, 2.5 + k / 10) for k in range(3)), made_trial(3)))
        assert [line.trial for line in found.winner] == [0]
        assert [line.trial for line in found.others] == [1, 2]
        (pruned,) = found.given_up
        assert (pruned.trial, pruned.percent, pruned.dev_loss) == (3, [10], [2.9])
        assert found.winner[0].percent == [10, 30, 90, 100]
        assert found.winner[0].dev_loss == pytest.approx([2.9, 2.7, 2.55, 2.5])

    def test_short_trials_have_no_rungs_to_show(self):
        short = made_trial(0, 2.5, segments=made_trial(0, 2.5).segments[-1:])
        with pytest.raises(NothingToShowError, match=r"no trial reached a rung"):
            rung_curves(evidence(short))


class TestTrainingCurve:
    def test_smooths_all_and_shows_at_most_300_points(self):
        found = evidence(made_trial(0, 2.5))
        found.curve = (np.arange(1_000), np.linspace(3, 2, 1_000, dtype=np.float32))
        curve = training_curve(found)
        assert (len(curve.step), curve.step[0], curve.step[-1], curve.window) == (300, 1, 1_000, 10)
        assert curve.raw[0] == curve.smoothed[0] == 3
        assert 2 < curve.smoothed[-1] < 2.02, "the average lags behind a falling line"
        assert curve.dev_step == [8, 24, 72, 80]

    def test_a_loss_that_is_not_finite_is_a_gap(self):
        found = evidence(made_trial(0, 2.5))
        found.curve = (np.arange(3), np.array([3, np.inf, np.nan], np.float32))
        assert training_curve(found).raw == [3, None, None]


def test_only_dimensions_of_which_a_trial_has_a_value_are_drawn():
    """Numbers among choices are in order; what no trial has is left out."""
    space = {"a": Range(1, 5), "b": Choices((64, 16)), "gone": Range(0.0, 1.0)}
    used = used_dimensions(made_study(made_trial(0, 2.5, params={"a": 1, "b": 16}), space=space))
    assert used == {"a": Range(1, 5), "b": Choices((16, 64))}
    assert used["b"].share(64) == 1
    assert Choices(("x",)).share("x") == 0.5


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("ground", ["#ffffff", "#1c1c1f"])
@pytest.mark.parametrize("name", ["BLUE", "ORANGE", "GREEN", "PURPLE", "GREY"])
def test_colours_stand_out_from_a_light_and_a_dark_ground(name, ground):
    """A contrast of at least 3 to 1, which WCAG asks of graphics."""
    light, dark = sorted([luminance(getattr(theme, name)), luminance(ground)], reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_colours_are_told_apart_by_more_than_their_hue():
    """Luminances or hues differ; the shapes say the same once more."""
    found = [getattr(theme, name) for name in ("BLUE", "ORANGE", "GREEN", "PURPLE")]
    hues = [colorsys.rgb_to_hsv(*(int(c[k : k + 2], 16) for k in (1, 3, 5)))[0] for c in found]
    assert min(abs(a - b) for a in hues for b in hues if a != b) > 0.05


def test_ticks_are_round_and_inside():
    assert theme.log_ticks(3, 7) == [3, 7], "one round value alone would show no scale"
    assert theme.even_ticks(5, 5) == [5]
    assert all(math.isclose(tick * 20, round(tick * 20)) for tick in theme.even_ticks(2.03, 2.31))


@pytest.mark.parametrize("ticks", [theme.log_ticks(20, 40), theme.log_ticks(7, 7), theme.even_ticks(5, 5)])
def test_the_ticks_of_whole_numbers_have_a_text(ticks):
    """A narrow logarithmic range of steps had whole numbers as ticks, which Python 3.11 gave no text."""
    assert [theme.tick_text(tick) for tick in ticks] == [str(round(tick)) for tick in ticks]
