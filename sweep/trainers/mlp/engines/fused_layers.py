"""Compute residual hidden layers and dropout in the fused engine.

A residual layer adds tanh(h R + r) to its input h. Its backward pass overwrites values that are no longer
needed: the gradient of z replaces tanh z, and the gradient of the layer's input replaces that of its output.
"""

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba import types

from sweep.definition.seeds import stream_key
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines.fused_arrays import Batch, Model
from sweep.trainers.mlp.engines.fused_rows import add_row, sum_rows
from sweep.trainers.mlp.engines.fused_updates import Update, descend, descend_product
from sweep.trainers.mlp.engines.products import product, product_transposed
from sweep.trainers.mlp.engines.vectors import VECTOR, WIDTH, compiled, intrinsic, load, store, tanh
from sweep.trainers.mlp.randomness import GAMMA, MIX_1, MIX_2, UNIT_MIX, UNIT_STRIDE, drop_limit

_WORDS = ir.VectorType(ir.IntType(32), WIDTH)


class Dropout(NamedTuple):
    """The parameters of dropout; see ``randomness.py``."""

    key: np.uint64
    limit: np.uint32
    """32-bit limit; 0 without dropout."""
    scale: np.float32
    """Factor of kept units."""
    kept: np.float32
    """Fraction of kept units, 1 / scale."""


def dropout_of(config: TrainConfig) -> Dropout:
    """Return the dropout of a configuration."""
    return Dropout(
        key=np.uint64(stream_key(config.seed, "dropout")),
        limit=np.uint32(drop_limit(config.dropout)),
        scale=np.float32(1 / (1 - config.dropout)),
        kept=np.float32(1 - config.dropout),
    )


@compiled
def residual_forward(
    batch: Batch,
    R: np.ndarray,  # noqa: N803 (as in Model)
    r: np.ndarray,
    dropout: Dropout,
    first_row: int,
) -> None:
    """Compute the outputs of the residual layers, whose rows of units are numbered from ``first_row``."""
    B, H, n_layers = len(batch.dz), batch.H, len(r)
    for n in range(n_layers):
        units, below = batch.units[n * B : (n + 1) * B], batch.hidden[n * B : (n + 1) * B]
        above = batch.hidden[(n + 1) * B : (n + 2) * B]
        product(units, below, R[n * H : (n + 1) * H])
        for b in range(B):
            for j in range(0, units.shape[1], WIDTH):
                store(units, b, j, tanh(load(units, b, j) + load(r, n, j)))
        drop(units, dropout, first_row + n * B)
        for b in range(B):
            for j in range(0, units.shape[1], WIDTH):
                store(above, b, j, load(below, b, j) + load(units, b, j))


@compiled
def residual_backward(
    batch: Batch,
    model: Model,
    updates: tuple[Update, Update],
    dropout: Dropout,
    first_row: int,
) -> None:
    """Compute the gradient of the first layer's output from that of the top layer's; update R and r."""
    R, r = model.R, model.r
    B, H, n_layers = len(batch.dz), batch.H, r.shape[1]
    for n in range(n_layers - 1, -1, -1):
        units, below = batch.units[n * B : (n + 1) * B], batch.hidden[n * B : (n + 1) * B]
        above = batch.hidden[(n + 1) * B : (n + 2) * B]
        through_tanh(units, units, batch.dz, dropout, first_row + n * B)
        product_transposed(above, units, R[0, n * H : (n + 1) * H])
        for b in range(B):
            add_row(batch.dz, b, above, b)
        descend_product(R, (n * H, H), (below, units), batch.gradient.block, updates[0])
        sum_rows(batch.gradient.hidden, units, 0, B)
        descend(r, n, batch.gradient.hidden, updates[1])


@compiled
def through_tanh(dz: np.ndarray, units: np.ndarray, dh: np.ndarray, dropout: Dropout, first: int) -> None:
    """Set dz to the gradient before tanh and dropout: dh mask (1 - tanh^2).

    Args:
        dz: Shape (B, H); may be ``units`` or ``dh``.
        units: tanh after dropout, shape (B, H).
        dh: Gradient of the same, shape (B, H).
        dropout: The same as in the forward pass.
        first: Index of the first row of units.
    """
    for b in range(len(units)):
        for j in range(0, units.shape[1], WIDTH):
            y = load(units, b, j) * dropout.kept
            store(dz, b, j, load(dh, b, j) * (1.0 - y * y))
    drop(dz, dropout, first)


@compiled
def drop(rows: np.ndarray, dropout: Dropout, first: int) -> None:
    """Zero the dropped units of some rows and scale the others; rows are numbered from ``first``."""
    if dropout.limit == 0:
        return
    for b in range(len(rows)):
        z = dropout.key + (np.uint64(first + b) + np.uint64(1)) * GAMMA
        z = (z ^ (z >> np.uint64(30))) * MIX_1
        z = (z ^ (z >> np.uint64(27))) * MIX_2
        z ^= z >> np.uint64(31)
        for j in range(0, rows.shape[1], WIDTH):
            kept = _keep(load(rows, b, j) * dropout.scale, z, j, dropout.limit)
            store(rows, b, j, kept)


@intrinsic
def _keep(typing_context: Any, vector: Any, key: Any, column: Any, limit: Any) -> Any:
    """Return a vector whose dropped lanes are 0, for units from ``column`` on in a row with this key."""

    def generate(context: Any, builder: Any, kind: Any, values: Any) -> Any:
        x, key, column, limit = values
        word = ir.IntType(32)
        high = builder.trunc(builder.lshr(key, key.type(32)), word)
        start = builder.add(high, builder.mul(builder.trunc(column, word), word(UNIT_STRIDE)))
        steps = ir.Constant(_WORDS, [lane * UNIT_STRIDE % 2**32 for lane in range(WIDTH)])
        z = builder.add(_splat(builder, start), steps)
        low = _splat(builder, builder.trunc(key, word))
        z = builder.xor(_mix(builder, z, 16, UNIT_MIX[0]), low)
        z = _mix(builder, z, 15, UNIT_MIX[1])
        z = builder.xor(z, builder.lshr(z, _same(16)))
        is_kept = builder.icmp_unsigned(">=", z, _splat(builder, limit))
        return builder.select(is_kept, x, ir.Constant(VECTOR, [0.0] * WIDTH))

    return vector(vector, types.uint64, types.intp, types.uint32), generate


def _mix(builder: Any, z: Any, shift: int, factor: int) -> Any:
    """Emit (z ^ (z >> shift)) * factor."""
    return builder.mul(builder.xor(z, builder.lshr(z, _same(shift))), _same(factor))


def _same(number: int) -> Any:
    return ir.Constant(_WORDS, [number] * WIDTH)


def _splat(builder: Any, word: Any) -> Any:
    """Emit a vector of 32-bit words that are all equal."""
    anything = ir.Constant(_WORDS, ir.Undefined)
    single = builder.insert_element(anything, word, ir.IntType(32)(0))
    return builder.shuffle_vector(single, anything, _same(0))
