"""The unit cube: rows are configurations and back again, with conditions; distances are worked out."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.definition.dimension import Choices, Range
from sweep.definition.grid import grid_cell, grid_size
from sweep.definition.space import Space
from sweep.samplers.cube import Cube

MIXED = Space(
    {
        "learning_rate": Range(0.001, 0.1, log=True),
        "hidden_neurons": Range(1, 100, log=True),
        "dropout": Range(0.1, 0.7, step=0.2),
        "batch_size": Choices((64, 16, 32)),
        "schedule": Choices(("step", "cosine", "linear")),
        "decay_at": Range(0.0, 1.0),
        "steps": Range(2, 5),
        "fixed": Range(0.5, 0.5),
    },
    {"decay_at": {"schedule": ("step", "linear")}, "steps": {"decay_at": (0.25,), "schedule": ("step",)}},
)
DISCRETE = Space(
    {"width": Range(1, 9, log=True), "kind": Choices((True, False)), "at": Choices((8, 2, 4))},
    {"at": {"kind": (True,)}},
)


@given(units=st.lists(st.floats(0, 1, exclude_max=True), min_size=len(MIXED), max_size=len(MIXED)))
@settings(max_examples=100, deadline=None)
def test_snapping_is_proposing_at_a_point(units: list[float]) -> None:
    """A snapped row is the configuration at the point, its inactive part left out, and stays itself."""
    at = {name: MIXED[name].in_order().value_at(unit) for name, unit in zip(MIXED, units, strict=True)}
    expected = MIXED.active_part(at)
    cube = Cube(MIXED)
    row = cube.snapped(np.array([units]))
    params = cube.params(row[0])
    assert list(params) == list(expected)
    np.testing.assert_allclose(cube.rows([params, expected]), np.vstack([row, row]), atol=1e-9)


def test_a_condition_on_a_number_is_met_by_its_value() -> None:
    """What needs another hyperparameter that is inactive is inactive too."""
    cube = Cube(MIXED)
    units = np.full((3, len(MIXED)), 0.25)
    units[1, 4] = 0.5  # cosine
    units[2, 5] = 0.26
    steps = np.isnan(cube.snapped(units)[:, 6])
    assert steps.tolist() == [False, True, True]


def test_axes_are_worked_out() -> None:
    """Numbers in order, two choices of a category at distance 1, an inactive one in the middle and marked."""
    space = Space(
        {
            "batch_size": Choices((64, 16)),
            "schedule": Choices(("step", "cosine")),
            "decay_at": Range(0.0, 1.0),
        },
        {"decay_at": {"schedule": ("step",)}},
    )
    configurations: list[dict[str, Any]] = [
        {"batch_size": 64, "schedule": "step", "decay_at": 0.25},
        {"batch_size": 16, "schedule": "cosine"},
    ]
    cube = Cube(space)
    points = cube.axes(cube.rows(configurations))
    half = np.sqrt(0.5)
    np.testing.assert_allclose(points, [[0.75, half, 0, 0.25, 1], [0.25, 0, half, 0.5, 0]])
    assert np.linalg.norm(points[0, 1:3] - points[1, 1:3]) == pytest.approx(1)
    batch_size, step, cosine, decay_at, is_active = cube.scales
    assert step == cosine
    assert sorted({batch_size, step, decay_at, is_active}) == [0, 1, 2, 3]


def test_cells_are_those_of_the_grid() -> None:
    """Every configuration is among them; more than are wanted, or a continuous range, are none."""
    cube, n = Cube(DISCRETE), 9 * 2 * 3
    cells = cube.cells(n)
    assert cells is not None
    found = {tuple(cube.params(row).items()) for row in cells}
    assert found == {tuple(grid_cell(DISCRETE, k).items()) for k in range(grid_size(DISCRETE))}
    assert cube.cells(n - 1) is None
    assert Cube(MIXED).cells(10**9) is None


def test_a_range_with_equal_ends_is_one_cell() -> None:
    """Beside discrete hyperparameters it adds no configuration, whatever its kind."""
    for single in (Range(0.1, 0.1), Range(0.1, 0.1, log=True), Range(0.5, 0.5, step=0.2), Range(3, 3)):
        cube = Cube(Space({"single": single, "depth": Range(1, 4)}))
        cells = cube.cells(10)
        assert cells is not None
        assert [cube.params(row) for row in cells] == [
            {"single": single.low, "depth": n} for n in (1, 2, 3, 4)
        ]
        assert cells[:, 0].tolist() == [0.5] * 4
