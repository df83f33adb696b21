import math

import numpy as np
import pytest

from sweep.reporting.figures.theme import MAX_POINTS
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.learning_rate.lr_finder import range_test
from sweep.trainers.mlp.learning_rate.lr_suggestions import RULES
from sweep.trainers.mlp.learning_rate.range_curve import RangeCurve, suggestions
from sweep.trainers.mlp.shown.lr_finder_figure import lr_finder_curve, plot_lr_finder

CONFIG = TrainConfig(block_size=2, embedding_dim=4, hidden_neurons=16, batch_size=16)


def made_curve(smoothed, raw=None, **changes):
    """A curve from 0.001 to 1 whose five seeds smooth to one curve, a tenth of a nat apart."""
    smoothed = np.asarray(smoothed, dtype=np.float64)
    spread = np.array([[-0.1], [-0.05], [0.0], [0.05], [0.1]])
    values = {
        "learning_rates": np.geomspace(1e-3, 1, len(smoothed)),
        "seeds": (1, 2, 3, 4, 5),
        "raw": smoothed + spread if raw is None else raw,
        "median": smoothed,
        "lower": smoothed - 0.05,
        "upper": smoothed + 0.05,
    }
    return RangeCurve(**{**values, **changes})


def valley(steps=1_000):
    """From 3 down to 2 at 10**-1 and up again."""
    place = np.linspace(-3, 0, steps)
    return 2 + ((place + 1) / 2) ** 2


class TestLrFinderCurve:
    @pytest.mark.parametrize("steps", [2, 5, 299, 300, 301, 5_000])
    def test_has_at_most_300_points_and_both_ends(self, steps):
        curve = lr_finder_curve(made_curve(valley(steps)))
        assert len(curve.learning_rates) == min(steps, MAX_POINTS)
        assert (curve.learning_rates[0], curve.learning_rates[-1]) == (1e-3, 1.0)
        assert len({len(line) for line in (curve.raw, curve.median, curve.lower, curve.upper)}) == 1

    def test_points_are_evenly_spaced_in_the_logarithm(self):
        gaps = np.diff(np.log(lr_finder_curve(made_curve(valley(3_000))).learning_rates))
        assert gaps.max() / gaps.min() < 1.2

    def test_ends_where_the_median_ends(self):
        smoothed = valley(100)
        smoothed[40:] = np.nan
        curve = lr_finder_curve(made_curve(smoothed))
        assert len(curve.median) == 40
        assert curve.learning_rates[-1] == pytest.approx(10 ** (-3 + 3 * 39 / 99), rel=1e-5)

    def test_raw_is_the_median_of_the_seeds_that_are_left(self):
        raw = np.array([[3.0, 9.0, np.nan], [4.0, 5.0, np.nan], [8.0, np.nan, np.nan]])
        curve = lr_finder_curve(made_curve([3.0, 2.5, 2.0], raw=raw))
        assert curve.raw == [4.0, 7.0, None]

    def test_a_quartile_that_diverged_is_a_gap(self):
        upper = np.array([3.1, np.nan, np.nan])
        curve = lr_finder_curve(made_curve([3.0, 2.5, 2.0], upper=upper))
        assert curve.upper == [3.1, None, None]
        band = next(t for t in plot_lr_finder(curve).to_plotly().data if t.name == "quartiles of seeds")
        assert (band.x, band.y) == ((1e-3, 1e-3), (2.95, 3.1))

    def test_marks_are_the_suggestions_on_the_curve(self):
        test = made_curve(valley())
        curve, found = lr_finder_curve(test), suggestions(test)
        assert {mark.name for mark in curve.marks} == set(RULES)
        for mark in curve.marks:
            assert mark.learning_rate == pytest.approx(found[mark.name][0], rel=1e-5)
            assert mark.loss == pytest.approx(2 + ((math.log10(mark.learning_rate) + 1) / 2) ** 2, abs=1e-3)
        rates = [mark.learning_rate for mark in curve.marks]
        assert rates == sorted(rates)

    def test_a_suggestion_outside_the_curve_has_no_mark(self):
        smoothed = 2 + (np.linspace(-3, 0, 1_000) + 2.5) ** 2
        test = made_curve(smoothed)
        assert suggestions(test)["minimum_over_ten"][0] < 1e-3
        assert "minimum_over_ten" not in {mark.name for mark in lr_finder_curve(test).marks}

    def test_without_suggestions_there_are_no_marks(self):
        curve = lr_finder_curve(made_curve(np.full(100, 3.0)))
        assert curve.marks == []
        assert len(plot_lr_finder(curve).data) == 3


class TestPlotLrFinder:
    @pytest.fixture
    def figure(self):
        return plot_lr_finder(lr_finder_curve(made_curve(valley()))).to_plotly()

    def test_axes_have_units_and_the_rate_is_logarithmic(self, figure):
        assert figure.layout.xaxis.type == "log"
        assert figure.layout.xaxis.title.text == "learning rate"
        assert figure.layout.yaxis.title.text == "training loss (nats per character)"

    def test_each_suggestion_has_a_shape_a_colour_and_a_label_of_its_own(self, figure):
        marks = [trace for trace in figure.data if trace.mode == "lines+markers"]
        assert len({trace.marker.symbol for trace in marks}) == 4
        assert len({trace.marker.color for trace in marks}) == 4
        labels = [note.text for note in figure.layout.annotations]
        assert len({note.yshift for note in figure.layout.annotations}) == 4
        for trace in marks:
            assert any(trace.name in label and f"<b>{trace.x[0]:.2g}</b>" in label for label in labels)

    def test_one_wild_raw_loss_does_not_flatten_the_picture(self):
        raw = np.tile(valley(), (5, 1))
        raw[:, 700] = 1e30
        figure = plot_lr_finder(lr_finder_curve(made_curve(valley(), raw=raw))).to_plotly()
        low, high = figure.layout.yaxis.range
        assert 1.5 < low < 2
        assert 3 < high < 3.5

    def test_one_seed_has_no_band(self, corpus):
        figure = plot_lr_finder(lr_finder_curve(range_test(CONFIG, corpus, seeds=1, steps=100).curve))
        assert [trace["name"] for trace in figure.data[:2]] == ["raw", "smoothed"]

    def test_a_flat_curve_has_a_range_to_stand_in(self):
        flat = np.full(10, 3.0)
        low, high = plot_lr_finder(lr_finder_curve(made_curve(flat, lower=flat, upper=flat))).layout["yaxis"][
            "range"
        ]
        assert low < 3 < high
