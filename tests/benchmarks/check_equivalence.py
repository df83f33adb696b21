"""Do the CPU's fast engine and the readable reference end at the same dev loss?

Each configuration is trained by both on the same seeds; two one-sided t tests on the differences
say whether their mean lies within 0.002 nats (equivalence at 95 %: both p below 0.05).

    python tests/benchmarks/check_equivalence.py [--seeds 10] [--steps 20000] [--words FILE] [--only adamw]

References:
    Schuirmann, "A comparison of the two one-sided tests procedure and the power approach", 1987.
"""

import argparse

import numpy as np
import torch
from scipy import stats

from sweep.definition.seeds import derive_seed
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.training import train_segment
from sweep.trainers.mlp.words.corpus import load_corpus

BOUND = 0.002
"""Largest mean difference that counts as none, nats per character."""

CONFIGURATIONS = {
    "row 11, init normal": TrainConfig(
        block_size=3, embedding_dim=6, hidden_neurons=200, batch_size=32, init="normal"
    ),
    "row 6, init scaled": TrainConfig(block_size=3, embedding_dim=10, hidden_neurons=100, batch_size=32),
    "momentum and weight decay, cosine": TrainConfig(
        block_size=5,
        embedding_dim=16,
        hidden_neurons=100,
        batch_size=64,
        momentum=0.9,
        learning_rate=0.02,
        final_learning_rate=0.001,
        weight_decay=0.001,
        schedule="cosine",
    ),
} | {
    f"adamw, {layers} hidden layers, dropout {dropout}": TrainConfig(
        block_size=5,
        embedding_dim=16,
        hidden_neurons=100,
        batch_size=64,
        optimizer="adamw",
        learning_rate=0.003,
        final_learning_rate=0.0,
        schedule="cosine",
        weight_decay=0.1,
        warmup=0.02,
        hidden_layers=layers,
        dropout=dropout,
    )
    for layers, dropout in ((1, 0.0), (2, 0.0), (3, 0.1))
}


def p_value(differences: np.ndarray) -> float:
    """Return the larger p of the two one-sided tests that their mean lies within the bound."""
    low = stats.ttest_1samp(differences, -BOUND, alternative="greater").pvalue
    high = stats.ttest_1samp(differences, BOUND, alternative="less").pvalue
    return float(max(low, high))


def describe(differences: np.ndarray) -> str:
    """Return mean, spread and verdict as text."""
    p = p_value(differences)
    verdict = "equivalent" if p < 0.05 else "not shown to be equivalent"
    return (
        f"difference {differences.mean():+.6f}, spread {differences.std(ddof=1):.6f}, "
        f"n = {len(differences)}, p {p:.2g}: {verdict} within {BOUND}"
    )


def main() -> None:
    """Train everything twice and print the tests."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--words", default="data/names.txt")
    parser.add_argument("--only", default="", help="configurations whose name has this in it")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    corpus = load_corpus(arguments.words)
    chosen = {name: base for name, base in CONFIGURATIONS.items() if arguments.only in name}
    for name, base in chosen.items():
        losses = []
        for k in range(arguments.seeds):
            config = base.replace(num_steps=arguments.steps, seed=derive_seed("equivalence", k))
            losses.append(
                [
                    train_segment(config, corpus, None, config.num_steps, engine=engine).dev_loss
                    for engine in ("fused", "autograd")
                ]
            )
        fused, autograd = np.array(losses).T
        print(f"{name}: dev loss {fused.mean():.4f}, {describe(fused - autograd)}", flush=True)


if __name__ == "__main__":
    main()
