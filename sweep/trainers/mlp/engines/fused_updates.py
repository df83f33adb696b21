"""Update parameters by their gradients in the fused engine: SGD and AdamW.

An update reads and writes each parameter with one or two optimizer values and does little arithmetic, so
memory limits its speed. Therefore the gradient of a matrix is computed for a block of rows at a time and used
immediately, while it is in a cache; it is never stored as a whole. Every parameter is updated in every step,
even with a zero gradient, because the moments of AdamW change it.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # ships no types

from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines.fused_arrays import BLOCK_ROWS
from sweep.trainers.mlp.engines.products import product
from sweep.trainers.mlp.engines.vectors import (
    VECTOR,
    WIDTH,
    cgutils,
    compiled,
    intrinsic,
    load,
    store,
)


class Rule(NamedTuple):
    """The update rule of a run."""

    is_adamw: bool
    weight_decay: np.float32
    momentum: np.float32
    beta1: float
    beta2: float
    epsilon: np.float32


class Update(NamedTuple):
    """The update rule of one step and one kind of parameter."""

    is_adamw: bool
    rate: np.float32
    weight_decay: np.float32
    """Weight decay of SGD."""
    momentum: np.float32
    shrink: np.float32
    """AdamW's factor of a parameter, 1 - rate weight_decay."""
    new1: np.float32
    """Weight of the gradient in its mean, 1 - beta1."""
    beta2: np.float32
    new2: np.float32
    size: np.float32
    """The rate divided by the bias correction of the mean, 1 - beta1^step."""
    root: np.float32
    """The inverse root of the other bias correction, 1 - beta2^step."""
    epsilon: np.float32


def rule_of(config: TrainConfig) -> Rule:
    """Return the rule of a configuration."""
    return Rule(
        is_adamw=config.optimizer == "adamw",
        weight_decay=np.float32(config.weight_decay),
        momentum=np.float32(config.momentum),
        beta1=config.beta1,
        beta2=config.beta2,
        epsilon=np.float32(config.epsilon),
    )


@compiled
def update_of_step(rule: Rule, rate: np.float32, step: int, has_decay: bool) -> Update:
    """Return the update of a step, counted from 1, for parameters with or without decay.

    References:
        Loshchilov, Hutter, "Decoupled Weight Decay Regularization", 2019.
    """
    decay = rule.weight_decay if has_decay else np.float32(0)
    shrink, size, root = 1.0, 1.0, 1.0
    if rule.is_adamw:
        shrink = 1.0 - np.float64(rate) * np.float64(decay)
        size = np.float64(rate) / (1.0 - math.pow(rule.beta1, np.float64(step)))
        root = 1.0 / math.sqrt(1.0 - math.pow(rule.beta2, np.float64(step)))
    return Update(
        rule.is_adamw,
        rate,
        decay,
        rule.momentum,
        np.float32(shrink),
        np.float32(1.0 - rule.beta1),
        np.float32(rule.beta2),
        np.float32(1.0 - rule.beta2),
        np.float32(size),
        np.float32(root),
        rule.epsilon,
    )


@compiled
def descend_product(
    matrix: np.ndarray,
    rows: tuple[int, int],
    factors: tuple[np.ndarray, np.ndarray],
    block: np.ndarray,
    update: Update,
) -> None:
    """Update some rows of a matrix whose gradient is a.T @ b, block by block.

    Args:
        matrix: The matrix and its kept values, shape (3, M, N), N a multiple of ``LANES``.
        rows: The first row, and the number of rows.
        factors: a, shape (K, at least as many columns as rows to update), and b, shape (K, N).
        block: Scratch, shape (BLOCK_ROWS, N).
        update: The step.
    """
    (first, n), (a, b) = rows, factors
    for row in range(0, n, BLOCK_ROWS):
        gradient = block[: min(BLOCK_ROWS, n - row)]
        product(gradient, a.T[row:], b)
        descend(matrix, first + row, gradient, update)


@compiled
def descend(kept: np.ndarray, row: int, gradient: np.ndarray, update: Update) -> None:
    """Update rows from ``row`` on in place.

    Args:
        kept: Parameters and their kept values, shape (3, at least row + M, N).
        row: The first row.
        gradient: Shape (M, N).
        update: The step.
    """
    if update.is_adamw:
        _adamw(kept, row, gradient, update)
    elif update.momentum > 0:
        _sgd_with_momentum(kept, row, gradient, update)
    else:
        _sgd(kept, row, gradient, update)


@compiled
def _sgd(kept: np.ndarray, row: int, gradient: np.ndarray, update: Update) -> None:
    """Update: p -= rate (gradient + weight_decay p)."""
    p, rate, decay = kept[0], update.rate, update.weight_decay
    for j in range(0, gradient.size, WIDTH):  # rows have no gaps, so they form one long row
        old = load(p, row, j)
        store(p, row, j, old - rate * (load(gradient, 0, j) + decay * old))


@compiled
def _sgd_with_momentum(kept: np.ndarray, row: int, gradient: np.ndarray, update: Update) -> None:
    """Update: v = momentum v + gradient + weight_decay p; p -= rate v."""
    p, v, rate, decay, momentum = kept[0], kept[1], update.rate, update.weight_decay, update.momentum
    for j in range(0, gradient.size, WIDTH):
        old = load(p, row, j)
        speed = momentum * load(v, row, j) + (load(gradient, 0, j) + decay * old)
        store(v, row, j, speed)
        store(p, row, j, old - rate * speed)


@compiled
def _adamw(kept: np.ndarray, row: int, gradient: np.ndarray, update: Update) -> None:
    """Update both moments, then the parameters.

    m += (1 - beta1) (g - m); v = beta2 v + (1 - beta2) g^2; p = shrink p - size m / (root sqrt(v) + epsilon)
    """
    p, first, second = kept[0], kept[1], kept[2]
    for j in range(0, gradient.size, WIDTH):
        g, m = load(gradient, 0, j), load(first, row, j)
        m = m + (g - m) * update.new1
        v = load(second, row, j) * update.beta2 + g * g * update.new2
        store(first, row, j, m)
        store(second, row, j, v)
        step = m / (square_root(v) * update.root + update.epsilon)
        store(p, row, j, load(p, row, j) * update.shrink - step * update.size)


@intrinsic
def square_root(typing_context: Any, vector: Any) -> Any:
    """Return the square root of each lane."""

    def generate(context: Any, builder: Any, kind: Any, values: Any) -> Any:
        name = f"llvm.sqrt.v{WIDTH}f32"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(VECTOR, [VECTOR]), name)
        return builder.call(function, values)

    return vector(vector), generate
