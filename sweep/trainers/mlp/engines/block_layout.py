"""Where does a block keep its numbers?

A block trains one run. All that it works on stands in one stretch of memory, its *room*: floats
first, then 32-bit integers. The layout follows from the sizes of the run alone, so the host (how
much memory?) and the block (where?) ask the same function. Rows have an odd stride, so that the
elements of a column lie in different banks of shared memory.
"""

from typing import NamedTuple

THREADS = 256
"""Threads of a block. Also decides into how many parts long sums are cut, so that the numbers do
not depend on how many threads really run."""

TILE = (4, 4)
"""Rows and columns of a product that one thread computes at a time, in registers."""


class Layout(NamedTuple):
    """Sizes, row strides, places of the arrays in the room (counted in 4-byte words)."""

    T: int
    D: int
    H: int
    V: int
    B: int
    S: int
    """Most distinct characters that a batch can hold at one position."""
    d: int
    """Row stride of what has D columns; h and v likewise."""
    h: int
    v: int
    C: int
    """Shape (V, D)."""
    W1: int
    """Shape (T*D, H)."""
    b1: int
    W2: int
    """Shape (H, V)."""
    b2: int
    C_gradient: int
    """Gradient of C, shape (V, D)."""
    emb: int
    """Embeddings of the present characters, S rows for each position, shape (T*S, D)."""
    front: int
    """z, then tanh z, shape (B, H); later sums of dz by character, shape (S, H)."""
    back: int
    """The table of one position, shape (S, H); parts of the logits; then dz, shape (B, H)."""
    logits: int
    """Logits, then their gradients, shape (B, V)."""
    partial: int
    """Parts of the gradient of emb, shape (emb_parts, S, D)."""
    row_loss: int
    """Loss of each example, shape (B,)."""
    symbols: int
    """The minibatch, shape (T + 1, B): its contexts, then its targets."""
    counts: int
    """Examples that have a character at a position, shape (T, V); where ``partial`` is later."""
    present: int
    """Characters present at a position, in their order, shape (T, S)."""
    n_present: int
    """How many they are, shape (T,)."""
    starts: int
    """Where the examples of a present character begin in ``order``, shape (T, S + 1)."""
    order: int
    """Examples sorted by their character at a position, shape (T, B)."""
    slots: int
    """Place of an example's character in ``present``, shape (T, B)."""
    logits_parts: int
    """Into how many parts a logit's sum over H is cut."""
    emb_parts: int
    """The same for the gradient of an embedding."""
    words: int
    """Size of the room."""


def arrange(T: int, D: int, H: int, V: int, B: int) -> Layout:
    """Return the layout for a run's sizes; runs on the host and in the block."""
    S = min(B, V)
    d, h, v = D | 1, H | 1, V | 1
    logits_parts = parts(B, V, H)
    emb_parts = parts(S, D, H)
    C = 0
    W1 = C + V * d
    b1 = W1 + T * D * h
    W2 = b1 + h
    b2 = W2 + H * v
    C_gradient = b2 + v
    emb = C_gradient + V * d
    front = emb + T * S * d
    back = front + max(B, S) * h
    logits = back + max(max(B, S) * h, logits_parts * B * v)
    partial = logits + B * v
    row_loss = partial + max(emb_parts * S * D, T * V)
    symbols = row_loss + B
    counts = partial
    present = symbols + (T + 1) * B
    n_present = present + T * S
    starts = n_present + T
    order = starts + T * (S + 1)
    slots = order + T * B
    # A tile may reach beyond the last row of what it multiplies, by less than its own size.
    beyond = max(front + (max(B, S) + TILE[0]) * h, logits + (B + TILE[0]) * v, front + TILE[0] * d)
    words = max(slots + T * B, beyond)
    return Layout(
        T,
        D,
        H,
        V,
        B,
        S,
        d,
        h,
        v,
        C,
        W1,
        b1,
        W2,
        b2,
        C_gradient,
        emb,
        front,
        back,
        logits,
        partial,
        row_loss,
        symbols,
        counts,
        present,
        n_present,
        starts,
        order,
        slots,
        logits_parts,
        emb_parts,
        words,
    )


def tiles(rows: int, columns: int) -> int:
    """Return how many tiles cover a product of this shape."""
    return -(-rows // TILE[0]) * -(-columns // TILE[1])


def parts(rows: int, columns: int, length: int) -> int:
    """Return into how many parts to cut sums of this length, so that all threads have work."""
    return max(1, min(THREADS // tiles(rows, columns), length))
