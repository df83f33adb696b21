"""Train a whole segment on the CPU in one compiled call, without Python's lock: the fast engine.

The arithmetic is that of ``autograd.py``, up to rounding. It is fast for four reasons:

* Between two steps there is only arithmetic: no dispatch, no allocation, no Python.
* The first layer is factored through the vocabulary. At position t, a batch has few distinct
  characters, so ``C[c] @ W1[t]`` is computed once for each of them (the *table*), and each
  example sums its T rows. In the backward pass, the gradients of the examples with the same
  character at t are summed first, and the gradients of C and W1 are computed from the sums. This is exact.
* Sums stay in registers (``products.py``), of the machine's full width (``vectors.py``).
* A parameter is updated as soon as its old value is no longer needed (``fused_updates.py``).

D, H and V are padded to whole vectors: with zeros, and for padded symbols with a bias that makes them
impossible (``fused_arrays.py``). Further hidden layers and dropout are in ``fused_layers.py``.
"""

import math
from typing import NamedTuple

import numpy as np

from sweep.definition.seeds import stream_key
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines.fused_arrays import Batch, Model, allocate_batch, pad, unpad
from sweep.trainers.mlp.engines.fused_layers import (
    Dropout,
    drop,
    dropout_of,
    residual_backward,
    residual_forward,
    through_tanh,
)
from sweep.trainers.mlp.engines.fused_rows import (
    IMPOSSIBLE,
    add_bias,
    add_row,
    copy_row,
    exp_row,
    scale_row,
    sum_rows,
)
from sweep.trainers.mlp.engines.fused_updates import (
    Rule,
    Update,
    descend,
    descend_product,
    rule_of,
    update_of_step,
)
from sweep.trainers.mlp.engines.products import product, product_transposed, transpose
from sweep.trainers.mlp.engines.vectors import WIDTH, compiled, compiled_entry, load, store, tanh
from sweep.trainers.mlp.randomness import GAMMA, MIX_1, MIX_2
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.words.examples import Examples


class Source(NamedTuple):
    """The data of the steps to be trained."""

    contexts: np.ndarray
    """Shape (N, T)."""
    targets: np.ndarray
    """Shape (N,)."""
    key: np.uint64
    """Key of the minibatch stream."""
    first_step: int
    rates: np.ndarray
    """Learning rate of each step, float32."""


def train(
    config: TrainConfig, examples: Examples, state: TrainState, learning_rates: np.ndarray, device: str
) -> tuple[TrainState, np.ndarray]:
    """Train one step for each learning rate; see ``sweep.trainers.mlp.engines`` for the contract."""
    assert device == "cpu", "this engine has no other device"
    V = state.parameters["b2"].size
    model = pad(state.parameters, *(state.moments or (state.velocity,)))
    model.b2[0, :, V:] = IMPOSSIBLE
    source = Source(
        contexts=np.ascontiguousarray(examples.contexts),
        targets=np.ascontiguousarray(examples.targets),
        key=np.uint64(stream_key(config.seed, "batch")),
        first_step=state.step,
        rates=np.array(learning_rates, np.float32),
    )
    losses = np.empty(len(learning_rates), np.float32)
    _take_steps(
        losses,
        model,
        allocate_batch(config, V),
        source,
        (rule_of(config), dropout_of(config)),
    )
    new_state = TrainState(
        step=state.step + len(losses),
        parameters=unpad(model, 0, state.parameters),
        velocity=unpad(model, 1, state.velocity),
        moments=tuple(unpad(model, which, like) for which, like in enumerate(state.moments, start=1)),
    )
    return new_state, losses


@compiled_entry
def _take_steps(
    losses: np.ndarray,
    model: Model,
    batch: Batch,
    source: Source,
    rules: tuple[Rule, Dropout],
) -> None:
    """Train the model in place, and set the losses."""
    (rule, dropout), size, n_residual = rules, len(batch.dz), model.r.shape[1]
    first_layer, is_deep = batch.hidden[:size], n_residual > 0
    transpose(batch.W2, model.W2[0])
    for n in range(len(losses)):
        step, rate = source.first_step + n, source.rates[n]
        updates = (update_of_step(rule, rate, step + 1, True), update_of_step(rule, rate, step + 1, False))
        first_row = step * (n_residual + 1) * size
        _draw(batch.examples, source, n)
        _find_present(batch, source.contexts)
        _compute_table(batch, model.C[0], model.W1[0])
        _compute_hidden(batch, model.b1[0])
        drop(first_layer, dropout, first_row)
        if is_deep:
            residual_forward(batch, model.R[0], model.r[0], dropout, first_row + size)
        losses[n] = _compute_loss(batch, model.b2[0], source.targets)
        _second_layer_backward(batch, model.W2, model.b2, updates)
        if is_deep:
            residual_backward(batch, model, updates, dropout, first_row + size)
        through_tanh(batch.dz, first_layer, batch.dz, dropout, first_row)
        _first_layer_backward(batch, model, updates)
        transpose(batch.W2, model.W2[0])


