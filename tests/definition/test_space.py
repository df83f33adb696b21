"""The search space: rules of an entry, cells of the grid, points of the unit interval."""

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from sweep.definition.grid import grid_cell, grid_size
from sweep.definition.space import Space, contains, parse_space, space_of_list, value_at
from sweep.errors import StudyFileError
from sweep.tasks.mlp.trainer import MLP


def parse(**entries: Any) -> dict[str, Any]:
    return parse_space(entries, MLP)


class TestParsing:
    def test_entries_become_distributions(self) -> None:
        """Each kind of entry is the distribution of that meaning."""
        assert parse(
            block_size={"low": 2, "high": 8},
            hidden_neurons={"low": 10, "high": 500, "log": True},
            batch_size={"choices": [16, 32]},
            num_steps={"low": 1_000, "high": 5_000, "step": 500},
            learning_rate={"low": 0.001, "high": 1, "log": True},
            momentum={"low": 0, "high": 0.9, "step": 0.3},
            schedule={"choices": ["step", "cosine"]},
        ) == {
            "block_size": IntDistribution(2, 8),
            "hidden_neurons": IntDistribution(10, 500, log=True),
            "batch_size": CategoricalDistribution([16, 32]),
            "num_steps": IntDistribution(1_000, 5_000, step=500),
            "learning_rate": FloatDistribution(0.001, 1.0, log=True),
            "momentum": FloatDistribution(0.0, 0.9, step=0.3),
            "schedule": CategoricalDistribution(["step", "cosine"]),
        }

    def test_order_of_the_file_does_not_matter(self) -> None:
        """Two spellings of one space are one space, in one order, so that proposals are the same."""
        one = parse(batch_size={"choices": [2, 4]}, block_size={"low": 1, "high": 3})
        two = parse(block_size={"high": 3, "low": 1}, batch_size={"choices": [2, 4]})
        assert list(one.items()) == list(two.items())

    def test_range_of_one_value_is_taken(self) -> None:
        """Equal ends are a range of one value."""
        assert parse(block_size={"low": 3, "high": 3}) == {"block_size": IntDistribution(3, 3)}

    def test_choices_of_numbers_take_the_type_of_their_field(self) -> None:
        """``1`` among learning rates is 1.0."""
        choices = parse(learning_rate={"choices": [1, 0.1]})["learning_rate"].choices
        assert [(value, type(value)) for value in choices] == [(1.0, float), (0.1, float)]

    @pytest.mark.parametrize(
        ("name", "entry", "message"),
        [
            (
                "hidden",
                {"low": 1, "high": 2},
                r"unknown hyperparameter 'hidden' in \[search\]; did you mean hidden_neurons\? known: bl",
            ),
            ("seed", {"low": 1, "high": 2}, r"unknown hyperparameter 'seed'"),
            ("block_size", 3, r"search\.block_size must be \{ low = …, high = … \} or .*got 3$"),
            ("block_size", [2, 3], r"search\.block_size must be .*got \[2, 3\]$"),
            ("block_size", {}, r"search\.block_size must be .*got \{\}$"),
            (
                "block_size",
                {"low": 2, "hgih": 3},
                r"unknown key 'hgih' in search\.block_size; did you mean high\? known: high",
            ),
            (
                "block_size",
                {"choices": [1], "low": 1},
                r"unknown key 'low' in search\.block_size; known: c",
            ),
            ("block_size", {"low": 2}, r"search\.block_size lacks 'high'"),
            ("block_size", {"high": 2}, r"search\.block_size lacks 'low'"),
            ("block_size", {"low": 3, "high": 2}, r"search\.block_size is empty: low 3 is above high 2"),
            ("block_size", {"low": 0, "high": 2}, r"search\.block_size must be from 1 to 256, got 0"),
            ("block_size", {"low": 2, "high": 257}, r"search\.block_size must be from 1 to 256, got 257"),
            ("block_size", {"low": "2", "high": 3}, r"search\.block_size must be a whole number, got '2'"),
            ("block_size", {"low": 2.0, "high": 3}, r"search\.block_size must be a whole number, got 2\.0"),
            ("block_size", {"low": True, "high": 3}, r"search\.block_size must be a whole number, got True"),
            ("block_size", {"low": 0, "high": 8, "log": True}, r"search\.block_size is log.*got low 0$"),
            ("momentum", {"low": 0.0, "high": 0.5, "log": True}, r"search\.momentum is log.*got low 0\.0$"),
            ("weight_decay", {"low": -1, "high": 0.5, "log": True}, r"search\.weight_decay is log.*low -1$"),
            (
                "block_size",
                {"low": 1, "high": 8, "log": 1},
                r"search\.block_size\.log must be true or.* 1$",
            ),
            ("block_size", {"low": 1, "high": 8, "log": True, "step": 1}, r"block_size .* both log and step"),
            (
                "block_size",
                {"low": 2, "high": 9, "step": 2},
                r"block_size: steps of 2 from 2 do not .* 9",
            ),
            (
                "momentum",
                {"low": 0, "high": 0.9, "step": 0.2},
                r"steps of 0\.2 from 0\.0 do not reach .* 0\.9",
            ),
            ("momentum", {"low": 0, "high": 0.1, "step": 0.2}, r"momentum: steps of 0\.2"),
            ("block_size", {"low": 2, "high": 8, "step": 0}, r"block_size\.step must be .* above 0 .*got 0$"),
            ("block_size", {"low": 2, "high": 8, "step": -2}, r"block_size\.step must be .*got -2$"),
            ("block_size", {"low": 2, "high": 8, "step": 1.5}, r"block_size\.step must be .*got 1\.5$"),
            ("block_size", {"low": 2, "high": 8, "step": True}, r"block_size\.step must be .*got True$"),
            ("momentum", {"low": 0, "high": 0.5, "step": math.nan}, r"momentum\.step must be .*got nan$"),
            ("momentum", {"low": 0, "high": 0.5, "step": math.inf}, r"momentum\.step must be .*got inf$"),
            ("momentum", {"low": 0, "high": 0.5, "step": 1e-30}, r"momentum\.step must leave .*got 1e-30$"),
            ("momentum", {"low": math.nan, "high": 0.5}, r"search\.momentum must be from 0.*got nan"),
            ("learning_rate", {"low": 0.1, "high": math.inf}, r"search\.learning_rate must be .*got inf"),
            ("schedule", {"low": 1, "high": 2}, r"search\.schedule is a text and needs choices"),
            ("block_size", {"choices": []}, r"search\.block_size\.choices must be a list .*got \[\]$"),
            ("block_size", {"choices": 3}, r"search\.block_size\.choices must be a list .*got 3$"),
            ("block_size", {"choices": [2, 2]}, r"search\.block_size\.choices holds 2 twice"),
            ("learning_rate", {"choices": [1, 1.0]}, r"search\.learning_rate\.choices holds 1\.0 twice"),
            ("block_size", {"choices": [1, True]}, r"search\.block_size must be a whole number, got True"),
            ("learning_rate", {"choices": [1, True]}, r"search\.learning_rate must be a number, got True"),
            ("block_size", {"choices": [1, 1.0]}, r"search\.block_size must be a whole number, got 1\.0"),
            ("block_size", {"choices": [0, 2]}, r"search\.block_size must be from 1 to 256, got 0"),
            ("schedule", {"choices": ["linear"]}, r"search\.schedule must be step or cosine, got 'linear'"),
        ],
    )
    def test_entry_that_breaks_a_rule_is_refused(self, name: str, entry: Any, message: str) -> None:
        """The refusal names the key, the value and the rule."""
        with pytest.raises(StudyFileError, match=message):
            parse(**{name: entry})

    @pytest.mark.parametrize(
        ("low", "high", "step"), [(0.1, 0.3, 0.1), (0.0, 0.9, 0.3), (0.01, 0.07, 0.02), (0.1, 0.7, 0.2)]
    )
    def test_decimal_steps_reach_their_end(self, low: float, high: float, step: float) -> None:
        """0.1, 0.2, 0.3 is a range, although 0.1 + 0.1 + 0.1 is not 0.3 in binary."""
        assert parse(momentum={"low": low, "high": high, "step": step})["momentum"].high == high


