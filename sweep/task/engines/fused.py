"""The fast engine of the CPU: a whole segment in one compiled call, the lock released.

The arithmetic is that of ``autograd.py``, up to float order; three things make it quick.

* Nothing happens between two steps but arithmetic: no dispatch, no allocation, no Python.
* The first layer is factored through the vocabulary. At position t a batch holds few distinct
  characters, so ``C[c] @ W1[t]`` is computed once for each of them (the *table*), and each
  example adds up its T rows. Backward, the gradients of the examples that share a character at
  t are summed first, and C and W1 take their gradients from these sums. This is exact.
* All products are tiled in registers (see ``products.py``); W2 is kept in both layouts.

With S the most distinct characters that a batch can hold at one position, and H and V padded
to whole vectors: with zeros, and padded symbols with a bias that makes them impossible.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from sweep.task.config import TrainConfig
from sweep.task.corpus import Examples
from sweep.task.engines.products import LANES, product, product_transposed, row_max
from sweep.task.randomness import GAMMA, stream_key
from sweep.task.state import TrainState

_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy", "fastmath": {"contract"}}

_LINE = 64
"""Bytes of a cache line."""

# The mixing constants of SplitMix64, as in randomness.py.
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)

_IMPOSSIBLE = np.float32(-1e30)
"""Bias of a padded symbol: its probability is zero, and zero times it is too."""

_TANH_FLAT = np.float32(7.90531110763549805)
_LOG2_E = np.float32(1.44269504088896341)
# ln 2 in two parts, so that x - n ln 2 keeps all its digits.
_LN_2_HIGH, _LN_2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)


class _Parameters(NamedTuple):
    """The model, or one float for each of its parameters: gradients, velocities, decay."""

    C: np.ndarray
    """Shape (V, D)."""
    W1: np.ndarray
    """Shape (T*D, H)."""
    b1: np.ndarray
    """Shape (1, H)."""
    W2: np.ndarray
    """Transposed: shape (V, H)."""
    b2: np.ndarray
    """Shape (1, V)."""


class _Batch(NamedTuple):
    """One minibatch and all that is computed from it, overwritten by each step."""

    rows: np.ndarray
    """Training examples drawn, shape (B,)."""
    slots: np.ndarray
    """Place of each example's character among those present at a position, shape (T, B)."""
    present: np.ndarray
    """Characters present at a position, in order of appearance, shape (T, S)."""
    n_present: np.ndarray
    """How many characters are present at a position, shape (T,)."""
    slot_of: np.ndarray
    """Scratch: character -> slot, or -1, shape (V,)."""
    emb: np.ndarray
    """Embeddings of the present characters, shape (T, S, D)."""
    demb: np.ndarray
    """Their gradients."""
    table: np.ndarray
    """``emb[t] @ W1[t]``; in the backward pass the summed gradients of z, shape (T, S, H)."""
    hidden: np.ndarray
    """Shape (B, H)."""
    dz: np.ndarray
    """Gradient before the tanh, shape (B, H)."""
    logits: np.ndarray
    """Logits, then their gradients, shape (B, V)."""
    W2: np.ndarray
    """The second layout of W2, shape (H, V)."""


def train(
    config: TrainConfig, examples: Examples, state: TrainState, learning_rates: np.ndarray, device: str
) -> tuple[TrainState, np.ndarray]:
    """Take one SGD step for each learning rate; see ``sweep.task.engines`` for the contract."""
    assert device == "cpu", "this engine has no other device"
    parameters = _pad(state.parameters)
    parameters.b2[:, state.parameters["b2"].size :] = _IMPOSSIBLE
    velocity = _pad(state.velocity or _zeros_like(state.parameters))
    losses = np.empty(len(learning_rates), np.float32)
    _take_steps(
        parameters,
        velocity,
        _pad(_zeros_like(state.parameters)),
        _new_batch(config, state.parameters, examples),
        np.ascontiguousarray(examples.contexts),
        np.ascontiguousarray(examples.targets),
        np.uint64(stream_key(config.seed, "batch")),
        state.step,
        learning_rates,
        np.float32(config.weight_decay),
        np.float32(config.momentum),
        losses,
    )
    new_state = TrainState(
        step=state.step + len(learning_rates),
        parameters=_unpad(parameters, state.parameters),
        velocity=_unpad(velocity, state.velocity),
    )
    return new_state, losses


