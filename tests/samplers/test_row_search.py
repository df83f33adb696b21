"""The search over rows: the best cell of a small space, near the optimum of a large one, neighbours."""

import numpy as np
import pytest

from sweep.definition.dimension import Choices, Range
from sweep.definition.space import Space
from sweep.samplers.cube import Cube
from sweep.samplers.row_search import by_score, crossed, neighbours

LARGE = Space(
    {
        "a": Range(0.0, 1.0),
        "b": Range(0.0, 1.0),
        "hidden_neurons": Range(1, 100, log=True),
        "batch_size": Choices((512, 32, 64, 16)),
        "schedule": Choices(("step", "cosine")),
        "decay_at": Range(0.0, 0.8),
    },
    {"decay_at": {"schedule": ("step",)}},
)


def test_a_small_space_is_scored_whole() -> None:
    """All cells come, in the order of their scores."""
    space = Space({"a": Range(1, 9), "b": Choices((1, 2, 3))})
    cube = Cube(space)
    rows = by_score(
        cube, lambda rows: -np.abs(rows - 0.5).sum(axis=1), np.empty((0, 2)), np.random.default_rng(0)
    )
    assert len(rows) == 27
    assert cube.params(rows[0]) == {"a": 5, "b": 2}


def test_the_best_of_a_large_space_is_nearly_found() -> None:
    """A smooth score with one peak: the first row is much closer to it than the best of as many draws."""
    cube, goal = Cube(LARGE), np.array([0.3, 0.7, 0.5, 0.6, 0.2, 0.9])

    def score(rows: np.ndarray) -> np.ndarray:
        return -np.asarray(((np.where(np.isnan(rows), 0.0, rows) - goal) ** 2).sum(axis=1))

    found = [
        by_score(cube, score, cube.snapped(np.full((1, 6), 0.5)), np.random.default_rng(k))[0]
        for k in range(5)
    ]
    at_best = score(cube.snapped(goal[None]))[0]
    draws = score(cube.snapped(np.random.default_rng(0).random((1_024, 6)))).max()
    assert np.median(score(np.array(found))) - at_best > (draws - at_best) / 4


def test_neighbours_keep_to_the_space_and_its_conditions() -> None:
    """Every neighbour differs; small moves are the most frequent; what becomes active is drawn."""
    cube = Cube(LARGE)
    point = {"a": 0.5, "b": 0.5, "hidden_neurons": 10, "batch_size": 64, "schedule": "cosine"}
    rows = neighbours(cube, cube.rows([point] * 200), np.random.default_rng(0))
    near = [cube.params(row) for row in rows]
    assert all(("decay_at" in other) == (other["schedule"] == "step") for other in near)
    assert np.mean([other != point for other in near]) > 0.85  # a category may move to the choice that it has
    assert {other["batch_size"] for other in near} == {16, 32, 64, 512}
    assert len({round(other["decay_at"], 6) for other in near if "decay_at" in other}) > 10
    moved = [abs(other["a"] - 0.5) for other in near if other["a"] != 0.5]
    assert 0.001 < np.median(moved) < 0.2
    assert np.nanmax(rows) < 1


def test_a_whole_number_moves_by_one_at_least() -> None:
    """A small step of a coarse range would otherwise go nowhere."""
    cube = Cube(Space({"width": Range(1, 4)}))
    rows = neighbours(cube, cube.rows([{"width": 2}] * 50), np.random.default_rng(0))
    widths = [cube.params(row)["width"] for row in rows]
    assert 2 not in widths
    assert {1, 3} <= set(widths)


def test_the_same_generator_gives_the_same_rows() -> None:
    """The search draws from its generator alone."""
    cube = Cube(LARGE)
    good = cube.snapped(np.full((2, 6), 0.3))
    first, second = (
        by_score(cube, lambda rows: rows[:, 0], good, np.random.default_rng(3)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("n", [1, 3, 50])
def test_any_number_of_good_rows_will_do(n: int) -> None:
    """One trial or many."""
    cube = Cube(LARGE)
    good = cube.snapped(np.random.default_rng(0).random((n, 6)))
    assert len(by_score(cube, lambda rows: rows[:, 0], good, np.random.default_rng(0))) > 500


def test_crossed_rows_have_near_parents_in_every_hyperparameter() -> None:
    """Each value is that of one of two good rows, but for the moved ones; both parents take part."""
    cube = Cube(Space({name: Range(0.0, 1.0) for name in "abcdefgh"}))
    good = np.stack([np.full(8, 0.25), np.full(8, 0.75)])
    rows = crossed(cube, good, 100, np.random.default_rng(0))
    first, second = (np.isclose(rows, value).mean() for value in (0.25, 0.75))
    assert first > 0.25
    assert second > 0.25
    assert ((rows == 0.25).any(axis=1) & (rows == 0.75).any(axis=1)).mean() > 0.8
    assert (~np.isclose(rows, 0.25) & ~np.isclose(rows, 0.75)).any(axis=1).all()


def test_crossed_rows_obey_conditions() -> None:
    """What is inactive in the row of one parent is drawn where the other makes it active."""
    cube = Cube(LARGE)
    good = cube.snapped(np.random.default_rng(0).random((6, 6)))
    for row in crossed(cube, good, 50, np.random.default_rng(1)):
        params = cube.params(row)
        assert ("decay_at" in params) == (params["schedule"] == "step")
