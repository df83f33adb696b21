"""Define the arrays of the fused engine: the model's, padded to whole vectors, and a minibatch's.

D, H and V are padded with zeros. S is the largest number of distinct characters of a batch at one position, L
the number of hidden layers.
"""

import math
from typing import NamedTuple

import numpy as np

from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines.vectors import LANES

BLOCK_ROWS = 48
"""Number of matrix rows whose gradient is computed and used at a time, so that it stays in a cache: whole
tiles of ``products.py`` on every machine."""

_CACHE_LINE = 64


class Model(NamedTuple):
    """Three floats per parameter: the parameter itself, and two values that an optimizer keeps for it.

    ``W1[0]`` is the matrix; ``W1[1]`` is its velocity or first moment, ``W1[2]`` its second moment. One array
    holds the three, because Numba passes an array word by word from function to function.
    """

    C: np.ndarray
    """Shape (3, V, D)."""
    W1: np.ndarray
    """Shape (3, T*D, H), D not padded."""
    b1: np.ndarray
    """Shape (3, 1, H)."""
    W2: np.ndarray
    """Transposed, shape (3, V, H); V is padded."""
    b2: np.ndarray
    """Shape (3, 1, V)."""
    R: np.ndarray
    """Stacked matrices of the residual layers, shape (3, (L-1)*H, H), padded along rows only."""
    r: np.ndarray
    """Biases of the residual layers, shape (3, L-1, H)."""


class Gradient(NamedTuple):
    """Scratch arrays of gradients."""

    C: np.ndarray
    """Gradient of the embedding, shape (V, D)."""
    hidden: np.ndarray
    """Gradient of the bias of one hidden layer, shape (1, H)."""
    b2: np.ndarray
    """Shape (1, V)."""
    block: np.ndarray
    """Gradient of some rows of a matrix, shape (BLOCK_ROWS, H)."""


class Batch(NamedTuple):
    """One minibatch and the values computed from it; each step overwrites the previous one."""

    examples: np.ndarray
    """Indices of the drawn training examples, shape (B,)."""
    slots: np.ndarray
    """Row of the table for each example and position, shape (B, T)."""
    present: np.ndarray
    """Characters present at a position, in order of appearance, shape (T, S + 1)."""
    n_present: np.ndarray
    """Number of present characters, shape (T,)."""
    slot_of: np.ndarray
    """Scratch: character -> index in ``present``, or -1, shape (V,), V not padded."""
    emb: np.ndarray
    """Embeddings of the present characters, S rows for each position, shape (T*S, D)."""
    demb: np.ndarray
    """Gradients of these embeddings, shape (T*S, D)."""
    table: np.ndarray
    """Their contributions to z, later the sums of its gradient, shape (T*S, H)."""
    hidden: np.ndarray
    """Output of each hidden layer, B rows for each, shape (L*B, H)."""
    units: np.ndarray
    """tanh z of the residual layers after dropout, later the gradient of z, shape ((L-1)*B, H)."""
    dz: np.ndarray
    """Gradient of a layer's output; finally of z, the input of the first tanh, shape (B, H)."""
    logits: np.ndarray
    """Logits, then their gradients, shape (B, V)."""
    summed: np.ndarray
    """Sum of exp(logits - largest logit), shape (B,)."""
    W2: np.ndarray
    """W2, not transposed, shape (H, V)."""
    gradient: Gradient
    S: int
    """Largest number of characters that can be present at a position."""
    H: int
    """Number of hidden neurons, not padded."""


def allocate_batch(config: TrainConfig, vocabulary_size: int) -> Batch:
    """Return the arrays of a minibatch."""
    V, T, B = vocabulary_size, config.block_size, config.batch_size
    D, H, L = config.embedding_dim, config.hidden_neurons, config.hidden_layers
    S = min(B, V)
    return Batch(
        examples=np.zeros(B, np.int64),
        slots=np.zeros((B, T), np.int64),
        present=np.zeros((T, S + 1), np.int64),
        n_present=np.zeros(T, np.int64),
        slot_of=np.full(V, -1, np.int64),
        emb=zeros(T * S, whole(D)),
        demb=zeros(T * S, whole(D)),
        table=zeros(T * S, whole(H)),
        hidden=zeros(L * B, whole(H)),
        units=zeros((L - 1) * B, whole(H)),
        dz=zeros(B, whole(H)),
        logits=zeros(B, whole(V)),
        summed=np.zeros(B, np.float32),
        W2=zeros(whole(H), whole(V)),
        gradient=_allocate_gradient(V, D, H),
        S=S,
        H=H,
    )


def _allocate_gradient(V: int, D: int, H: int) -> Gradient:  # noqa: N803 (the model's sizes)
    return Gradient(
        C=zeros(V, whole(D)),
        hidden=zeros(1, whole(H)),
        b2=zeros(1, whole(V)),
        block=zeros(BLOCK_ROWS, whole(H)),
    )


def pad(parameters: dict[str, np.ndarray], *kept: dict[str, np.ndarray]) -> Model:
    """Copy arrays of the model's shapes, and what an optimizer keeps, into rows of whole vectors."""
    V, D = parameters["C"].shape
    inputs, H = parameters["W1"].shape
    n_residual = sum(name.startswith("R") for name in parameters)
    model = Model(
        C=zeros(3, V, whole(D)),
        W1=zeros(3, inputs, whole(H)),
        b1=zeros(3, 1, whole(H)),
        W2=zeros(3, whole(V), whole(H)),
        b2=zeros(3, 1, whole(V)),
        R=zeros(3, n_residual * H, whole(H)),
        r=zeros(3, n_residual, whole(H)),
    )
    for which, arrays in enumerate((parameters, *kept)):
        for name, array in arrays.items():
            _part(model, which, name, array)[:] = array
    return model


def unpad(model: Model, which: int, like: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Copy one of the three into arrays of the model's shapes; nothing if ``like`` is empty."""
    return {name: _part(model, which, name, array).copy(order="C") for name, array in like.items()}


def _part(model: Model, which: int, name: str, like: np.ndarray) -> np.ndarray:
    """Return a view of a parameter, or of a value kept for it, in its own shape."""
    if name == "W2":
        return model.W2[which, : like.shape[1], : like.shape[0]].T
    if name.startswith("R"):
        first = (int(name[1:]) - 2) * len(like)
        return model.R[which, first : first + len(like), : like.shape[1]]
    if name.startswith("r"):
        return model.r[which, int(name[1:]) - 2, : len(like)]
    rows: np.ndarray = getattr(model, name)[which]
    return rows[0, : len(like)] if like.ndim == 1 else rows[:, : like.shape[1]]


def whole(n: int) -> int:
    """Return ``n`` rounded up to whole vectors."""
    return -(-n // LANES) * LANES


def zeros(*shape: int) -> np.ndarray:
    """Return zeros that begin at a cache line, so that no vector spans two.

    They use no memory until they are written.
    """
    size = math.prod(shape) * 4
    raw = np.zeros(size + _CACHE_LINE, np.uint8)
    start = -raw.ctypes.data % _CACHE_LINE
    return raw[start : start + size].view(np.float32).reshape(shape)