@compiled
def _draw(examples: np.ndarray, source: Source, n: int) -> None:
    """Draw the minibatch of the n-th step, the same as ``randomness.minibatch_indices`` draws."""
    size = len(examples)
    first = np.uint64(source.first_step + n) * np.uint64(size) + np.uint64(1)
    for b in range(size):
        z = source.key + (first + np.uint64(b)) * GAMMA
        z = (z ^ (z >> np.uint64(30))) * MIX_1
        z = (z ^ (z >> np.uint64(27))) * MIX_2
        z ^= z >> np.uint64(31)
        examples[b] = ((z >> np.uint64(32)) * np.uint64(len(source.targets))) >> np.uint64(32)


@compiled
def _find_present(batch: Batch, contexts: np.ndarray) -> None:
    """List the distinct characters at each position, and the index of each example's character."""
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
def _compute_table(batch: Batch, C: np.ndarray, W1: np.ndarray) -> None:  # noqa: N803 (the model's names)
    """Set table = emb @ W1 for the characters present at each position."""
    T, S = batch.slots.shape[1], batch.S
    D = len(W1) // T
    for t in range(T):
        first, n = t * S, batch.n_present[t]
        for slot in range(n):
            copy_row(batch.emb, first + slot, C, batch.present[t, slot])
        product(batch.table[first : first + n], batch.emb[first : first + n], W1[t * D : (t + 1) * D])


@compiled
def _compute_hidden(batch: Batch, b1: np.ndarray) -> None:
    """Set the first layer's hidden to tanh(b1 + the sum of the example's T rows of the table)."""
    for b in range(len(batch.dz)):
        for j in range(0, batch.hidden.shape[1], WIDTH):
            z = load(b1, 0, j)
            for t in range(batch.slots.shape[1]):
                z += load(batch.table, batch.slots[b, t], j)
            store(batch.hidden, b, j, tanh(z))


@compiled
def _compute_loss(batch: Batch, b2: np.ndarray, targets: np.ndarray) -> float:
    """Set logits to their gradients, (softmax - onehot) / B, and return the mean loss."""
    product(batch.logits, batch.hidden[-len(batch.dz) :], batch.W2[: batch.H])
    size, total = len(batch.logits), 0.0
    for b in range(size):
        target = targets[batch.examples[b]]
        largest = add_bias(batch.logits, b, b2)
        total += largest - batch.logits[b, target]
        batch.summed[b] = exp_row(batch.logits, b, largest)
        scale_row(batch.logits, b, np.float32(1) / (batch.summed[b] * np.float32(size)))
        batch.logits[b, target] -= np.float32(1) / np.float32(size)
    for b in range(size):
        total += math.log(batch.summed[b])
    return total / size


@compiled
def _second_layer_backward(
    batch: Batch,
    W2: np.ndarray,  # noqa: N803 (as in Model)
    b2: np.ndarray,
    updates: tuple[Update, Update],
) -> None:
    """Set dz to the gradient of the top layer's output, dlogits @ W2.T; update W2 and b2."""
    V, B, gradient = len(batch.slot_of), len(batch.dz), batch.gradient
    product(batch.dz, batch.logits, W2[0, :V])
    descend_product(W2, (0, V), (batch.logits, batch.hidden[-B:]), gradient.block, updates[0])
    sum_rows(gradient.b2, batch.logits, 0, B)
    descend(b2, 0, gradient.b2, updates[1])


@compiled
def _first_layer_backward(batch: Batch, model: Model, updates: tuple[Update, Update]) -> None:
    """Update C, W1 and b1 by the sums of dz by position and character."""
    W1 = model.W1
    T, S = batch.slots.shape[1], batch.S
    D, gradient = W1.shape[1] // T, batch.gradient
    gradient.C[:] = 0
    _sum_by_character(batch)
    for t in range(T):
        start, n, row = t * S, batch.n_present[t], t * D
        sums, emb = batch.table[start : start + n], batch.emb[start : start + n]
        product_transposed(batch.demb[start : start + n], sums, W1[0, row : row + D])
        for slot in range(n):
            add_row(gradient.C, batch.present[t, slot], batch.demb, start + slot)
        descend_product(W1, (row, D), (emb, sums), gradient.block, updates[0])
    sum_rows(gradient.hidden, batch.table, 0, batch.n_present[0])
    descend(model.b1, 0, gradient.hidden, updates[1])
    descend(model.C, 0, gradient.C, updates[1])


@compiled
def _sum_by_character(batch: Batch) -> None:
    """Set each row of the table to the sum of dz over the examples that used it."""
    T, S = batch.slots.shape[1], batch.S
    for t in range(T):
        batch.table[t * S : t * S + batch.n_present[t]] = 0
    for b in range(len(batch.dz)):
        for t in range(T):
            add_row(batch.table, batch.slots[b, t], batch.dz, b)
