"""Copy, add, scale and normalise single rows of a matrix for the fused engine."""

from typing import Any

import numpy as np

from sweep.trainers.mlp.engines.vectors import (
    WIDTH,
    compiled,
    exp,
    lane_max,
    lane_sum,
    larger,
    load,
    splat,
    store,
)

IMPOSSIBLE = np.float32(-1e30)
"""Bias of a padded symbol; finite, because zero times infinity is NaN."""


@compiled
def add_bias(rows: np.ndarray, row: int, bias: np.ndarray) -> Any:
    """Add the bias to a row and return the row's largest element."""
    largest = splat(IMPOSSIBLE)
    for j in range(0, rows.shape[1], WIDTH):
        x = load(rows, row, j) + load(bias, 0, j)
        largest = larger(x, largest)
        store(rows, row, j, x)
    return lane_max(largest)


@compiled
def exp_row(rows: np.ndarray, row: int, largest: np.float32) -> Any:
    """Set a row to exp(row - largest) and return its sum."""
    total = splat(0.0)
    for j in range(0, rows.shape[1], WIDTH):
        e = exp(load(rows, row, j) - largest)
        total += e
        store(rows, row, j, e)
    return lane_sum(total)


@compiled
def scale_row(rows: np.ndarray, row: int, factor: np.float32) -> None:
    """Multiply a row by a number."""
    for j in range(0, rows.shape[1], WIDTH):
        store(rows, row, j, load(rows, row, j) * factor)


@compiled
def copy_row(out: np.ndarray, out_row: int, rows: np.ndarray, row: int) -> None:
    """Copy a row to another row."""
    for j in range(0, rows.shape[1], WIDTH):
        store(out, out_row, j, load(rows, row, j))


@compiled
def add_row(out: np.ndarray, out_row: int, rows: np.ndarray, row: int) -> None:
    """Add a row to another row."""
    for j in range(0, rows.shape[1], WIDTH):
        store(out, out_row, j, load(out, out_row, j) + load(rows, row, j))


@compiled
def sum_rows(out: np.ndarray, rows: np.ndarray, first: int, n: int) -> None:
    """Set the only row of out to the sum of ``n`` rows."""
    for j in range(0, rows.shape[1], WIDTH):
        total = splat(0.0)
        for row in range(first, first + n):
            total += load(rows, row, j)
        store(out, 0, j, total)
