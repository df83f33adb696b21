"""Do the values that the shipped studies fix suit models of different shapes and lists?

Each shape is trained with the values of ``studies/quick.toml`` (adamw, schedule cosine to 0, a short warm-up,
the usual betas), then with one of them changed at a time, on the same seeds. The table of each list of words
has the mean dev loss of the first row, and the mean difference from it for each change. The last column is
the largest standard deviation of a row's differences over the seeds.

    python tests/benchmarks/bench_defaults.py [--seeds 2] [--words FILE ...]
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sweep.definition.seeds import derive_seed
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.learning_rate.auto import auto_learning_rate
from sweep.trainers.mlp.training import train_segment
from sweep.trainers.mlp.words.corpus import Corpus, load_corpus

DEFAULTS = TrainConfig(
    optimizer="adamw",
    learning_rate=0.004,
    final_learning_rate=0.0,
    schedule="cosine",
    warmup=0.02,
    weight_decay=0.15,
)

SHAPES: dict[str, dict[str, Any]] = {
    "4, 16, 100, 128": {"block_size": 4, "embedding_dim": 16, "hidden_neurons": 100, "batch_size": 128},
    "6, 40, 300, 256": {"block_size": 6, "embedding_dim": 40, "hidden_neurons": 300, "batch_size": 256},
    "8, 48, 160, 256, two layers": {
        "block_size": 8,
        "embedding_dim": 48,
        "hidden_neurons": 160,
        "batch_size": 256,
        "hidden_layers": 2,
    },
}
"""Block size, embedding, hidden neurons, batch."""

STEPS = 6_000

CHANGES: dict[str, dict[str, Any]] = {
    "schedule step, to a tenth at half": {"schedule": "step", "final_learning_rate": 0.0004},
    "cosine to a tenth": {"final_learning_rate": 0.0004},
    "no warm-up": {"warmup": 0.0},
    "warm-up 0.1": {"warmup": 0.1},
    "beta1 0.8": {"beta1": 0.8},
    "beta1 0.95": {"beta1": 0.95},
    "beta2 0.99": {"beta2": 0.99},
    "beta2 0.9999": {"beta2": 0.9999},
    "init normal": {"init": "normal"},
    "rate 0.001": {"learning_rate": 0.001},
    "rate 0.002": {"learning_rate": 0.002},
    "rate 0.008": {"learning_rate": 0.008},
    "rate auto": {"learning_rate": "auto"},
    "weight decay 0": {"weight_decay": 0.0},
    "weight decay 0.05": {"weight_decay": 0.05},
    "weight decay 0.4": {"weight_decay": 0.4},
    "sgd, rate 0.15, decay 0.001": {"optimizer": "sgd", "learning_rate": 0.15, "weight_decay": 0.001},
    "sgd, rate 0.5, decay 0.001": {"optimizer": "sgd", "learning_rate": 0.5, "weight_decay": 0.001},
}


def losses(
    shape: Mapping[str, Any], change: Mapping[str, Any], corpus: Corpus, seeds: Sequence[int]
) -> np.ndarray:
    """Return the dev loss of each seed, shape (seeds,)."""
    given = {**DEFAULTS.to_dict(), "num_steps": STEPS, **shape, **change}
    if given["learning_rate"] == "auto":
        open_config = TrainConfig.from_dict({**given, "learning_rate": DEFAULTS.learning_rate})
        given["learning_rate"] = auto_learning_rate(open_config, corpus, engine="fused", device="cpu")
    configs = [TrainConfig.from_dict({**given, "seed": seed}) for seed in seeds]
    return np.array([train_segment(each, corpus, None, each.num_steps).dev_loss for each in configs])


def print_table(corpus: Corpus, seeds: Sequence[int]) -> None:
    """Train everything on one list and print a row for each change."""
    base = {name: losses(shape, {}, corpus, seeds) for name, shape in SHAPES.items()}
    print(f"| changed | {' | '.join(SHAPES)} | sd |\n|:--|{'--:|' * len(SHAPES)}--:|")
    print(f"| nothing: dev loss | {' | '.join(f'{values.mean():.4f}' for values in base.values())} | |")
    for label, change in CHANGES.items():
        apart = [losses(shape, change, corpus, seeds) - base[name] for name, shape in SHAPES.items()]
        cells = " | ".join(f"{values.mean():+.4f}" for values in apart)
        spread = max(values.std(ddof=1) for values in apart) if len(seeds) > 1 else np.nan
        print(f"| {label} | {cells} | {spread:.4f} |", flush=True)


def main() -> None:
    """Print a table for each list."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=2)
    shipped = Path(__file__).parents[2] / "data" / "names.txt"
    parser.add_argument("--words", type=Path, nargs="+", default=[shipped])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    seeds = [derive_seed("defaults", number) for number in range(arguments.seeds)]
    for path in arguments.words:
        print(f"\n{path.name}, {len(seeds)} seeds\n")
        print_table(load_corpus(path), seeds)


if __name__ == "__main__":
    main()