@njit(**_OPTIONS)
def _take_steps(
    p: _Parameters,
    velocity: _Parameters,
    gradient: _Parameters,
    batch: _Batch,
    contexts: np.ndarray,
    targets: np.ndarray,
    key: np.uint64,
    first_step: int,
    learning_rates: np.ndarray,
    weight_decay: np.float32,
    momentum: np.float32,
    losses: np.ndarray,
) -> None:
    _transpose(batch.W2, p.W2)
    for n in range(len(learning_rates)):
        _draw(batch.rows, key, first_step + n, len(targets))
        _find_present(batch, contexts)
        _hidden(batch, p)
        losses[n] = _loss_and_gradient(batch, p.b2, targets)
        _backward(gradient, batch, p)
        _descend(p, velocity, gradient, learning_rates[n], weight_decay, momentum)
        _transpose(batch.W2, p.W2)


@njit(**_OPTIONS)
def _draw(rows: np.ndarray, key: np.uint64, step: int, n_examples: int) -> None:
    """Draw a step's examples exactly as ``randomness.minibatch_indices`` does."""
    first = np.uint64(step) * np.uint64(len(rows)) + np.uint64(1)
    for b in range(len(rows)):
        z = np.uint64(key) + (first + np.uint64(b)) * GAMMA
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
        z = z ^ (z >> np.uint64(31))
        rows[b] = np.int64(((z >> np.uint64(32)) * np.uint64(n_examples)) >> np.uint64(32))


@njit(**_OPTIONS)
def _find_present(batch: _Batch, contexts: np.ndarray) -> None:
    """List the distinct characters at each position, and each example's place in that list."""
    slot_of = batch.slot_of
    for t in range(contexts.shape[1]):
        n = 0
        for b in range(len(batch.rows)):
            c = contexts[batch.rows[b], t]
            if slot_of[c] < 0:
                slot_of[c] = n
                batch.present[t, n] = c
                n += 1
            batch.slots[t, b] = slot_of[c]
        batch.n_present[t] = n
        for slot in range(n):
            slot_of[batch.present[t, slot]] = -1


@njit(**_OPTIONS)
def _hidden(batch: _Batch, p: _Parameters) -> None:
    """Set hidden = tanh(emb @ W1 + b1) by way of the table."""
    D = p.C.shape[1]
    for t in range(len(batch.n_present)):
        n = batch.n_present[t]
        for slot in range(n):
            batch.emb[t, slot] = p.C[batch.present[t, slot]]
        product(batch.table[t, :n], batch.emb[t], p.W1[t * D : (t + 1) * D])
    for b in range(len(batch.rows)):
        row = batch.hidden[b]
        row[:] = p.b1[0]
        for t in range(len(batch.n_present)):
            _add(row, batch.table[t, batch.slots[t, b]])
        for j in range(len(row)):
            row[j] = _tanh(row[j])


@njit(**_OPTIONS)
def _loss_and_gradient(batch: _Batch, b2: np.ndarray, targets: np.ndarray) -> float:
    """Compute the logits, turn them into dloss/dlogits = (softmax - onehot) / B, return the loss."""
    product(batch.logits, batch.hidden, batch.W2)
    total, size, width = 0.0, len(batch.rows), b2.shape[1]
    for b in range(size):
        row = batch.logits[b]
        _add(row, b2[0])
        target = targets[batch.rows[b]]
        largest = row_max(row, 0, width)
        total += largest - row[target]
        for v in range(width):
            row[v] = _exp(row[v] - largest)
        summed = _sum(row)
        total += math.log(summed)
        _scale(row, np.float32(1) / (summed * np.float32(size)))
        row[target] -= np.float32(1) / np.float32(size)
    return total / size


