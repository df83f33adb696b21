"""Define a vector type of several float32 for compiled code.

Inside ``@compiled`` functions, a *vector* contains ``WIDTH`` neighbouring floats and supports ``+ - * /``
with other vectors and with plain numbers. For scalar loops, the compiler chooses narrower registers than the
machine has and emits slow remainder loops; with vectors and rows padded to ``LANES`` there are no remainders.

``LANES`` is part of the memory layout and the same on every machine; ``WIDTH`` depends on this machine's
registers.
"""

import hashlib
import itertools
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import llvmlite.binding  # type: ignore[import-untyped]  # ships no types
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils as _cgutils
from numba.core import typing as _typing
from numba.core.typing.templates import ConcreteTemplate
from numba.core.typing.templates import infer_global as _infer_global
from numba.extending import intrinsic as _intrinsic
from numba.extending import lower_builtin, models, register_model

from sweep.trainers.mlp.compiled.code_cache import keep_on_disk

# Numba's own annotations of these are missing or too narrow.
cgutils: Any = _cgutils
_signature: Any = _typing.signature  # type: ignore[attr-defined]
_infer: Any = _infer_global
_lower: Any = lower_builtin
_njit: Any = numba.njit

LANES = 16
"""Number of floats to whose multiples rows are padded: one vector of 512 bits, two of 256."""

HAS_512_BITS = bool(llvmlite.binding.get_host_cpu_features().get("avx512f"))

WIDTH = 16 if HAS_512_BITS else 8
"""Number of floats in a vector."""

FLOAT = ir.FloatType()
VECTOR = ir.VectorType(FLOAT, WIDTH)
_INTEGERS = ir.VectorType(ir.IntType(32), WIDTH)

_SOURCES = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
VERSION = hashlib.sha256(_SOURCES).hexdigest()[:8]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile a function for calls from compiled code, without Python's lock.

    Reference counting (``_nrt``) is off, because compiled code creates only views, no arrays. Counting views
    took a fifth of a small model's step.
    """
    compile_: Callable[[_Function], _Function] = _njit(
        nogil=True, error_model="numpy", fastmath={"contract"}, _nrt=False
    )
    return compile_(function)


def compiled_entry(function: _Function) -> _Function:
    """Compile a function for calls from Python, and cache the code on disk.

    Numba detects changes only in the function's own code, so the name in the cache contains the version of
    all neighbouring files. If no folder can be written, or the cached code cannot be used, the function is
    compiled in each process.
    """
    function.__qualname__ = f"{function.__qualname__}_{VERSION}"
    dispatcher = compiled(function)
    keep_on_disk(dispatcher)
    return dispatcher


def intrinsic(function: Callable[..., Any]) -> Any:
    """Make a function that emits instructions callable from compiled code: Numba's decorator, typed."""
    return _intrinsic(function)


class _VectorType(types.Type):
    """Numba's type of a vector."""

    def __init__(self) -> None:
        super().__init__(name=f"float32x{WIDTH}")


_vector = _VectorType()


