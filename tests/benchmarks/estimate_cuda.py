"""How long should a step of engine ``population`` take on an H100? An estimate, not a measurement.

    python tests/benchmarks/estimate_cuda.py [--words FILE] [--ghz 1.755]

Counts what one multiprocessor has to do in a step and divides by its rates (CUDA C++ programming
guide, compute capability 9.0). Per clock: 128 multiply-adds, 32 words of shared memory, 4 warp
instructions. ``peak`` is the multiply-adds alone; ``products`` the compiled inner loop's 40 instructions
for 16 multiply-adds (``check_kernel.py`` shows them); ``words`` what is gathered, summed and updated;
``waits`` a guess of 250 clocks for each stage between two barriers.
"""

import argparse
from pathlib import Path

import numpy as np
from bench_training import read_log

from sweep.definition.seeds import stream_key
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines.block_layout import arrange
from sweep.trainers.mlp.randomness import minibatch_indices
from sweep.trainers.mlp.words.corpus import load_corpus
from sweep.trainers.mlp.words.examples import Examples, build_examples

SHARED_BYTES = 227 * 1024
CLOCKS_A_STAGE = 250
INSTRUCTIONS_A_MULTIPLY_ADD = 40 / 16
STEPS = {"2": 20_000, "10": 400_000}


def present_pairs(config: TrainConfig, examples: Examples) -> float:
    """Return how many (position, character) pairs a batch has, on the average."""
    drawn = minibatch_indices(stream_key(0, "batch"), 0, 100, config.batch_size, len(examples.targets))
    positions = [examples.contexts[batch, t] for batch in drawn for t in range(config.block_size)]
    return sum(len(np.unique(characters)) for characters in positions) / len(drawn)


def estimate(config: TrainConfig, pairs: float, V: int) -> dict[str, float]:  # noqa: N803
    """Return the clocks of a step by their cause, and the room in bytes."""
    T, D, H, B = config.block_size, config.embedding_dim, config.hidden_neurons, config.batch_size
    multiply_adds = 3 * H * (pairs * D + B * V)
    gathered = H * (3 * B * T + B * T + 2 * pairs)
    updated = 2 * sum(np.prod(shape) for shape in config.parameter_shapes(V).values())
    return {
        "room": 4 * arrange(T, D, H, V, B).words,
        "peak": multiply_adds / 128,
        "products": multiply_adds * INSTRUCTIONS_A_MULTIPLY_ADD / 32 / 4,
        "words": (gathered + updated + 3 * B * H) / 32 + 30 * B * H / 128,
        "waits": CLOCKS_A_STAGE * (9 + 5 * T),
    }


def main() -> None:
    """Print a line for each row of the log and for the region where winners are found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--words", type=Path, default=Path(__file__).parents[2] / "data" / "names.txt")
    parser.add_argument(
        "--ghz", type=float, default=1.755, help="clock of an H100 under load (default 1.755)"
    )
    arguments = parser.parse_args()
    corpus = load_corpus(arguments.words)
    print("| row | block, hidden, embed, batch | room, KiB | peak us | estimate us | steps | seconds |")
    print("|--:|:--|--:|--:|--:|--:|--:|")
    for row, config in read_log().items():
        pairs = present_pairs(config, build_examples(corpus.train, config.block_size))
        e = estimate(config, pairs, corpus.vocabulary_size)
        sizes = (config.block_size, config.hidden_neurons, config.embedding_dim, config.batch_size)
        peak, us = (
            clocks / arguments.ghz / 1e3 for clocks in (e["peak"], e["products"] + e["words"] + e["waits"])
        )
        steps, place = STEPS.get(row, 200_000), "" if e["room"] <= SHARED_BYTES else " (global)"
        print(
            f"| {row} | {', '.join(map(str, sizes))} | {e['room'] / 1024:.0f}{place} | {peak:.1f} | {us:.1f} "
            f"| {steps:,} | {us * steps / 1e6:.1f} |"
        )


if __name__ == "__main__":
    main()