@njit(**_OPTIONS)
def _backward(gradient: _Parameters, batch: _Batch, p: _Parameters) -> None:
    """Compute the gradients of all parameters from those of the logits."""
    product(gradient.W2, batch.logits.T, batch.hidden)
    _sum_rows(gradient.b2[0], batch.logits)
    product(batch.dz, batch.logits, p.W2)
    for b in range(len(batch.rows)):
        _through_tanh(batch.dz[b], batch.hidden[b])
    gradient.C[:] = np.float32(0)
    D = p.C.shape[1]
    for t in range(len(batch.n_present)):
        n = batch.n_present[t]
        sums, emb = batch.table[t, :n], batch.emb[t]
        sums[:] = np.float32(0)
        for b in range(len(batch.rows)):
            _add(sums[batch.slots[t, b]], batch.dz[b])
        product_transposed(batch.demb[t], sums, p.W1[t * D : (t + 1) * D])
        for slot in range(n):
            _add(gradient.C[batch.present[t, slot]], batch.demb[t, slot])
        product(gradient.W1[t * D : (t + 1) * D], emb.T, sums)
    _sum_rows(gradient.b1[0], batch.table[0, : batch.n_present[0]])


@njit(**_OPTIONS)
def _descend(
    p: _Parameters,
    velocity: _Parameters,
    gradient: _Parameters,
    rate: np.float32,
    weight_decay: np.float32,
    momentum: np.float32,
) -> None:
    """Update every parameter in place; only W1 and W2 decay."""
    off = np.float32(0)
    _descend_one(p.C, velocity.C, gradient.C, rate, off, momentum)
    _descend_one(p.W1, velocity.W1, gradient.W1, rate, weight_decay, momentum)
    _descend_one(p.b1, velocity.b1, gradient.b1, rate, off, momentum)
    _descend_one(p.W2, velocity.W2, gradient.W2, rate, weight_decay, momentum)
    _descend_one(p.b2, velocity.b2, gradient.b2, rate, off, momentum)


@njit(**_OPTIONS)
def _descend_one(
    parameter: np.ndarray,
    velocity: np.ndarray,
    gradient: np.ndarray,
    rate: np.float32,
    weight_decay: np.float32,
    momentum: np.float32,
) -> None:
    """Update: g = gradient + weight_decay p; v = momentum v + g; p -= rate v."""
    p, v, g = parameter.reshape(-1), velocity.reshape(-1), gradient.reshape(-1)
    if momentum == 0:
        for i in range(len(p)):
            p[i] -= rate * (g[i] + weight_decay * p[i])
    else:
        for i in range(len(p)):
            v[i] = momentum * v[i] + (g[i] + weight_decay * p[i])
            p[i] -= rate * v[i]


@njit(**_OPTIONS)
def _transpose(out: np.ndarray, a: np.ndarray) -> None:
    for v in range(a.shape[0]):
        for h in range(out.shape[0]):
            out[h, v] = a[v, h]


@njit(**_OPTIONS)
def _add(row: np.ndarray, other: np.ndarray) -> None:
    for j in range(len(row)):
        row[j] += other[j]


@njit(**_OPTIONS)
def _scale(row: np.ndarray, factor: np.float32) -> None:
    for j in range(len(row)):
        row[j] *= factor


@njit(**_OPTIONS | {"fastmath": {"contract", "reassoc"}})
def _sum(row: np.ndarray) -> np.float32:
    total = np.float32(0)
    for j in range(len(row)):
        total += row[j]
    return total


@njit(**_OPTIONS)
def _sum_rows(out: np.ndarray, rows: np.ndarray) -> None:
    out[:] = rows[0]
    for n in range(1, len(rows)):
        _add(out, rows[n])


@njit(**_OPTIONS)
def _through_tanh(row: np.ndarray, hidden: np.ndarray) -> None:
    """Multiply by the derivative of tanh, 1 - tanh^2."""
    for j in range(len(row)):
        row[j] *= np.float32(1) - hidden[j] * hidden[j]