@register_model(_VectorType)
class _VectorModel(models.PrimitiveModel):
    """The data model: a vector is in one machine register."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, VECTOR)  # type: ignore[no-untyped-call]


def _define_operator(operation: Callable[..., Any], instruction: str) -> None:
    """Define ``operation`` for two vectors, or a vector and a number, lane by lane."""
    numbers = (types.float32, types.float64, types.int64)
    operands = [
        (_vector, _vector),
        *itertools.product([_vector], numbers),
        *itertools.product(numbers, [_vector]),
    ]

    def generate(context: Any, builder: Any, kind: Any, values: Any) -> Any:
        both = [_as_vector(context, builder, *pair) for pair in zip(kind.args, values, strict=True)]
        return getattr(builder, instruction)(*both, flags=("contract",))

    template = {"cases": [_signature(_vector, *pair) for pair in operands]}
    _infer(operation)(type(f"_Vector_{instruction}", (ConcreteTemplate,), template))
    for pair in operands:
        _lower(operation, *pair)(generate)


_define_operator(operator.add, "fadd")
_define_operator(operator.iadd, "fadd")
_define_operator(operator.sub, "fsub")
_define_operator(operator.mul, "fmul")
_define_operator(operator.truediv, "fdiv")


@intrinsic
def splat(typing_context: Any, number: Any) -> Any:
    """Return a vector with ``number`` in every lane."""

    def generate(context: Any, builder: Any, kind: Any, values: Any) -> Any:
        return _as_vector(context, builder, kind.args[0], values[0])

    return _vector(number), generate


@intrinsic
def load(typing_context: Any, rows: Any, row: Any, column: Any) -> Any:
    """Return the vector at ``rows[row, column:]`` of a contiguous two-dimensional array."""

    def generate(context: Any, builder: Any, kind: Any, values: Any) -> Any:
        return load_at(builder, *_locate(context, builder, kind.args[0], values[:3]))

    return _vector(rows, types.intp, types.intp), generate


@intrinsic
def store(typing_context: Any, rows: Any, row: Any, column: Any, vector: Any) -> Any:
    """Store a vector at ``rows[row, column:]`` of a contiguous two-dimensional array."""

    def generate(context: Any, builder: Any, kind: Any, values: Any) -> Any:
        store_at(builder, values[3], *_locate(context, builder, kind.args[0], values[:3]))
        return context.get_dummy_value()

    return types.void(rows, types.intp, types.intp, _vector), generate


@intrinsic
def clamp(typing_context: Any, vector: Any, low: Any, high: Any) -> Any:
    """Return the vector clamped to ``low`` to ``high``; NaN lanes stay NaN."""

    def generate(context: Any, builder: Any, kind: Any, values: Any) -> Any:
        x, low, high = (_as_vector(context, builder, *pair) for pair in zip(kind.args, values, strict=True))
        x = builder.select(builder.fcmp_ordered("<", x, low), low, x)
        return builder.select(builder.fcmp_ordered(">", x, high), high, x)

    return _vector(_vector, low, high), generate


@intrinsic
def larger(typing_context: Any, one: Any, other: Any) -> Any:
    """Return the larger of two vectors, lane by lane."""

    def generate(context: Any, builder: Any, kind: Any, values: Any) -> Any:
        return _max(builder, *values)

    return _vector(_vector, _vector), generate


@intrinsic
def floor(typing_context: Any, vector: Any) -> Any:
    """Return the floor of each lane."""

    def generate(context: Any, builder: Any, kind: Any, values: Any) -> Any:
        name = f"llvm.floor.v{WIDTH}f32"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(VECTOR, [VECTOR]), name)
        return builder.call(function, values)

    return _vector(_vector), generate


@intrinsic
def two_to_the(typing_context: Any, vector: Any) -> Any:
    """Return 2^n for whole numbers n from -126 to 127, built from the bits of a float.

    The lowest bits of n + 127 + 1.5 * 2^23 are those of n + 127, the exponent of 2^n.
    """

    def generate(context: Any, builder: Any, kind: Any, values: Any) -> Any:
        shifted = builder.fadd(values[0], ir.Constant(VECTOR, [127.0 + 1.5 * 2**23] * WIDTH))
        exponent = builder.shl(builder.bitcast(shifted, _INTEGERS), ir.Constant(_INTEGERS, [23] * WIDTH))
        return builder.bitcast(exponent, VECTOR)

    return _vector(_vector), generate


@intrinsic
def lane_sum(typing_context: Any, vector: Any) -> Any:
    """Return the sum of a vector's lanes."""
    return types.float32(_vector), lambda context, builder, kind, values: fold_lanes(builder, values[0], _sum)


@intrinsic
def lane_max(typing_context: Any, vector: Any) -> Any:
    """Return the largest of a vector's lanes."""
    return types.float32(_vector), lambda context, builder, kind, values: fold_lanes(builder, values[0], _max)


