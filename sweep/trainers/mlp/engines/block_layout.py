"""Define the memory layout of a block.

A block trains one run. All its arrays are in one contiguous piece of memory, its *room*: first floats, then
32-bit integers. The layout depends only on the sizes of the run, so the host, which allocates the room, and
the block, which addresses it, use the same function. Rows have an odd stride, so that the elements of a
column are in different banks of shared memory.
"""

from typing import NamedTuple

THREADS = 256
"""Threads of a block. It also determines the number of parts of long sums, so that results do not depend on
how many threads actually run."""

TILE = (4, 4)
"""Rows and columns of a product that one thread computes at a time in registers."""


class Layout(NamedTuple):
    """Sizes, row strides, and offsets of the arrays in the room, in 4-byte words."""

    T: int
    D: int
    H: int
    V: int
    B: int
    S: int
    """Most distinct characters of a batch at one position."""
    d: int
    """Row stride of arrays with D columns; h and v likewise."""
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
    """Number of examples with a character at a position, shape (T, V); shares memory with ``partial``."""
    present: int
    """Characters present at a position, in order, shape (T, S)."""
    n_present: int
    """Number of present characters, shape (T,)."""
    starts: int
    """Start of a present character's examples in ``order``, shape (T, S + 1)."""
    order: int
    """Examples sorted by their character at a position, shape (T, B)."""
    slots: int
    """Index of an example's character in ``present``, shape (T, B)."""
    logits_parts: int
    """Number of parts of a logit's sum over H."""
    emb_parts: int
    """The same for the gradient of an embedding."""
    words: int
    """Size of the room."""


def arrange(T: int, D: int, H: int, V: int, B: int) -> Layout:
    """Return the layout for a run's sizes; called on the host and in the block."""
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
    # A tile may extend beyond the last row of its operand, by less than its own size.
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
    """Return the number of tiles that cover a product of this shape."""
    return -(-rows // TILE[0]) * -(-columns // TILE[1])


def parts(rows: int, columns: int, length: int) -> int:
    """Return the number of parts of sums of this length that gives all threads work."""
    return max(1, min(THREADS // tiles(rows, columns), length))
