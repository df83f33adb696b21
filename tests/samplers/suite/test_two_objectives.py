"""The benchmark of two objectives: the area, and that a search does not depend on what is measured."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sweep.definition.dimension import Choices
from sweep.definition.space import Space
from tests.benchmarks.samplers.task import Task, cells
from tests.benchmarks.samplers.two_objectives import COUNTS, SEARCHES, dominated, scale_of, search, true_point

SPACE = Space({"a": Choices(tuple(range(12))), "b": Choices(tuple(range(12)))})
TASK = Task(
    space=SPACE,
    loss=lambda params, seed: (params["a"] - 9) ** 2 + params["b"],
    seconds=lambda params: 1.0 + params["a"] + params["b"] ** 2,
    scale=np.arange(100.0),
)


def test_the_area_is_the_share_of_dominated_cells() -> None:
    """Counted on a fine grid, for points with equal coordinates and some beyond the reference too."""
    generator = np.random.default_rng(0)
    ticks = (np.arange(400) + 0.5) / 400
    for n in (0, 1, 2, 15):
        points = np.round(1.2 * generator.random((n, 2)), 1)
        below = (points[:, None, None, 0] <= ticks[:, None]) & (points[:, None, None, 1] <= ticks)
        assert_allclose(dominated(points), below.any(axis=0).mean(), atol=1e-9)


def test_the_whole_table_has_the_area_1_and_a_part_less() -> None:
    """By the scale of the table itself."""
    scale = scale_of(TASK)
    points = np.array([true_point(TASK, params) for params in cells(SPACE)])
    assert scale.area(points) == pytest.approx(1)
    assert 0 < scale.area(points[96:98]) < 1  # a = 8


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_gives_growing_areas_and_the_same_again(name: str) -> None:
    """One for each number of trials."""
    scale = scale_of(TASK)
    areas = search(name, TASK, scale, 3)
    assert len(areas) == len(COUNTS)
    assert areas == sorted(areas)
    assert 0 < areas[-1] <= 1
    assert search(name, TASK, scale, 3) == areas