@compiled
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent as x P(x^2) / Q(x^2), clamped where float32 is 1; within 3e-7.

    References:
        The minimax coefficients are those of Eigen's float32 tanh.
    """
    x = clamp(x, -7.90531110763549805, 7.90531110763549805)
    y = x * x
    p = y * -2.76076847742355e-16 + 2.00018790482477e-13
    p = p * y + -8.60467152213735e-11
    p = p * y + 5.12229709037114e-08
    p = p * y + 1.48572235717979e-05
    p = p * y + 6.37261928875436e-04
    p = p * y + 4.89352455891786e-03
    q = y * 1.19825839466702e-06 + 1.18534705686654e-04
    q = q * y + 2.26843463243900e-03
    q = q * y + 4.89352518554385e-03
    return x * p / q


@compiled
def exp(x: Any) -> Any:
    """Return e^x as 2^n e^r with |r| up to ln(2)/2, within three units in the last place.

    x is clamped to -75 to 88: above, float32 overflows; below, products of the results would be subnormal and
    slow. ln 2 is subtracted in two parts, so that r keeps full precision.
    """
    x = clamp(x, -75.0, 88.0)
    n = floor(x * 1.44269504088896341 + 0.5)
    r = x - n * 0.693359375 - n * -2.12194440e-4
    e = r * (1 / 720) + 1 / 120
    e = e * r + 1 / 24
    e = e * r + 1 / 6
    e = e * r + 0.5
    e = e * r + 1.0
    e = e * r + 1.0
    return e * two_to_the(n)


def data_of(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    """Emit the address of an array's first element."""
    return context.make_array(kind)(context, builder, array).data


def load_at(builder: Any, data: Any, at: Any) -> Any:
    """Emit the load of a vector, ``at`` floats after ``data``."""
    return builder.load(builder.bitcast(builder.gep(data, [at]), VECTOR.as_pointer()), align=4)


def store_at(builder: Any, vector: Any, data: Any, at: Any) -> None:
    """Emit the store of a vector, ``at`` floats after ``data``."""
    builder.store(vector, builder.bitcast(builder.gep(data, [at]), VECTOR.as_pointer()), align=4)


def broadcast(builder: Any, scalar: Any) -> Any:
    """Emit a vector with a scalar in every lane."""
    anything = ir.Constant(VECTOR, ir.Undefined)
    single = builder.insert_element(anything, scalar, ir.IntType(32)(0))
    return builder.shuffle_vector(single, anything, ir.Constant(_INTEGERS, [0] * WIDTH))


def shuffle(builder: Any, one: Any, other: Any, lanes: list[int]) -> Any:
    """Emit a vector of the chosen lanes of two vectors; lanes of ``other`` count from WIDTH."""
    return builder.shuffle_vector(one, other, ir.Constant(_INTEGERS, lanes))


def sum_lanes(builder: Any, vector: Any) -> Any:
    """Emit the sum of a vector's lanes."""
    return fold_lanes(builder, vector, _sum)


def fold_lanes(builder: Any, vector: Any, combine: Callable[[Any, Any, Any], Any]) -> Any:
    """Emit the combination of all lanes: the two halves, then the halves of the result, and so on."""
    half = WIDTH // 2
    while half:
        lower, upper = (
            builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(ir.IntType(32), half), lanes))
            for lanes in (list(range(half)), list(range(half, 2 * half)))
        )
        vector = combine(builder, lower, upper)
        half //= 2
    return builder.extract_element(vector, ir.IntType(32)(0))


def _sum(builder: Any, one: Any, other: Any) -> Any:
    return builder.fadd(one, other)


def _max(builder: Any, one: Any, other: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", one, other), one, other)


def _as_vector(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    if kind == _vector:
        return value
    return broadcast(builder, context.cast(builder, value, kind, types.float32))


def _locate(context: Any, builder: Any, kind: Any, values: Any) -> tuple[Any, Any]:
    """Emit the address of an array's data and the position of (row, column) in it."""
    rows, row, column = values
    array = context.make_array(kind)(context, builder, rows)
    row_length = builder.extract_value(array.shape, 1)
    return array.data, builder.add(builder.mul(row, row_length), column)