class TestSpaceOfList:
    def test_it_is_the_smallest_that_holds_all(self) -> None:
        """Ranges go from the least to the greatest value, texts are the choices that occur."""
        listed = [
            {"learning_rate": 1, "block_size": 5, "schedule": "step"},
            {"block_size": 2, "learning_rate": 0.1, "schedule": "cosine"},
            {"block_size": 3, "learning_rate": 0.3, "schedule": "step"},
        ]
        assert space_of_list(listed, MLP) == {
            "block_size": IntDistribution(2, 5),
            "learning_rate": FloatDistribution(0.1, 1.0),
            "schedule": CategoricalDistribution(["cosine", "step"]),
        }
        assert space_of_list([], MLP) == {}

    @pytest.mark.parametrize(
        ("listed", "message"),
        [
            (
                [{"block_size": 2, "batch_size": 8}, {"block_size": 2}],
                r"same .*; one lacks batch_size",
            ),
            (
                [{"block_size": 2}, {"block_size": 2, "batch_size": 8}],
                r"same .*; one lacks batch_size",
            ),
            ([{"block_size": 2, "seed": 1}], r"unknown key 'seed' in \[\[trial\]\]"),
            ([{"blocksize": 2}], r"unknown key 'blocksize' in \[\[trial\]\]; known: block_size"),
        ],
    )
    def test_uneven_or_unknown_lists_are_refused(self, listed: list[dict[str, Any]], message: str) -> None:
        """All configurations set the same, known hyperparameters; a seed is none."""
        with pytest.raises(StudyFileError, match=message):
            space_of_list(listed, MLP)


