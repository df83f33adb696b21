"""A dimension: what it contains, its values at points of the unit interval, and its stored form."""

import json
import math
from collections import Counter
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.definition.dimension import Choices, Dimension, Range, stored_dimension
from sweep.definition.grid import grid_cell, grid_size
from sweep.definition.optuna_objects import distribution_of
from sweep.definition.space import Space

KINDS: list[tuple[Dimension, Any]] = [
    (Range(2, 8), 5),
    (Range(2, 8, step=3), 5),
    (Range(10, 500, log=True), 100),
    (Range(-1.0, 1.0), 0.25),
    (Range(0.1, 0.7, step=0.2), 0.3),
    (Range(1e-4, 1.0, log=True), 0.5),
    (Choices((64, 16)), 16),
    (Choices(("step", "é", "1")), "é"),
    (Choices((True, False)), False),
]


class TestStoredForm:
    @pytest.mark.parametrize(("dimension", "value"), KINDS)
    def test_optuna_writes_the_same_text(self, dimension: Dimension, value: Any) -> None:
        """Optuna's own JSON and stored number of a value are the oracles, keys in their order included."""
        distribution = distribution_of(dimension)
        assert json.dumps(dimension.to_json()) == optuna.distributions.distribution_to_json(distribution)
        assert dimension.internal(value) == distribution.to_internal_repr(value)

    @pytest.mark.parametrize(("dimension", "value"), KINDS)
    def test_a_stored_dimension_is_read_again(self, dimension: Dimension, value: Any) -> None:
        """Kinds of numbers survive JSON."""
        found = stored_dimension(json.loads(json.dumps(dimension.to_json())))
        assert found == dimension
        assert type(found.low) is type(dimension.low)

    @pytest.mark.parametrize(
        "stored",
        [
            {},
            {"name": "Unknown", "attributes": {}},
            {"name": "CategoricalDistribution", "attributes": {"choices": []}},
            {"name": "IntDistribution", "attributes": {"low": 1, "high": 2, "log": False}},
            {"name": "IntDistribution", "attributes": {"low": 1.5, "high": 2, "log": False, "step": 1}},
            {"name": "FloatDistribution", "attributes": {"low": 2, "high": 1, "log": False, "step": None}},
            {"name": "FloatDistribution", "attributes": {"low": 0, "high": 1, "log": True, "step": None}},
            {"name": "FloatDistribution", "attributes": {"low": 0, "high": 1, "log": False, "step": -0.1}},
        ],
    )
    def test_what_is_no_dimension_is_refused(self, stored: dict[str, Any]) -> None:
        """The errors are those that the reader of a damaged database expects."""
        with pytest.raises((ValueError, KeyError, TypeError)):
            stored_dimension(stored)


class TestContains:
    @pytest.mark.parametrize(
        ("dimension", "inside", "outside"),
        [
            (Range(2, 8), [2, 5, 8], [1, 9]),
            (Range(2, 8, step=3), [2, 5, 8], [3, 4, 11]),
            (Range(2, 8, log=True), [2, 3, 8], [1, 9]),
            (Range(0.1, 1.0), [0.1, 0.5, 1.0], [0.0999, 1.0001]),
            (Range(0.1, 0.7, step=0.2), [0.1, 0.3, 0.5, 0.7], [0.2, 0.9]),
            (Range(0.1, 1.0, log=True), [0.1, 0.2, 1.0], [0.01, 2.0]),
            (Choices((16, 64)), [16, 64], [32]),
            (Choices(("step",)), ["step"], ["cosine"]),
        ],
    )
    def test_ends_and_steps_are_inside_and_the_rest_is_not(
        self, dimension: Any, inside: list[Any], outside: list[Any]
    ) -> None:
        """What stands on the range is in the space, its step included."""
        assert all(dimension.contains(value) for value in inside)
        assert not any(dimension.contains(value) for value in outside)


class TestValueAt:
    @pytest.mark.parametrize(
        ("dimension", "values"),
        [
            (Range(2, 5), [2, 3, 4, 5]),
            (Range(10, 40, step=10), [10, 20, 30, 40]),
            (Choices(("a", "b", "c", "d")), ["a", "b", "c", "d"]),
            (Range(0.1, 0.7, step=0.2), [0.1, 0.3, 0.5, 0.7]),
        ],
    )
    def test_values_have_equal_shares_of_the_unit_interval(self, dimension: Any, values: list[Any]) -> None:
        """Four values take a quarter each, the quarter's lower end included."""
        units = [k / 400 for k in range(400)]
        found = [dimension.value_at(unit) for unit in units]
        expected = [value for value in values for _ in range(100)]
        assert found == (pytest.approx(expected) if isinstance(values[0], float) else expected)

    def test_continuous_range_is_uniform_between_its_ends(self) -> None:
        """A third of the way is a third of the range; both ends can be reached."""
        dimension = Range(-1.0, 5.0)
        assert dimension.value_at(0.0) == -1.0
        assert dimension.value_at(1 / 3) == pytest.approx(1.0)
        assert dimension.value_at(math.nextafter(1.0, 0)) == pytest.approx(5.0)

    def test_logarithmic_range_is_uniform_in_the_logarithm(self) -> None:
        """Half way from 0.001 to 10 is 0.1, a quarter is 0.01; no rounding leaves the range."""
        dimension = Range(0.001, 10.0, log=True)
        for unit, value in ((0.0, 0.001), (0.25, 0.01), (0.5, 0.1), (0.75, 1.0)):
            assert dimension.value_at(unit) == pytest.approx(value, rel=1e-12)
        for unit in (0.0, math.nextafter(1.0, 0)):
            assert 0.001 <= dimension.value_at(unit) <= 10.0

    def test_logarithmic_whole_numbers_have_the_shares_of_their_logarithms(self) -> None:
        """k takes what log(k + 1/2) - log(k - 1/2) is of the whole, from 1 to 4."""
        dimension = Range(1, 4, log=True)
        n = 100_000
        counts = Counter(dimension.value_at((i + 0.5) / n) for i in range(n))
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
        dimension = Range(low, low + steps * step, step=None if log else step, log=log)
        value = dimension.value_at(unit)
        assert type(value) is int
        assert dimension.contains(value)

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
        dimension = Range(float(low), float(low + steps * step), step=float(step))
        assert dimension.contains(dimension.value_at(unit))
        space = Space({"momentum": dimension})
        assert grid_size(space) == steps + 1
        assert dimension.contains(grid_cell(space, steps)["momentum"])
