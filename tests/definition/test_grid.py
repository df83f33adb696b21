"""The grid's cells: each distinct combination of active hyperparameters once."""

import pytest

from sweep.definition.dimension import Choices, Range
from sweep.definition.grid import grid_cell, grid_size
from sweep.definition.space import Space


def test_cells_are_counted_through_with_the_last_dimension_fastest() -> None:
    """Two by three by two cells, in the order of nested loops."""
    space = Space(
        {
            "block_size": Choices((4, 2)),
            "batch_size": Range(8, 16, step=4),
            "momentum": Range(0.0, 0.9, step=0.9),
        }
    )
    expected = [
        {"block_size": block, "batch_size": batch, "momentum": momentum}
        for block in (4, 2)
        for batch in (8, 12, 16)
        for momentum in (0.0, 0.9)
    ]
    cells = [grid_cell(space, number) for number in range(grid_size(space))]
    assert cells == expected
    assert [list(cell) for cell in cells] == [list(space)] * 12


def test_decimal_steps_stay_inside() -> None:
    """The last cell of 0.1, 0.2, 0.3 is 0.3, which the space contains."""
    space = Space({"momentum": Range(0.1, 0.3, step=0.1)})
    values = [grid_cell(space, number)["momentum"] for number in range(grid_size(space))]
    assert values == pytest.approx([0.1, 0.2, 0.3])
    assert all(space["momentum"].contains(value) for value in values)


def test_huge_grid_is_counted_without_being_made() -> None:
    """A range of 10**9 values by another has 10**18 cells, and the last can be named."""
    space = Space(
        {
            "num_steps": Range(1, 10**9),
            "batch_size": Range(1, 10**9),
        }
    )
    assert grid_size(space) == 10**18
    assert grid_cell(space, 10**18 - 1) == {"num_steps": 10**9, "batch_size": 10**9}
    assert grid_cell(space, 10**9) == {"num_steps": 2, "batch_size": 1}


def test_inactive_hyperparameters_multiply_nothing() -> None:
    """Three decay points belong to one of two schedules: 2 x (3 + 1) cells, counted by hand."""
    space = Space(
        {
            "block_size": Range(2, 3),
            "decay_at": Range(0.3, 0.9, step=0.3),
            "schedule": Choices(("step", "cosine")),
        },
        {"decay_at": {"schedule": ("step",)}},
    )
    cells = [tuple(grid_cell(space, number).items()) for number in range(grid_size(space))]
    step = [
        (("block_size", block), ("decay_at", pytest.approx(at)), ("schedule", "step"))
        for block in (2, 3)
        for at in (0.3, 0.6, 0.9)
    ]
    cosine = [(("block_size", block), ("schedule", "cosine")) for block in (2, 3)]
    assert cells == step + cosine


def test_conditions_on_conditional_hyperparameters_are_followed() -> None:
    """a = 1 opens b, b = 2 opens c: (0), (1, 1), (1, 2, c) for two c are four cells."""
    numbers = Range(1, 2)
    space = Space(
        {"c": numbers, "b": numbers, "a": Range(0, 1)},
        {"b": {"a": (1,)}, "c": {"b": (2,)}},
    )
    cells = [grid_cell(space, number) for number in range(grid_size(space))]
    assert cells == [{"a": 0}, {"b": 1, "a": 1}, {"c": 1, "b": 2, "a": 1}, {"c": 2, "b": 2, "a": 1}]
