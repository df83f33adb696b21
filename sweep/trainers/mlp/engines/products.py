"""Compute matrix products for the fused engine, in registers.

A product is divided into *tiles*: some rows times some vectors of the result, which stay in registers while
the loop over the inner dimension adds to them. Each loaded vector is used for all rows of its tile, so
arithmetic rather than memory limits the speed. Compilers do not find this by themselves, so the innermost
loop is emitted here as vector instructions, once for each tile shape.

Arrays are float32. A dimension along vectors is padded to a multiple of ``LANES``.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba import types

from sweep.trainers.mlp.engines.vectors import (
    HAS_512_BITS,
    VECTOR,
    WIDTH,
    broadcast,
    cgutils,
    compiled,
    data_of,
    intrinsic,
    load_at,
    shuffle,
    store_at,
    sum_lanes,
)

# As many sums as fit into the registers (32 of 512 bits, else 16) beside the loaded vectors.
_ROWS, _VECTORS = (8, 2) if HAS_512_BITS else (6, 2)
_DOTS = 4 if HAS_512_BITS else 3
_DOT_BLOCK = 48
"""Number of rows of a that are multiplied with each few rows of b: whole tiles that fit into the L2 cache."""


@compiled
def product(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Set out = a @ b.

    Args:
        out: Shape (M, N), N a multiple of ``LANES``.
        a: At least M rows of at least K columns, in any layout, such as a transposed view.
        b: Shape (K, N).
    """
    rows, columns = out.shape
    row_step, step = a.strides[0] // 4, a.strides[1] // 4
    for column in range(0, columns, _VECTORS * WIDTH):
        vectors = min(_VECTORS, (columns - column) // WIDTH)
        for row in range(0, rows, _ROWS):
            shape = (min(_ROWS, rows - row), vectors, b.shape[0])
            _product_tile(
                shape, out, row * columns + column, columns, a, row * row_step, row_step, step, b, column
            )


@compiled
def product_transposed(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Set out = a @ b.T, the dot product of each row of a with each row of b.

    Args:
        out: At least M rows of at least N columns.
        a: Shape (M, K), K a multiple of ``LANES``.
        b: Shape (N, K).
    """
    rows, columns, depth = a.shape[0], b.shape[0], a.shape[1]
    row_length = out.shape[1]
    for block in range(0, rows, _DOT_BLOCK):
        end = min(block + _DOT_BLOCK, rows)
        for column in range(0, columns, _DOTS):
            for row in range(block, end, _DOTS):
                shape = (min(_DOTS, end - row), min(_DOTS, columns - column), depth)
                at = row * row_length + column
                _dot_tile(shape, out, at, row_length, a, row * depth, b, column * depth)


@compiled
def transpose(out: np.ndarray, a: np.ndarray) -> None:
    """Set out = a.T; both dimensions of both are multiples of ``LANES``."""
    rows, columns = a.shape
    for row in range(0, rows, WIDTH):
        for column in range(0, columns, WIDTH):
            _transpose_tile(out, column * rows + row, rows, a, row * columns + column, columns)


@intrinsic
def _product_tile(  # type: ignore[no-untyped-def]  # noqa: PLR0917 (positional is all an intrinsic takes)
    typing_context, shape, out, out_at, row_length, a, a_at, a_row, a_step, b, b_at
):
    """Compute a tile of ``shape`` rows x vectors of a product.

    Positions and steps count floats: the tile begins at ``out[out_at]`` and
    ``b[b_at]``, whose rows have ``row_length``; a's element (row, k) is
    ``a[a_at + row * a_row + k * a_step]``.
    """

    def generate(context, builder, kind, values):  # type: ignore[no-untyped-def]
        shape, out, out_at, row_length, a, a_at, a_row, a_step, b, b_at = values
        out, a, b = (data_of(context, builder, kind.args[i], values[i]) for i in (1, 4, 8))
        height, vectors, depth = cgutils.unpack_tuple(builder, shape)
        for rows, wide in _each_shape(builder, height, vectors, (_ROWS, _VECTORS)):
            sums = _zeroed_sums(builder, rows * wide)
            a_rows = [_advance(builder, a_at, a_row, row) for row in range(rows)]
            with cgutils.for_range(builder, depth) as loop:
                b_row = builder.add(b_at, builder.mul(loop.index, row_length))
                b_vectors = [load_at(builder, b, _advance(builder, b_row, WIDTH, v)) for v in range(wide)]
                for row in range(rows):
                    at = builder.add(a_rows[row], builder.mul(loop.index, a_step))
                    factor = broadcast(builder, builder.load(builder.gep(a, [at])))
                    for v in range(wide):
                        _add_product(builder, sums[row * wide + v], factor, b_vectors[v])
            for row in range(rows):
                out_row = _advance(builder, out_at, row_length, row)
                for v in range(wide):
                    at = _advance(builder, out_row, WIDTH, v)
                    store_at(builder, builder.load(sums[row * wide + v]), out, at)
        return context.get_dummy_value()

    i = types.intp
    return types.void(shape, out, i, i, a, i, i, i, b, i), generate


@intrinsic
def _dot_tile(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    typing_context, shape, out, out_at, out_row, a, a_at, b, b_at
):
    """Compute a tile of ``shape`` rows of a x rows of b of dot products."""

    def generate(context, builder, kind, values):  # type: ignore[no-untyped-def]
        shape, out, out_at, out_row, a, a_at, b, b_at = values
        out, a, b = (data_of(context, builder, kind.args[i], values[i]) for i in (1, 4, 6))
        height, width, depth = cgutils.unpack_tuple(builder, shape)
        for rows, columns in _each_shape(builder, height, width, (_DOTS, _DOTS)):
            sums = _zeroed_sums(builder, rows * columns)
            a_rows = [_advance(builder, a_at, depth, row) for row in range(rows)]
            b_rows = [_advance(builder, b_at, depth, column) for column in range(columns)]
            with cgutils.for_range_slice(builder, depth.type(0), depth, depth.type(WIDTH)) as (k, _):
                a_vectors = [load_at(builder, a, builder.add(at, k)) for at in a_rows]
                b_vectors = [load_at(builder, b, builder.add(at, k)) for at in b_rows]
                for n, total in enumerate(sums):
                    _add_product(builder, total, a_vectors[n // columns], b_vectors[n % columns])
            for n, total in enumerate(sums):
                at = _advance(builder, _advance(builder, out_at, out_row, n // columns), 1, n % columns)
                builder.store(sum_lanes(builder, builder.load(total)), builder.gep(out, [at]))
        return context.get_dummy_value()

    i = types.intp
    return types.void(shape, out, i, i, a, i, b, i), generate


@intrinsic
def _transpose_tile(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    typing_context, out, out_at, out_row, a, a_at, a_row
):
    """Transpose WIDTH x WIDTH floats: swap the off-diagonal blocks of half the size, and so on."""

    def generate(context, builder, kind, values):  # type: ignore[no-untyped-def]
        out, out_at, out_row, a, a_at, a_row = values
        out, a = (data_of(context, builder, kind.args[i], values[i]) for i in (0, 3))
        tile = [load_at(builder, a, _advance(builder, a_at, a_row, row)) for row in range(WIDTH)]
        half = WIDTH // 2
        while half:
            upper = [lane + WIDTH - half if lane & half else lane for lane in range(WIDTH)]
            lower = [lane + WIDTH if lane & half else lane + half for lane in range(WIDTH)]
            for row in (row for row in range(WIDTH) if not row & half):
                pair = tile[row], tile[row + half]
                tile[row] = shuffle(builder, *pair, upper)
                tile[row + half] = shuffle(builder, *pair, lower)
            half //= 2
        for row, vector in enumerate(tile):
            store_at(builder, vector, out, _advance(builder, out_at, out_row, row))
        return context.get_dummy_value()

    i = types.intp
    return types.void(out, i, i, a, i, i), generate


def _each_shape(builder: Any, first: Any, second: Any, largest: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Emit a switch on two values: yield each shape with the builder positioned in its case."""
    number = first.type
    done = builder.append_basic_block("done")
    switch = builder.switch(builder.add(builder.mul(first, number(256)), second), done)
    for rows in range(1, largest[0] + 1):
        for columns in range(1, largest[1] + 1):
            block = builder.append_basic_block(f"tile_{rows}x{columns}")
            switch.add_case(number(rows * 256 + columns), block)
            builder.position_at_end(block)
            yield rows, columns
            builder.branch(done)
    builder.position_at_end(done)


def _zeroed_sums(builder: Any, n: int) -> list[Any]:
    """Return ``n`` zeroed vectors, which the compiler keeps in registers."""
    sums = [cgutils.alloca_once(builder, VECTOR) for _ in range(n)]
    for total in sums:
        builder.store(ir.Constant(VECTOR, [0.0] * WIDTH), total)
    return sums


def _advance(builder: Any, at: Any, step: Any, times: int) -> Any:
    """Emit at + times * step."""
    step = at.type(step) if isinstance(step, int) else step
    return builder.add(at, builder.mul(step, at.type(times)))


def _add_product(builder: Any, total: Any, x: Any, y: Any) -> None:
    """Emit total += x * y, as one fused instruction if the machine has it."""
    flags = ("contract",)
    added = builder.fadd(builder.load(total), builder.fmul(x, y, flags=flags), flags=flags)
    builder.store(added, total)
