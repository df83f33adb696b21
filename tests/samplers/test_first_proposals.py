"""The first proposals: one in each part of every range, or cheap ones."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from sweep.definition.dimension import Choices, Range
from sweep.definition.space import Space
from sweep.samplers.first_proposals import N_FIRST, even_point, first_proposal

SPACE = Space(
    {"a": Range(0.0, 1.0), "b": Range(1, 100, log=True), "kind": Choices(("x", "y")), "c": Range(0.0, 1.0)},
    {"c": {"kind": ("x",)}},
)


def never(params: Mapping[str, Any]) -> bool:
    return False


@pytest.mark.parametrize("block", [0, 1, 7])
def test_each_part_of_every_axis_holds_one_point(block: int) -> None:
    """Five points of one block lie in the five fifths of each of three axes; other seeds have others."""
    numbers = range(block * N_FIRST, (block + 1) * N_FIRST)
    points = np.array([even_point(3, 4, number) for number in numbers])
    parts = np.sort(np.floor(points * N_FIRST), axis=0)
    np.testing.assert_array_equal(parts, np.tile(np.arange(N_FIRST)[:, None], (1, 3)))
    assert (even_point(3, 5, 0) != points[0]).all()


def test_with_equal_work_the_even_points_are_proposed() -> None:
    """Values at the points, without what is inactive; a factor of 1.1 in the work is no difference."""
    for number in range(2 * N_FIRST):
        units = even_point(len(SPACE), 3, number).tolist()
        at = {name: SPACE[name].value_at(unit) for name, unit in zip(SPACE, units, strict=True)}
        for work in (lambda params: 7.0, lambda params: 7.0 + params["a"] / 2):
            assert first_proposal(SPACE, never, work, 3, number) == SPACE.active_part(at)


def test_where_work_differs_the_first_are_cheap() -> None:
    """Of two draws the cheaper one: its median is a third of the range of b, on a logarithmic scale."""
    drawn = [first_proposal(SPACE, never, lambda params: params["b"], 3, number) for number in range(20)]
    assert np.median([params["b"] for params in drawn]) <= 3
    assert len({params["a"] for params in drawn}) == 20


def test_what_was_tried_is_not_proposed_if_anything_else_is_left() -> None:
    """Of two configurations the other one; if both were tried, one of them again."""
    space = Space({"kind": Choices(("x", "y"))})
    for kind, other in (("x", "y"), ("y", "x")):
        found = [
            first_proposal(space, lambda p, k=kind: p["kind"] == k, lambda p: 1.0, 0, n) for n in range(9)
        ]
        assert {params["kind"] for params in found} == {other}
    assert first_proposal(space, lambda params: True, lambda params: 1.0, 0, 0)["kind"] in ("x", "y")


def test_no_work_is_no_mistake() -> None:
    """A trainer may count no work at all."""
    assert first_proposal(SPACE, never, lambda params: 0.0, 3, 1) == first_proposal(
        SPACE, never, lambda params: 1.0, 3, 1
    )
