"""Define the program with which a block of threads trains one run.

The arithmetic is that of ``autograd.py``, up to rounding, with the first layer factored through the
vocabulary as in ``fused.py``: at each position, the products ``C[c] @ W1[t]`` are computed once for the
characters that are present. The code does not depend on the device. The functions are plain Python over flat
arrays; ``compile_program`` binds them to a compiler and a barrier:

* on a GPU, 256 threads run them together, and the barrier waits for all;
* on a CPU, one thread does the work of all, and the barrier does nothing;
* in Numba's simulator, they run uncompiled, with one Python thread per thread.

No result depends on the number of threads, because each number is computed by one thread in a fixed order:
there are no atomic additions, and the layout determines the parts of long sums. Between two barriers, no
thread reads what another thread writes.
"""

import math
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from sweep.trainers.mlp.engines import block_layout, block_tools
from sweep.trainers.mlp.engines.block_layout import Layout, arrange, parts, tiles
from sweep.trainers.mlp.engines.block_tools import (
    TILE_COLUMNS,
    TILE_ROWS,
    Rule,
    Thread,
    at,
    column_sum,
    descend,
    locate,
    mean,
    multiply,
    quotient,
)
from sweep.trainers.mlp.randomness import GAMMA, MIX_1, MIX_2

_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32))
_ONE = np.uint64(1)


class Run(NamedTuple):
    """The run that a block trains, and the start of its data in the arrays of the launch."""

    T: int
    D: int
    H: int
    V: int
    B: int
    first_step: int
    steps: int
    n_examples: int
    examples: int
    """Index of the first training example; an example is a row of T symbols and a target."""
    rates: int
    """Index of the first learning rate and loss, one per step."""
    parameters: int
    """Index of the first parameter and velocity: C, W1, b1, W2, b2, without gaps."""


class Room(NamedTuple):
    """The memory of a block: the same words as floats and as integers."""

    floats: np.ndarray
    marks: np.ndarray
    tile: np.ndarray
    """A thread's registers."""


class Launch(NamedTuple):
    """The arrays that all blocks share; ``Run`` has the part of each block."""

    examples: np.ndarray
    rates: np.ndarray
    losses: np.ndarray
    parameters: np.ndarray
    velocity: np.ndarray


def barrier() -> None:
    """Wait for the other threads of the block; ``compile_program`` replaces this function."""


def train_block(
    me: Thread, run: Run, key: Any, decay: Any, momentum: Any, room: Room, launch: Launch
) -> None:
    """Train the steps of a run, and write its parameters back."""
    L = arrange(run.T, run.D, run.H, run.V, run.B)
    move_parameters(me, L, room.floats, launch.parameters, run.parameters, True)
    barrier()
    for n in range(run.steps):
        rule = Rule(launch.rates[at(run.rates + n)], decay, momentum)
        draw(me, L, room.marks, run, key, n, launch.examples)
        barrier()
        find_present(me, L, room)
        forward(me, L, room)
        backward(me, L, room, rule, launch, run, n)
    move_parameters(me, L, room.floats, launch.parameters, run.parameters, False)
    barrier()


def move_parameters(me: Thread, L: Layout, floats: Any, outside: Any, first: int, inwards: bool) -> None:
    """Copy the parameters between the launch's array, where they have no gaps, and the room."""
    first = move(me, floats, L.C, L.V, L.D, L.d, outside, first, inwards)
    first = move(me, floats, L.W1, L.T * L.D, L.H, L.h, outside, first, inwards)
    first = move(me, floats, L.b1, 1, L.H, L.h, outside, first, inwards)
    first = move(me, floats, L.W2, L.H, L.V, L.v, outside, first, inwards)
    move(me, floats, L.b2, 1, L.V, L.v, outside, first, inwards)


def move(
    me: Thread,
    floats: Any,
    place: int,
    rows: int,
    columns: int,
    stride: int,
    outside: Any,
    first: int,
    inwards: bool,
) -> int:
    """Copy one matrix and return the start of the next one outside."""
    for row in range(me.row, rows, me.rows):
        for column in range(me.lane, columns, me.lanes):
            inner, outer = at(place + row * stride + column), at(first + row * columns + column)
            if inwards:
                floats[inner] = outside[outer]
            else:
                outside[outer] = floats[inner]
    return first + rows * columns


def draw(me: Thread, L: Layout, marks: Any, run: Run, key: Any, n: int, examples: Any) -> None:
    """Fetch the minibatch of the n-th step, the same as ``randomness.minibatch_indices`` draws."""
    first = np.uint64(run.first_step + n) * np.uint64(L.B) + _ONE
    for i in range(me.number, L.B * (L.T + 1), me.threads):
        t = quotient(i, L.B)
        z = key + (first + np.uint64(i - t * L.B)) * GAMMA
        z = (z ^ (z >> _SHIFTS[0])) * MIX_1
        z = (z ^ (z >> _SHIFTS[1])) * MIX_2
        z ^= z >> _SHIFTS[2]
        example = int(((z >> _SHIFTS[3]) * np.uint64(run.n_examples)) >> _SHIFTS[3])
        marks[at(L.symbols + i)] = examples[at(run.examples + example * (L.T + 1) + t)]


