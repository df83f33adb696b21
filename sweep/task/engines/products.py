"""Matrix products for the fused engine, at the speed of the machine's vector registers.

A product is cut into *tiles*: some rows times some vectors of the result that stay in
registers while the loop over the inner dimension adds to them. Every vector that is loaded
serves all rows of its tile, so that arithmetic and not memory sets the speed. A compiler does
not find this by itself: it vectorises one loop, not three. So the innermost loop is emitted
here as LLVM instructions on whole vectors, once for each shape of a tile; everything else in
the engine is ordinary Numba.

Arrays are float32. A dimension that lies along vectors is padded to a multiple of ``LANES``.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
"""Floats that rows are padded to: a 512-bit vector, two of 256 bits or four of 128."""

_CPU = llvmlite.binding.get_host_cpu_features()
_WIDTH = 16 if _CPU.get("avx512f") else 8
_ROWS, _VECTORS = (8, 2) if _CPU.get("avx512f") else (6, 1)
_DOTS = 4

_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, _WIDTH)
_ZERO = ir.Constant(_VECTOR, [0.0] * _WIDTH)
_INDEX = types.intp


@njit(nogil=True, cache=True, error_model="numpy")
def product(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Set out = a @ b.

    Args:
        out: Shape (M, N), N a multiple of ``LANES``.
        a: At least M rows of at least K columns, of any layout (a transposed view is as good).
        b: Shape (K, N).
    """
    rows, columns = out.shape
    a_row, a_k = a.strides[0] // 4, a.strides[1] // 4
    for column in range(0, columns, _VECTORS * _WIDTH):
        vectors = min(_VECTORS, (columns - column) // _WIDTH)
        for row in range(0, rows, _ROWS):
            height = min(_ROWS, rows - row)
            at = row * columns + column
            _product_tile(
                height, vectors, out, at, columns, a, row * a_row, a_row, a_k, b, column, b.shape[0]
            )


@njit(nogil=True, cache=True, error_model="numpy")
def product_transposed(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Set out = a @ b.T, the dot product of each row of a with each row of b.

    Args:
        out: At least M rows of at least N columns.
        a: Shape (M, K), K a multiple of ``LANES``.
        b: Shape (N, K).
    """
    rows, columns, depth = a.shape[0], b.shape[0], a.shape[1]
    for row in range(0, rows, _DOTS):
        height = min(_DOTS, rows - row)
        for column in range(0, columns, _DOTS):
            width = min(_DOTS, columns - column)
            at = row * out.shape[1] + column
            _dot_tile(height, width, out, at, out.shape[1], a, row * depth, b, column * depth, depth)


@intrinsic  # type: ignore[untyped-decorator]
def _product_tile(  # type: ignore[no-untyped-def]
    typing_context, height, vectors, out, out_at, out_row, a, a_at, a_row, a_k, b, b_at, depth
):
    """Compute ``height`` rows x ``vectors`` vectors of a product.

    Positions and steps count floats: a's element (row, k) is ``a[a_at + row * a_row + k * a_k]``,
    b's row k begins at ``b[b_at + k * out_row]``, a row of the result at ``out[out_at + row * out_row]``.
    """

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        height, vectors, out, out_at, out_row, a, a_at, a_row, a_k, b, b_at, depth = args
        out, a, b = (_data(context, builder, signature.args[i], args[i]) for i in (2, 5, 9))
        shapes = [(rows, wide) for rows in range(1, _ROWS + 1) for wide in range(1, _VECTORS + 1)]
        for rows, wide in _each_case(builder, (height, vectors), shapes):
            sums = _accumulators(builder, rows * wide)
            a_rows = [_plus(builder, a_at, a_row, row) for row in range(rows)]
            with cgutils.for_range(builder, depth) as loop:
                b_row = builder.add(b_at, builder.mul(loop.index, out_row))
                b_vectors = [_load(builder, b, _ahead(builder, b_row, v)) for v in range(wide)]
                for row in range(rows):
                    at = builder.add(a_rows[row], builder.mul(loop.index, a_k))
                    factor = _broadcast(builder, builder.load(builder.gep(a, [at])))
                    for v in range(wide):
                        _add_product(builder, sums[row * wide + v], factor, b_vectors[v])
            for row in range(rows):
                at = _plus(builder, out_at, out_row, row)
                for v in range(wide):
                    _store(builder, builder.load(sums[row * wide + v]), out, _ahead(builder, at, v))
        return context.get_dummy_value()

    i = _INDEX
    return types.void(i, i, out, i, i, a, i, i, i, b, i, i), generate


@intrinsic  # type: ignore[untyped-decorator]
def _dot_tile(  # type: ignore[no-untyped-def]
    typing_context, height, width, out, out_at, out_row, a, a_at, b, b_at, depth
):
    """Compute ``height`` x ``width`` dot products of rows of a and b, ``depth`` floats each."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        height, width, out, out_at, out_row, a, a_at, b, b_at, depth = args
        out, a, b = (_data(context, builder, signature.args[i], args[i]) for i in (2, 5, 7))
        shapes = [(rows, columns) for rows in range(1, _DOTS + 1) for columns in range(1, _DOTS + 1)]
        for rows, columns in _each_case(builder, (height, width), shapes):
            sums = _accumulators(builder, rows * columns)
            a_rows = [_plus(builder, a_at, depth, row) for row in range(rows)]
            b_rows = [_plus(builder, b_at, depth, column) for column in range(columns)]
            with cgutils.for_range_slice(builder, depth.type(0), depth, depth.type(_WIDTH)) as (k, _):
                a_vectors = [_load(builder, a, builder.add(at, k)) for at in a_rows]
                b_vectors = [_load(builder, b, builder.add(at, k)) for at in b_rows]
                for n, s in enumerate(sums):
                    _add_product(builder, s, a_vectors[n // columns], b_vectors[n % columns])
            for n, s in enumerate(sums):
                at = builder.add(_plus(builder, out_at, out_row, n // columns), depth.type(n % columns))
                builder.store(_reduce(builder, "fadd", builder.load(s)), builder.gep(out, [at]))
        return context.get_dummy_value()

    i = _INDEX
    return types.void(i, i, out, i, i, a, i, b, i, i), generate


@intrinsic  # type: ignore[untyped-decorator]
def row_max(typing_context, array, at, length):  # type: ignore[no-untyped-def]
    """Return the largest of ``length`` floats (a multiple of ``LANES``) from position ``at``."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        data, (_, at, length) = _data(context, builder, signature.args[0], args[0]), args
        largest = cgutils.alloca_once_value(builder, _load(builder, data, at))
        with cgutils.for_range_slice(builder, length.type(0), length, length.type(_WIDTH)) as (k, _):
            loaded = _load(builder, data, builder.add(at, k))
            maximum = _vector_function(builder, "llvm.maxnum", 2)
            builder.store(builder.call(maximum, [builder.load(largest), loaded]), largest)
        return _reduce(builder, "fmax", builder.load(largest))

    return types.float32(array, _INDEX, _INDEX), generate


def _each_case(
    builder: Any, values: tuple[Any, Any], shapes: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Emit a switch on two values: yield each shape while the builder stands in its case."""
    stride = values[0].type(1 << 8)
    done = builder.append_basic_block("done")
    switch = builder.switch(builder.add(builder.mul(values[0], stride), values[1]), done)
    for first, second in shapes:
        block = builder.append_basic_block(f"tile_{first}x{second}")
        switch.add_case(values[0].type((first << 8) + second), block)
        builder.position_at_end(block)
        yield first, second
        builder.branch(done)
    builder.position_at_end(done)


def _data(context: Any, builder: Any, array_type: Any, array: Any) -> Any:
    return context.make_array(array_type)(context, builder, array).data


def _accumulators(builder: Any, n: int) -> list[Any]:
    """Return ``n`` zeroed vectors, which the compiler keeps in registers."""
    sums = [cgutils.alloca_once(builder, _VECTOR) for _ in range(n)]
    for s in sums:
        builder.store(_ZERO, s)
    return sums


def _plus(builder: Any, at: Any, step: Any, times: int) -> Any:
    return builder.add(at, builder.mul(step, step.type(times)))


def _ahead(builder: Any, at: Any, vectors: int) -> Any:
    return builder.add(at, at.type(vectors * _WIDTH))


def _load(builder: Any, data: Any, at: Any) -> Any:
    return builder.load(builder.bitcast(builder.gep(data, [at]), _VECTOR.as_pointer()), align=4)


def _store(builder: Any, value: Any, data: Any, at: Any) -> None:
    builder.store(value, builder.bitcast(builder.gep(data, [at]), _VECTOR.as_pointer()), align=4)


def _broadcast(builder: Any, scalar: Any) -> Any:
    anything = ir.Constant(_VECTOR, ir.Undefined)
    first_lane = ir.Constant(ir.VectorType(ir.IntType(32), _WIDTH), [0] * _WIDTH)
    single = builder.insert_element(anything, scalar, ir.IntType(32)(0))
    return builder.shuffle_vector(single, anything, first_lane)


def _add_product(builder: Any, total: Any, x: Any, y: Any) -> None:
    """Emit total += x * y, fused to one instruction where the machine has it."""
    function = _vector_function(builder, "llvm.fmuladd", 3)
    builder.store(builder.call(function, [x, y, builder.load(total)]), total)


def _vector_function(builder: Any, name: str, n_args: int) -> Any:
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * n_args)
    return cgutils.get_or_insert_function(builder.module, kind, f"{name}.v{_WIDTH}f32")


def _reduce(builder: Any, operation: str, vector: Any) -> Any:
    """Emit the sum (fadd) or the maximum (fmax) over the lanes of a vector."""
    start = [_FLOAT] if operation == "fadd" else []
    kind = ir.FunctionType(_FLOAT, [*start, _VECTOR])
    name = f"llvm.vector.reduce.{operation}.v{_WIDTH}f32"
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, [*(s(0.0) for s in start), vector], fastmath=("reassoc",))
