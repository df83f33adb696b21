"""How much slower is a step of AdamW than one of SGD, and how near is its update to the machine's limits?

Pairs of adamw and sgd are timed in turn in one process, on one thread, for several batch sizes; each figure
is the least processor time of many rounds, as other processes only lengthen it. The update of the largest
matrix is then timed alone, block by block as the engine takes it, with two kernels that bound it from below:

* *bytes*: the same loads and stores of parameter, moments and gradient, without the arithmetic;
* *operations*: the same update of a matrix that stays in the first cache.

The *ideal* is the longer of the two.

    python tests/benchmarks/bench_optimizers.py [--rounds 40] [--batches 16 64 256] [--hidden-layers 1]
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines import ENGINES
from sweep.trainers.mlp.engines.fused_arrays import BLOCK_ROWS, zeros
from sweep.trainers.mlp.engines.fused_updates import Update, descend, rule_of, update_of_step
from sweep.trainers.mlp.engines.vectors import WIDTH, compiled, load, store
from sweep.trainers.mlp.schedule import learning_rates
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.words.corpus import Corpus, load_corpus
from sweep.trainers.mlp.words.examples import build_examples

SHAPE = TrainConfig(block_size=8, embedding_dim=27, hidden_neurons=497)
BYTES = 4 * 6
"""Read and written of far memory for each parameter: itself and two moments; the gradient is in a cache."""
OPERATIONS = 14
"""Of an update for each parameter: 12 additions and multiplications, a division, a square root."""
SECONDS_A_TURN = 0.03


@compiled
def update_blocks(times: int, kept: np.ndarray, gradient: np.ndarray, update: Update) -> None:
    """Update a matrix some times, with the same block of gradients for all of its rows."""
    rows = kept.shape[1]
    for _ in range(times):
        for row in range(0, rows, BLOCK_ROWS):
            descend(kept, row, gradient[: min(BLOCK_ROWS, rows - row)], update)


@compiled
def move_blocks(times: int, kept: np.ndarray, gradient: np.ndarray, update: Update) -> None:
    """Load and store the same numbers."""
    p, first, second = kept[0], kept[1], kept[2]
    for _ in range(times):
        for row in range(len(p)):
            for j in range(0, p.shape[1], WIDTH):
                g = load(gradient, row % BLOCK_ROWS, j)
                store(first, row, j, load(first, row, j) + g)
                store(second, row, j, load(second, row, j) + g)
                store(p, row, j, load(p, row, j) + g)


def step_timer(config: TrainConfig, corpus: Corpus) -> Callable[[int], object]:
    """Return what takes some steps from the initial state."""
    examples = build_examples(corpus.train, config.block_size)
    state = TrainState.initial(config, corpus.vocabulary_size)
    rates = learning_rates(config.replace(learning_rate=0.002, final_learning_rate=0.002), 0, 100_000)
    return lambda steps: ENGINES["fused"](config, examples, state, rates[:steps], "cpu")


def kernel_timer(
    kernel: Callable[[int, np.ndarray, np.ndarray, Update], None], rows: int, columns: int
) -> Callable[[int], object]:
    """Return what runs a kernel some times over matrices of ones."""
    kept, gradient = zeros(3, rows, columns), zeros(BLOCK_ROWS, columns)
    kept[:] = gradient[:] = 1
    update = update_of_step(rule_of(SHAPE.replace(optimizer="adamw")), np.float32(0), 10, False)

    return lambda times: kernel(times, kept, gradient, update)


def shortest(timed: list[Callable[[int], object]], rounds: int) -> list[float]:
    """Return the microseconds of one run of each, timed in turn."""
    repeats = []
    for run in timed:
        run(5)
        repeats.append(max(5, int(SECONDS_A_TURN / seconds(run, 50))))
    turns = [[seconds(run, n) for run, n in zip(timed, repeats, strict=True)] for _ in range(rounds)]
    return [min(column) * 1e6 for column in zip(*turns, strict=True)]


def seconds(run: Callable[[int], object], times: int) -> float:
    """Return the processor time of one run out of some."""
    started = time.thread_time()
    run(times)
    return (time.thread_time() - started) / times


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 32, 64, 128, 256])
    parser.add_argument("--hidden-layers", type=int, default=1)
    parser.add_argument("--words", type=Path, default=Path(__file__).parents[2] / "data" / "names.txt")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    corpus = load_corpus(arguments.words)
    print(f"(8, 497, 27), hidden layers {arguments.hidden_layers}, vectors of {32 * WIDTH} bits, one thread")
    print("batch   sgd us  adamw us  adamw / sgd")
    for batch in arguments.batches:
        shape = SHAPE.replace(batch_size=batch, hidden_layers=arguments.hidden_layers)
        pair = [step_timer(shape.replace(optimizer=name), corpus) for name in ("sgd", "adamw")]
        sgd, adamw = shortest(pair, arguments.rounds)
        print(f"{batch:5} {sgd:8.1f} {adamw:9.1f} {adamw / sgd:12.2f}", flush=True)
    rows, columns = 8 * 27, 512
    update, moved = shortest(
        [kernel_timer(kernel, rows, columns) for kernel in (update_blocks, move_blocks)], arguments.rounds
    )
    near = shortest([kernel_timer(update_blocks, BLOCK_ROWS, 64)], arguments.rounds)[0]
    computed = near * rows * columns / (BLOCK_ROWS * 64)
    ideal = max(moved, computed)
    n = rows * columns
    print(
        f"update of W1 ({rows} x {columns}): {update:.1f} us, {n * BYTES / update / 1e3:.1f} GB/s,", end=" "
    )
    print(f"{n * OPERATIONS / update / 1e3:.1f} GFLOP/s")
    print(f"ideal {ideal:.1f} us (bytes {moved:.1f}, operations {computed:.1f}): {update / ideal:.2f} times")


if __name__ == "__main__":
    main()