def find_present(me: Thread, L: Layout, room: Room) -> None:
    """List the characters at each position, sort the examples by character, and fetch the embeddings."""
    floats, marks, _ = room
    for i in range(me.number, L.T * L.V, me.threads):
        t = quotient(i, L.V)
        marks[at(L.counts + i)] = count(marks, L.symbols + t * L.B, L.B, i - t * L.V)
    barrier()
    for i in range(me.number, L.T * L.V, me.threads):
        t = quotient(i, L.V)
        enter_character(L, marks, t, i - t * L.V)
    barrier()
    for row in range(me.row, L.T * L.S, me.rows):
        t = quotient(row, L.S)
        if row - t * L.S < marks[at(L.n_present + t)]:
            character = int(marks[at(L.present + row)])
            for k in range(me.lane, L.D, me.lanes):
                floats[at(L.emb + row * L.d + k)] = floats[at(L.C + character * L.d + k)]
    barrier()


def count(marks: Any, first: int, n: int, character: int) -> int:
    """Return the number of occurrences of a character among ``n`` symbols."""
    found = 0
    for b in range(n):
        if marks[at(first + b)] == character:
            found += 1
    return found


def enter_character(L: Layout, marks: Any, t: int, character: int) -> None:
    """Add one character to those present at t, and its examples to the order."""
    slot, start, own = 0, 0, int(marks[at(L.counts + t * L.V + character)])
    for other in range(character):
        n = int(marks[at(L.counts + t * L.V + other)])
        slot += n > 0
        start += n
    if character == L.V - 1:
        marks[at(L.n_present + t)] = slot + (own > 0)
        marks[at(L.starts + t * (L.S + 1) + slot + (own > 0))] = L.B
    if own > 0:
        marks[at(L.present + t * L.S + slot)] = character
        marks[at(L.starts + t * (L.S + 1) + slot)] = start
        for b in range(L.B):
            if marks[at(L.symbols + t * L.B + b)] == character:
                marks[at(L.order + t * L.B + start)] = b
                marks[at(L.slots + t * L.B + b)] = slot
                start += 1


def forward(me: Thread, L: Layout, room: Room) -> None:
    """Set front = tanh z, and logits to their gradients."""
    for t in range(L.T):
        compute_table(me, L, room, t)
        barrier()
        gather_table(me, L, room.floats, room.marks, t)
        barrier()
    compute_logits(me, L, room)
    barrier()
    for b in range(me.number, L.B, me.threads):
        compute_row_loss(L, room.floats, room.marks, b)
    barrier()


