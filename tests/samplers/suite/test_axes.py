import pytest

from sweep.definition.dimension import Choices, Range
from sweep.definition.space import Space
from tests.benchmarks.samplers.axes import CATEGORY, REAL, WHOLE, Axis, axes, configuration, value


def test_numeric_choices_are_places_in_their_order() -> None:
    """128, 32, 64 has the places 32, 64, 128."""
    dimension = Choices((128, 32, 64))
    assert axes(Space({"x": dimension})) == {"x": Axis(WHOLE, 0, 2)}
    assert [value(dimension, place) for place in range(3)] == [32, 64, 128]


def test_other_choices_are_categories() -> None:
    """True and false are no numbers."""
    space = Space({"x": Choices((True, False)), "y": Choices(("a", "b", "c"))})
    assert [axis.kind for axis in axes(space).values()] == [CATEGORY, CATEGORY]
    assert axes(space)["y"].places == [0, 1, 2]
    assert value(space["x"], 0) is True


def test_ranges_keep_ends_and_scale() -> None:
    """What a library gives back, floats or numbers of NumPy, becomes a value of the range."""
    space = Space({"n": Range(1, 9), "r": Range(0.1, 10.0, log=True)})
    assert axes(space) == {"n": Axis(WHOLE, 1, 9), "r": Axis(REAL, 0.1, 10.0, log=True)}
    assert value(space["n"], 3.0) == 3
    assert type(value(space["n"], 3.0)) is int
    assert value(space["r"], 10.000000000000002) == pytest.approx(10.0)
    assert value(space["r"], 10.000000000000002) <= 10.0


def test_a_point_loses_what_is_inactive() -> None:
    """The depth belongs to model b."""
    space = Space({"model": Choices(("a", "b")), "depth": Range(1, 9)}, {"depth": {"model": ("b",)}})
    assert configuration(space, {"model": 0, "depth": 4}) == {"model": "a"}
    assert configuration(space, {"model": 1, "depth": 4}) == {"model": "b", "depth": 4}