@njit(**_OPTIONS)
def _tanh(x: np.float32) -> np.float32:
    """Return tanh(x) = x P(x^2) / Q(x^2), clamped where float32 is 1; within 3e-7.

    References:
        The minimax coefficients are those of Eigen's float32 tanh.
    """
    x = min(max(x, -_TANH_FLAT), _TANH_FLAT)
    y = x * x
    top = np.float32(-2.76076847742355e-16)
    top = top * y + np.float32(2.00018790482477e-13)
    top = top * y + np.float32(-8.60467152213735e-11)
    top = top * y + np.float32(5.12229709037114e-08)
    top = top * y + np.float32(1.48572235717979e-05)
    top = top * y + np.float32(6.37261928875436e-04)
    top = top * y + np.float32(4.89352455891786e-03)
    bottom = np.float32(1.19825839466702e-06)
    bottom = bottom * y + np.float32(1.18534705686654e-04)
    bottom = bottom * y + np.float32(2.26843463243900e-03)
    bottom = bottom * y + np.float32(4.89352518554385e-03)
    return x * top / bottom


@njit(**_OPTIONS)
def _exp(x: np.float32) -> np.float32:
    """Return e^x for x up to 0, as 2^n e^r with |r| at most ln(2)/2; below e^-80 zero."""
    n = np.floor(x * _LOG2_E + np.float32(0.5))
    r = x - n * _LN_2_HIGH - n * _LN_2_LOW
    e = np.float32(1 / 720)
    e = e * r + np.float32(1 / 120)
    e = e * r + np.float32(1 / 24)
    e = e * r + np.float32(1 / 6)
    e = e * r + np.float32(0.5)
    e = e * r + np.float32(1)
    e = e * r + np.float32(1)
    e *= np.int32((np.int32(n) + 127) << 23).view(np.float32)
    return np.float32(0) if x < np.float32(-80) else e


def _padded(n: int) -> int:
    return -(-n // LANES) * LANES


def _aligned(shape: tuple[int, ...], dtype: type = np.float32) -> np.ndarray:
    """Return zeros that begin at a cache line, so that no vector lies across two."""
    raw = np.zeros(int(np.prod(shape)) * np.dtype(dtype).itemsize + _LINE, np.uint8)
    start = -raw.ctypes.data % _LINE
    return raw[start : len(raw) - _LINE + start].view(dtype).reshape(shape)


def _zeros_like(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.zeros_like(array) for name, array in arrays.items()}


def _pad(arrays: dict[str, np.ndarray]) -> _Parameters:
    """Copy arrays of the model's shapes into rows of whole vectors."""
    padded = {}
    for name, array in arrays.items():
        rows = np.atleast_2d(array.T if name == "W2" else array)
        width = rows.shape[1] if name == "C" else _padded(rows.shape[1])
        padded[name] = _aligned((rows.shape[0], width))
        padded[name][:, : rows.shape[1]] = rows
    return _Parameters(**padded)


def _unpad(padded: _Parameters, like: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Copy back into arrays of the model's shapes; nothing where ``like`` is empty."""
    unpadded = {}
    for name, array in like.items():
        rows = getattr(padded, name)
        rows = rows.T if name == "W2" else rows
        shape = array.shape if array.ndim == 2 else (1, *array.shape)
        unpadded[name] = rows[: shape[0], : shape[1]].reshape(array.shape).copy(order="C")
    return unpadded


def _new_batch(config: TrainConfig, parameters: dict[str, np.ndarray], examples: Examples) -> _Batch:
    V, D = parameters["C"].shape
    T, B, H = config.block_size, config.batch_size, config.hidden_neurons
    S = min(B, V)
    return _Batch(
        rows=_aligned((B,), np.int64),
        slots=_aligned((T, B), np.int64),
        present=_aligned((T, S), np.int64),
        n_present=_aligned((T,), np.int64),
        slot_of=_aligned((V,), np.int64) - 1,
        emb=_aligned((T, S, D)),
        demb=_aligned((T, S, D)),
        table=_aligned((T, S, _padded(H))),
        hidden=_aligned((B, _padded(H))),
        dz=_aligned((B, _padded(H))),
        logits=_aligned((B, _padded(V))),
        W2=_aligned((H, _padded(V))),
    )