def compute_table(me: Thread, L: Layout, room: Room, t: int) -> None:
    """Set back = emb @ W1 for the characters present at position t."""
    floats, marks, tile = room
    M, N, K = int(marks[at(L.n_present + t)]), L.H, L.D
    emb, W1, columns = L.emb + t * L.S * L.d, L.W1 + t * L.D * L.h, -(-N // TILE_COLUMNS)
    for q in range(me.number, tiles(M, N), me.threads):
        m, n = locate(q, columns)
        multiply(tile, floats, emb, L.d, 1, W1, L.h, 1, m, n, columns, 0, K)
        for i in range(TILE_ROWS):
            for j in range(TILE_COLUMNS):
                if m + i < M and n + j * columns < N:
                    floats[at(L.back + (m + i) * L.h + n + j * columns)] = tile[i, j]


def gather_table(me: Thread, L: Layout, floats: Any, marks: Any, t: int) -> None:
    """Add each example's row of the table to its z; at the last position take tanh."""
    for b in range(me.row, L.B, me.rows):
        row = L.back + int(marks[at(L.slots + t * L.B + b)]) * L.h
        for j in range(me.lane, L.H, me.lanes):
            place = at(L.front + b * L.h + j)
            before = floats[at(L.b1 + j)] if t == 0 else floats[place]
            z = before + floats[at(row + j)]
            floats[place] = math.tanh(z) if t == L.T - 1 else z


def compute_logits(me: Thread, L: Layout, room: Room) -> None:
    """Set back to the parts of hidden @ W2, each over its own range of H."""
    floats, _, tile = room
    M, N, columns = L.B, L.V, -(-L.V // TILE_COLUMNS)
    length, a_part = -(-L.H // L.logits_parts), tiles(M, N)
    for q in range(me.number, a_part * L.logits_parts, me.threads):
        part = quotient(q, a_part)
        m, n = locate(q - part * a_part, columns)
        first, last = part * length, min(part * length + length, L.H)
        multiply(tile, floats, L.front, L.h, 1, L.W2, L.v, 1, m, n, columns, first, last)
        for i in range(TILE_ROWS):
            for j in range(TILE_COLUMNS):
                if m + i < M and n + j * columns < N:
                    floats[at(L.back + (part * M + m + i) * L.v + n + j * columns)] = tile[i, j]


def compute_row_loss(L: Layout, floats: Any, marks: Any, b: int) -> None:
    """Set an example's loss, and its logits to their gradients, (softmax - onehot) / B."""
    row, target = L.logits + b * L.v, int(marks[at(L.symbols + L.T * L.B + b)])
    largest = np.float32(-np.inf)
    for c in range(L.V):
        x = floats[at(L.b2 + c)]
        for part in range(L.logits_parts):
            x += floats[at(L.back + (part * L.B + b) * L.v + c)]
        floats[at(row + c)] = x
        largest = max(largest, x)
    of_target, total = floats[at(row + target)], np.float32(0)
    for c in range(L.V):
        e = np.float32(math.exp(floats[at(row + c)] - largest))
        floats[at(row + c)] = e
        total += e
    size = np.float32(L.B)
    floats[at(L.row_loss + b)] = np.float32(math.log(total)) + (largest - of_target)
    scale = np.float32(1) / (total * size)
    for c in range(L.V):
        floats[at(row + c)] *= scale
    floats[at(row + target)] -= np.float32(1) / size


def backward(me: Thread, L: Layout, room: Room, rule: Rule, launch: Launch, run: Run, n: int) -> None:
    """Compute each parameter's gradient, and update the parameter once its old value is no longer needed."""
    floats, velocity = room.floats, launch.velocity
    of_C, of_W1 = run.parameters, run.parameters + L.V * L.D
    of_b1 = of_W1 + L.T * L.D * L.H
    of_W2, plain = of_b1 + L.H, Rule(rule.rate, np.float32(0), rule.momentum)
    compute_dz(me, L, room)
    if me.number == me.threads - 1:
        launch.losses[at(run.rates + n)] = mean(floats, L.row_loss, L.B)
    barrier()
    update_W2(me, L, room, rule, velocity, of_W2)
    for c in range(me.number, L.V, me.threads):
        g = column_sum(floats, L.logits + c, L.v, L.B)
        descend(floats, L.b2 + c, g, plain, velocity, of_W2 + L.H * L.V + c)
    for j in range(me.number, L.H, me.threads):
        descend(floats, L.b1 + j, column_sum(floats, L.back + j, L.h, L.B), plain, velocity, of_b1 + j)
    for i in range(me.number, L.V * L.d, me.threads):
        floats[at(L.C_gradient + i)] = np.float32(0)
    barrier()
    for t in range(L.T):
        sum_by_character(me, L, floats, room.marks, t)
        barrier()
        compute_demb(me, L, room, t)
        barrier()
        update_W1(me, L, room, t, rule, velocity, of_W1)
        add_demb(me, L, floats, room.marks, t)
        barrier()
    for row in range(me.row, L.V, me.rows):
        for k in range(me.lane, L.D, me.lanes):
            g = floats[at(L.C_gradient + row * L.d + k)]
            descend(floats, L.C + row * L.d + k, g, plain, velocity, of_C + row * L.D + k)
    barrier()


def compute_dz(me: Thread, L: Layout, room: Room) -> None:
    """Set back = dlogits @ W2.T * (1 - tanh^2)."""
    floats, _, tile = room
    M, N, columns = L.B, L.H, -(-L.H // TILE_COLUMNS)
    for q in range(me.number, tiles(M, N), me.threads):
        m, n = locate(q, columns)
        multiply(tile, floats, L.logits, L.v, 1, L.W2, 1, L.v, m, n, columns, 0, L.V)
        for i in range(TILE_ROWS):
            for j in range(TILE_COLUMNS):
                if m + i < M and n + j * columns < N:
                    place = (m + i) * L.h + n + j * columns
                    y = floats[at(L.front + place)]
                    floats[at(L.back + place)] = tile[i, j] * (np.float32(1) - y * y)


def update_W2(me: Thread, L: Layout, room: Room, rule: Rule, velocity: Any, first: int) -> None:
    """Update W2 by its gradient hidden.T @ dlogits."""
    floats, _, tile = room
    M, N, columns = L.H, L.V, -(-L.V // TILE_COLUMNS)
    for q in range(me.number, tiles(M, N), me.threads):
        m, n = locate(q, columns)
        multiply(tile, floats, L.front, 1, L.h, L.logits, L.v, 1, m, n, columns, 0, L.B)
        for i in range(TILE_ROWS):
            for j in range(TILE_COLUMNS):
                row, column = m + i, n + j * columns
                if row < M and column < N:
                    place, speed = L.W2 + row * L.v + column, first + row * N + column
                    descend(floats, place, tile[i, j], rule, velocity, speed)


def sum_by_character(me: Thread, L: Layout, floats: Any, marks: Any, t: int) -> None:
    """Set each row of front to the sum of dz over the examples with that character at t."""
    for slot in range(me.row, int(marks[at(L.n_present + t)]), me.rows):
        place = L.starts + t * (L.S + 1) + slot
        first, last = int(marks[at(place)]), int(marks[at(place + 1)])
        for j in range(me.lane, L.H, me.lanes):
            total = np.float32(0)
            for i in range(first, last):
                b = int(marks[at(L.order + t * L.B + i)])
                total += floats[at(L.back + b * L.h + j)]
            floats[at(L.front + slot * L.h + j)] = total


def compute_demb(me: Thread, L: Layout, room: Room, t: int) -> None:
    """Set partial to the parts of the sums @ W1.T, each over its own range of H."""
    floats, marks, tile = room
    M, N, columns = int(marks[at(L.n_present + t)]), L.D, -(-L.D // TILE_COLUMNS)
    W1, length, a_part = L.W1 + t * L.D * L.h, -(-L.H // L.emb_parts), tiles(M, N)
    for q in range(me.number, a_part * L.emb_parts, me.threads):
        part = quotient(q, a_part)
        m, n = locate(q - part * a_part, columns)
        first, last = part * length, min(part * length + length, L.H)
        multiply(tile, floats, L.front, L.h, 1, W1, 1, L.h, m, n, columns, first, last)
        for i in range(TILE_ROWS):
            for j in range(TILE_COLUMNS):
                if m + i < M and n + j * columns < N:
                    place = (part * L.S + m + i) * N + n + j * columns
                    floats[at(L.partial + place)] = tile[i, j]


def update_W1(me: Thread, L: Layout, room: Room, t: int, rule: Rule, velocity: Any, first: int) -> None:
    """Update the rows of W1 at position t by their gradient emb.T @ sums."""
    floats, marks, tile = room
    M, N, K = L.D, L.H, int(marks[at(L.n_present + t)])
    emb, columns = L.emb + t * L.S * L.d, -(-N // TILE_COLUMNS)
    for q in range(me.number, tiles(M, N), me.threads):
        m, n = locate(q, columns)
        multiply(tile, floats, emb, 1, L.d, L.front, L.h, 1, m, n, columns, 0, K)
        for i in range(TILE_ROWS):
            for j in range(TILE_COLUMNS):
                row, column = t * M + m + i, n + j * columns
                if m + i < M and column < N:
                    place, speed = L.W1 + row * L.h + column, first + row * N + column
                    descend(floats, place, tile[i, j], rule, velocity, speed)


def add_demb(me: Thread, L: Layout, floats: Any, marks: Any, t: int) -> None:
    """Add the parts of the gradient of emb to the gradient of C."""
    for slot in range(me.row, int(marks[at(L.n_present + t)]), me.rows):
        row = L.C_gradient + int(marks[at(L.present + t * L.S + slot)]) * L.d
        for k in range(me.lane, L.D, me.lanes):
            total = floats[at(row + k)]
            for part in range(L.emb_parts):
                total += floats[at(L.partial + (part * L.S + slot) * L.D + k)]
            floats[at(row + k)] = total


_FUNCTIONS = (
    *(tiles, parts, arrange, quotient, locate, column_sum, mean, multiply, descend, move, move_parameters),
    *(draw, count, enter_character, find_present, compute_table, gather_table, compute_logits),
    *(compute_row_loss, forward, compute_dz, update_W2, sum_by_character, compute_demb, update_W1),
    *(add_demb, backward),
)


def compile_program(
    compile_: Callable[[Any], Any], barrier: Any, compile_entry: Callable[[Any], Any] | None = None
) -> Any:
    """Return ``train_block``, compiled with all functions that it calls.

    Args:
        compile_: Compiles a Python function for calls from compiled code.
        barrier: The compiled barrier.
        compile_entry: Compiles ``train_block`` itself; ``compile_`` by default.
    """
    bound: dict[str, Any] = {**vars(block_layout), **vars(block_tools), **globals(), "barrier": barrier}
    for function in _FUNCTIONS:
        bound[function.__name__] = compile_(bind(function, bound))
    return (compile_entry or compile_)(bind(train_block, bound))


def bind(function: Any, names: dict[str, Any]) -> Any:
    """Return a copy of a function whose global names are ``names``."""
    copy = types.FunctionType(function.__code__, names, function.__name__)
    copy.__module__, copy.__doc__ = function.__module__, function.__doc__
    return copy