class TestContains:
    @pytest.mark.parametrize(
        ("dimension", "inside", "outside"),
        [
            (IntDistribution(2, 8), [2, 5, 8], [1, 9]),
            (IntDistribution(2, 8, step=3), [2, 5, 8], [3, 4, 11]),
            (IntDistribution(2, 8, log=True), [2, 3, 8], [1, 9]),
            (FloatDistribution(0.1, 1.0), [0.1, 0.5, 1.0], [0.0999, 1.0001]),
            (FloatDistribution(0.1, 0.7, step=0.2), [0.1, 0.3, 0.5, 0.7], [0.2, 0.9]),
            (FloatDistribution(0.1, 1.0, log=True), [0.1, 0.2, 1.0], [0.01, 2.0]),
            (CategoricalDistribution([16, 64]), [16, 64], [32]),
            (CategoricalDistribution(["step"]), ["step"], ["cosine"]),
        ],
    )
    def test_ends_and_steps_are_inside_and_the_rest_is_not(
        self, dimension: Any, inside: list[Any], outside: list[Any]
    ) -> None:
        """What stands on the range is in the space, its step included."""
        assert all(contains(dimension, value) for value in inside)
        assert not any(contains(dimension, value) for value in outside)


class TestValueAt:
    @pytest.mark.parametrize(
        ("dimension", "values"),
        [
            (IntDistribution(2, 5), [2, 3, 4, 5]),
            (IntDistribution(10, 40, step=10), [10, 20, 30, 40]),
            (CategoricalDistribution(["a", "b", "c", "d"]), ["a", "b", "c", "d"]),
            (FloatDistribution(0.1, 0.7, step=0.2), [0.1, 0.3, 0.5, 0.7]),
        ],
    )
    def test_values_have_equal_shares_of_the_unit_interval(self, dimension: Any, values: list[Any]) -> None:
        """Four values take a quarter each, the quarter's lower end included."""
        units = [k / 400 for k in range(400)]
        found = [value_at(dimension, unit) for unit in units]
        expected = [value for value in values for _ in range(100)]
        assert found == (pytest.approx(expected) if isinstance(values[0], float) else expected)

    def test_continuous_range_is_uniform_between_its_ends(self) -> None:
        """A third of the way is a third of the range; both ends can be reached."""
        dimension = FloatDistribution(-1.0, 5.0)
        assert value_at(dimension, 0.0) == -1.0
        assert value_at(dimension, 1 / 3) == pytest.approx(1.0)
        assert value_at(dimension, math.nextafter(1.0, 0)) == pytest.approx(5.0)

    def test_logarithmic_range_is_uniform_in_the_logarithm(self) -> None:
        """Half way from 0.001 to 10 is 0.1, a quarter is 0.01; no rounding leaves the range."""
        dimension = FloatDistribution(0.001, 10.0, log=True)
        for unit, value in ((0.0, 0.001), (0.25, 0.01), (0.5, 0.1), (0.75, 1.0)):
            assert value_at(dimension, unit) == pytest.approx(value, rel=1e-12)
        for unit in (0.0, math.nextafter(1.0, 0)):
            assert 0.001 <= value_at(dimension, unit) <= 10.0

    def test_logarithmic_whole_numbers_have_the_shares_of_their_logarithms(self) -> None:
        """k takes what log(k + 1/2) - log(k - 1/2) is of the whole, from 1 to 4."""
        dimension = IntDistribution(1, 4, log=True)
        n = 100_000
        counts = Counter(value_at(dimension, (i + 0.5) / n) for i in range(n))
        for k in (1, 2, 3, 4):
            share = math.log((k + 0.5) / (k - 0.5)) / math.log(4.5 / 0.5)
            assert counts[k] / n == pytest.approx(share, abs=1e-4)

    @given(
        low=st.integers(1, 1_000),
        steps=st.integers(0, 50),
        step=st.integers(1, 20),
        log=st.booleans(),
        unit=st.floats(0, 1, exclude_max=True),
    )
    @settings(max_examples=200, deadline=None)
    def test_every_value_lies_in_its_dimension(
        self, low: int, steps: int, step: int, log: bool, unit: float
    ) -> None:
        """Whole-number ranges of any step or logarithmic contain what is proposed."""
        dimension = IntDistribution(low, low + steps * step, step=1 if log else step, log=log)
        value = value_at(dimension, unit)
        assert type(value) is int
        assert contains(dimension, value)

    @given(
        low=st.decimals(0, 10, places=3),
        steps=st.integers(0, 60),
        step=st.decimals("0.001", 2, places=3),
        unit=st.floats(0, 1, exclude_max=True),
    )
    @settings(max_examples=200, deadline=None)
    def test_decimal_steps_never_leave_their_dimension(
        self, low: Any, steps: int, step: Any, unit: float
    ) -> None:
        """Ranges of decimal numbers contain what is proposed and what the grid visits."""
        dimension = FloatDistribution(float(low), float(low + steps * step), step=float(step))
        assert contains(dimension, value_at(dimension, unit))
        space = Space({"momentum": dimension})
        assert grid_size(space) == steps + 1
        assert contains(dimension, grid_cell(space, steps)["momentum"])
