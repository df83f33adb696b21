"""The fast engine of the CPU: a whole segment in one compiled call, the lock released.

The arithmetic is that of ``autograd.py``, up to float order; three things make it quick.

* Nothing happens between two steps but arithmetic: no dispatch, no allocation, no Python.
* The first layer is factored through the vocabulary. At position t a batch holds few distinct
  characters, so ``C[c] @ W1[t]`` is computed once for each of them (the *table*), and each
  example adds up its T rows. Backward, the gradients of the examples that share a character at
  t are summed first, and C and W1 take their gradients from these sums. This is exact.
* Sums stay in registers (``products.py``) as wide as the machine has them (``vectors.py``).

D, H and V are padded to whole vectors: with zeros, and padded symbols with a bias that makes
them impossible. S is the most distinct characters that a batch can hold at one position.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from sweep.definition.seeds import GAMMA, MIX_1, MIX_2, stream_key
from sweep.tasks.mlp.config import TrainConfig
from sweep.tasks.mlp.engines.products import product, product_transposed, transpose
from sweep.tasks.mlp.engines.vectors import (
    LANES,
    WIDTH,
    compiled,
    compiled_entry,
    exp,
    lane_max,
    lane_sum,
    larger,
    load,
    splat,
    store,
    tanh,
)
from sweep.tasks.mlp.state import TrainState
from sweep.tasks.mlp.words.examples import Examples

_IMPOSSIBLE = np.float32(-1e30)
"""Bias of a padded symbol. Finite, because zero times infinity is not a number."""

_CACHE_LINE = 64


class _Arrays(NamedTuple):
    """One float for each parameter of the model: itself, its velocity or its gradient."""

    C: np.ndarray
    """Shape (V, D)."""
    W1: np.ndarray
    """Shape (T*D, H), D not padded."""
    b1: np.ndarray
    """Shape (1, H)."""
    W2: np.ndarray
    """Transposed: shape (V, H); V is padded."""
    b2: np.ndarray
    """Shape (1, V)."""


class _Source(NamedTuple):
    """What the steps to be taken draw from."""

    contexts: np.ndarray
    """Shape (N, T)."""
    targets: np.ndarray
    """Shape (N,)."""
    key: np.uint64
    """Of the stream of minibatches."""
    first_step: int
    rates: np.ndarray
    """Learning rate of each step to be taken, float32."""


class _Rule(NamedTuple):
    """How a gradient becomes an update."""

    weight_decay: np.float32
    momentum: np.float32


class _Batch(NamedTuple):
    """One minibatch and what is computed from it; each step overwrites the last."""

    examples: np.ndarray
    """Which training examples were drawn, shape (B,)."""
    slots: np.ndarray
    """Row of the table for each example and position, shape (B, T)."""
    present: np.ndarray
    """Characters present at a position, in order of appearance, shape (T, S + 1)."""
    n_present: np.ndarray
    """How many they are, shape (T,)."""
    slot_of: np.ndarray
    """Scratch: character -> its place in ``present``, or -1, shape (V,), V not padded."""
    emb: np.ndarray
    """Embeddings of the present characters, S rows for each position, shape (T*S, D)."""
    demb: np.ndarray
    """Their gradients, shape (T*S, D)."""
    table: np.ndarray
    """Their share of z, later the sums of its gradient, shape (T*S, H)."""
    hidden: np.ndarray
    """tanh z, shape (B, H)."""
    dz: np.ndarray
    """Gradient of z, the input of tanh, shape (B, H)."""
    logits: np.ndarray
    """Logits, then their gradients, shape (B, V)."""
    summed: np.ndarray
    """Sum of exp(logits - largest logit), shape (B,)."""
    W2: np.ndarray
    """W2 as the model has it, shape (H, V)."""
    S: int
    """Most characters that can be present at a position."""
    H: int
    """Hidden neurons, not padded."""


def train(
    config: TrainConfig, examples: Examples, state: TrainState, learning_rates: np.ndarray, device: str
) -> tuple[TrainState, np.ndarray]:
    """Take one SGD step for each learning rate; see ``sweep.tasks.mlp.engines`` for the contract."""
    assert device == "cpu", "this engine has no other device"
    parameters = _pad(state.parameters)
    velocity = _pad(state.velocity) if state.velocity else _zeros_like(parameters)
    gradient = _zeros_like(parameters)
    parameters.b2[:, state.parameters["b2"].size :] = _IMPOSSIBLE
    source = _Source(
        contexts=np.ascontiguousarray(examples.contexts),
        targets=np.ascontiguousarray(examples.targets),
        key=np.uint64(stream_key(config.seed, "batch")),
        first_step=state.step,
        rates=np.array(learning_rates, np.float32),
    )
    rule = _Rule(weight_decay=np.float32(config.weight_decay), momentum=np.float32(config.momentum))
    batch = _allocate_batch(config, state.parameters)
    losses = np.empty(len(learning_rates), np.float32)
    _take_steps(losses, (parameters, velocity, gradient), batch, source, rule)
    new_state = TrainState(
        step=state.step + len(losses),
        parameters=_unpad(parameters, state.parameters),
        velocity=_unpad(velocity, state.velocity),
    )
    return new_state, losses


@compiled_entry
def _take_steps(
    losses: np.ndarray, model: tuple[_Arrays, _Arrays, _Arrays], batch: _Batch, source: _Source, rule: _Rule
) -> None:
    """Train the model (parameters, velocities, gradients) in place and set the losses."""
    p, velocity, gradient = model
    transpose(batch.W2, p.W2)
    for n in range(len(losses)):
        _draw(batch.examples, source, n)
        _find_present(batch, source.contexts)
        _compute_table(batch, p)
        _compute_hidden(batch, p.b1)
        losses[n] = _compute_loss(batch, p.b2, source.targets)
        _second_layer_backward(gradient, batch, p)
        _first_layer_backward(gradient, batch, p)
        _descend(p, velocity, gradient, source.rates[n], rule)
        transpose(batch.W2, p.W2)


@compiled
def _draw(examples: np.ndarray, source: _Source, n: int) -> None:
    """Draw the minibatch of the n-th step exactly as ``randomness.minibatch_indices`` does."""
    size = len(examples)
    first = np.uint64(source.first_step + n) * np.uint64(size) + np.uint64(1)
    for b in range(size):
        z = source.key + (first + np.uint64(b)) * GAMMA
        z = (z ^ (z >> np.uint64(30))) * MIX_1
        z = (z ^ (z >> np.uint64(27))) * MIX_2
        z ^= z >> np.uint64(31)
        examples[b] = ((z >> np.uint64(32)) * np.uint64(len(source.targets))) >> np.uint64(32)


@compiled
def _find_present(batch: _Batch, contexts: np.ndarray) -> None:
    """List the distinct characters at each position, and where each example finds its own."""
    slot_of, present, S = batch.slot_of, batch.present, batch.S
    for t in range(contexts.shape[1]):
        n = 0
        for b in range(len(batch.examples)):
            c = contexts[batch.examples[b], t]
            known = slot_of[c] >= 0
            slot = slot_of[c] if known else n
            slot_of[c] = slot
            present[t, n] = c
            n += 1 - known
            batch.slots[b, t] = t * S + slot
        batch.n_present[t] = n
        for slot in range(n):
            slot_of[present[t, slot]] = -1


@compiled
def _compute_table(batch: _Batch, p: _Arrays) -> None:
    """Set table = emb @ W1 for the characters present at each position."""
    T, S = batch.slots.shape[1], batch.S
    D = len(p.W1) // T
    for t in range(T):
        first, n = t * S, batch.n_present[t]
        for slot in range(n):
            _copy_row(batch.emb, first + slot, p.C, batch.present[t, slot])
        product(batch.table[first : first + n], batch.emb[first : first + n], p.W1[t * D : (t + 1) * D])


@compiled
def _compute_hidden(batch: _Batch, b1: np.ndarray) -> None:
    """Set hidden = tanh(b1 + the example's T rows of the table)."""
    for b in range(len(batch.hidden)):
        for j in range(0, batch.hidden.shape[1], WIDTH):
            z = load(b1, 0, j)
            for t in range(batch.slots.shape[1]):
                z += load(batch.table, batch.slots[b, t], j)
            store(batch.hidden, b, j, tanh(z))


@compiled
def _compute_loss(batch: _Batch, b2: np.ndarray, targets: np.ndarray) -> float:
    """Set logits to their gradients, (softmax - onehot) / B, and return the mean loss."""
    product(batch.logits, batch.hidden, batch.W2[: batch.H])
    size, total = len(batch.logits), 0.0
    for b in range(size):
        target = targets[batch.examples[b]]
        largest = _add_bias(batch.logits, b, b2)
        total += largest - batch.logits[b, target]
        batch.summed[b] = _exp_row(batch.logits, b, largest)
        _scale_row(batch.logits, b, np.float32(1) / (batch.summed[b] * np.float32(size)))
        batch.logits[b, target] -= np.float32(1) / np.float32(size)
    for b in range(size):
        total += math.log(batch.summed[b])
    return total / size


@compiled
def _second_layer_backward(gradient: _Arrays, batch: _Batch, p: _Arrays) -> None:
    """Set the gradients of W2, b2 and z: dh = dlogits @ W2.T, dz = dh (1 - tanh^2)."""
    V = len(p.C)
    product(gradient.W2[:V], batch.logits.T, batch.hidden)
    _sum_rows(gradient.b2, batch.logits, 0, len(batch.logits))
    product(batch.dz, batch.logits, p.W2[:V])
    for b in range(len(batch.hidden)):
        for j in range(0, batch.hidden.shape[1], WIDTH):
            h = load(batch.hidden, b, j)
            store(batch.dz, b, j, load(batch.dz, b, j) * (1.0 - h * h))


@compiled
def _first_layer_backward(gradient: _Arrays, batch: _Batch, p: _Arrays) -> None:
    """Set the gradients of C, W1 and b1 from the sums of dz by position and character."""
    T, S = batch.slots.shape[1], batch.S
    D = len(p.W1) // T
    gradient.C[:] = 0
    _sum_by_character(batch)
    for t in range(T):
        first, n = t * S, batch.n_present[t]
        sums = batch.table[first : first + n]
        product(gradient.W1[t * D : (t + 1) * D], batch.emb[first : first + n].T, sums)
        product_transposed(batch.demb[first : first + n], sums, p.W1[t * D : (t + 1) * D])
        for slot in range(n):
            _add_row(gradient.C, batch.present[t, slot], batch.demb, first + slot)
    _sum_rows(gradient.b1, batch.table, 0, batch.n_present[0])


@compiled
def _sum_by_character(batch: _Batch) -> None:
    """Set each row of the table to the sum of dz over the examples that used it."""
    T, S = batch.slots.shape[1], batch.S
    for t in range(T):
        batch.table[t * S : t * S + batch.n_present[t]] = 0
    for b in range(len(batch.dz)):
        for t in range(T):
            _add_row(batch.table, batch.slots[b, t], batch.dz, b)


@compiled
def _descend(p: _Arrays, velocity: _Arrays, gradient: _Arrays, rate: np.float32, rule: _Rule) -> None:
    """Update every parameter in place; only W1 and W2 decay."""
    V = len(p.C)
    without_decay = _Rule(np.float32(0), rule.momentum)
    _descend_one(p.C, velocity.C, gradient.C, rate, without_decay)
    _descend_one(p.W1, velocity.W1, gradient.W1, rate, rule)
    _descend_one(p.b1, velocity.b1, gradient.b1, rate, without_decay)
    _descend_one(p.W2[:V], velocity.W2[:V], gradient.W2[:V], rate, rule)
    _descend_one(p.b2, velocity.b2, gradient.b2, rate, without_decay)


@compiled
def _descend_one(
    p: np.ndarray, velocity: np.ndarray, gradient: np.ndarray, rate: np.float32, rule: _Rule
) -> None:
    """Update: g = gradient + weight_decay p; v = momentum v + g; p -= rate v."""
    p, v, g = p.reshape(1, p.size), velocity.reshape(1, p.size), gradient.reshape(1, p.size)
    if rule.momentum > 0:
        for j in range(0, p.size, WIDTH):
            old = load(p, 0, j)
            speed = rule.momentum * load(v, 0, j) + (load(g, 0, j) + rule.weight_decay * old)
            store(v, 0, j, speed)
            store(p, 0, j, old - rate * speed)
    else:
        for j in range(0, p.size, WIDTH):
            old = load(p, 0, j)
            store(p, 0, j, old - rate * (load(g, 0, j) + rule.weight_decay * old))


@compiled
def _add_bias(rows: np.ndarray, row: int, bias: np.ndarray) -> Any:
    """Add the bias to a row and return the row's largest element."""
    largest = splat(_IMPOSSIBLE)
    for j in range(0, rows.shape[1], WIDTH):
        x = load(rows, row, j) + load(bias, 0, j)
        largest = larger(x, largest)
        store(rows, row, j, x)
    return lane_max(largest)


@compiled
def _exp_row(rows: np.ndarray, row: int, largest: np.float32) -> Any:
    """Set a row to exp(row - largest) and return its sum."""
    total = splat(0.0)
    for j in range(0, rows.shape[1], WIDTH):
        e = exp(load(rows, row, j) - largest)
        total += e
        store(rows, row, j, e)
    return lane_sum(total)


@compiled
def _scale_row(rows: np.ndarray, row: int, factor: np.float32) -> None:
    for j in range(0, rows.shape[1], WIDTH):
        store(rows, row, j, load(rows, row, j) * factor)


@compiled
def _copy_row(out: np.ndarray, out_row: int, rows: np.ndarray, row: int) -> None:
    for j in range(0, rows.shape[1], WIDTH):
        store(out, out_row, j, load(rows, row, j))


@compiled
def _add_row(out: np.ndarray, out_row: int, rows: np.ndarray, row: int) -> None:
    for j in range(0, rows.shape[1], WIDTH):
        store(out, out_row, j, load(out, out_row, j) + load(rows, row, j))


@compiled
def _sum_rows(out: np.ndarray, rows: np.ndarray, first: int, n: int) -> None:
    """Set the only row of out to the sum of ``n`` rows."""
    for j in range(0, rows.shape[1], WIDTH):
        total = splat(0.0)
        for row in range(first, first + n):
            total += load(rows, row, j)
        store(out, 0, j, total)


def _allocate_batch(config: TrainConfig, parameters: dict[str, np.ndarray]) -> _Batch:
    V, D = parameters["C"].shape
    T, B, H = config.block_size, config.batch_size, config.hidden_neurons
    S = min(B, V)
    return _Batch(
        examples=np.zeros(B, np.int64),
        slots=np.zeros((B, T), np.int64),
        present=np.zeros((T, S + 1), np.int64),
        n_present=np.zeros(T, np.int64),
        slot_of=np.full(V, -1, np.int64),
        emb=_zeros(T * S, _whole(D)),
        demb=_zeros(T * S, _whole(D)),
        table=_zeros(T * S, _whole(H)),
        hidden=_zeros(B, _whole(H)),
        dz=_zeros(B, _whole(H)),
        logits=_zeros(B, _whole(V)),
        summed=np.zeros(B, np.float32),
        W2=_zeros(_whole(H), _whole(V)),
        S=S,
        H=H,
    )


def _pad(arrays: dict[str, np.ndarray]) -> _Arrays:
    """Copy arrays of the model's shapes into rows of whole vectors."""
    padded = {}
    for name, array in arrays.items():
        rows = np.atleast_2d(array.T if name == "W2" else array)
        height, width = rows.shape
        padded[name] = _zeros(_whole(height) if name == "W2" else height, _whole(width))
        padded[name][:height, :width] = rows
    return _Arrays(**padded)


def _zeros_like(arrays: _Arrays) -> _Arrays:
    """Return zeros of the same padded shapes; they take no memory until they are written."""
    return _Arrays(*(_zeros(*array.shape) for array in arrays))


def _unpad(padded: _Arrays, like: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Copy back into arrays of the model's shapes; nothing where ``like`` is empty."""
    unpadded = {}
    for name, array in like.items():
        rows = getattr(padded, name)
        rows = rows.T if name == "W2" else rows
        height, width = np.atleast_2d(array).shape
        unpadded[name] = rows[:height, :width].reshape(array.shape).copy(order="C")
    return unpadded


def _whole(n: int) -> int:
    """Return ``n`` rounded up to whole vectors."""
    return -(-n // LANES) * LANES


def _zeros(height: int, width: int) -> np.ndarray:
    """Return zeros that begin at a cache line, so that no vector lies across two."""
    raw = np.zeros(height * width * 4 + _CACHE_LINE, np.uint8)
    start = -raw.ctypes.data % _CACHE_LINE
    return raw[start : start + height * width * 4].view(np.float32).reshape(height, width)
