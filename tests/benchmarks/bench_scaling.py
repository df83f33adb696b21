"""How does the cost grow with the model, the batch and the words?

One knob at a time around row 11 of the tuning log: microseconds a step of the CPU's default engine,
and for the words what is done once: reading and splitting the list, building the training
contexts, merging the dev contexts, and one exact dev loss. Medians over the rounds, one thread.

    python tests/benchmarks/bench_scaling.py [--rounds 5] [--words FILE] [--json]
"""

import argparse
import dataclasses
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines import DEFAULT_ENGINE, ENGINES
from sweep.trainers.mlp.evaluation import split_loss
from sweep.trainers.mlp.schedule import learning_rates
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.words.corpus import load_corpus
from sweep.trainers.mlp.words.examples import build_examples, merge_examples

BASE = TrainConfig(block_size=3, hidden_neurons=200, embedding_dim=6, batch_size=32)
GRID = {
    "block_size": (2, 3, 4, 6, 8, 16),
    "hidden_neurons": (10, 50, 100, 200, 400, 800),
    "embedding_dim": (2, 6, 16, 32, 64),
    "batch_size": (4, 16, 32, 64, 128, 256),
}
COPIES = (1, 2, 4)
STEPS = 2_000


def median_seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the median time of some work."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def step_costs(words: str, rounds: int) -> list[dict[str, object]]:
    """Return microseconds a step as each knob grows."""
    corpus, train = load_corpus(words), ENGINES[DEFAULT_ENGINE["cpu"]]
    rows: list[dict[str, object]] = []
    for knob, values in GRID.items():
        for value in values:
            config = dataclasses.replace(BASE, **{knob: value})
            examples = build_examples(corpus.train, config.block_size)
            state = TrainState.initial(config, corpus.vocabulary_size)
            rates = learning_rates(config, 0, STEPS)
            train(config, examples, state, rates[:1], "cpu")
            args = (config, examples, state, rates, "cpu")
            seconds = median_seconds(lambda args=args: train(*args), rounds)
            rows.append({"knob": knob, "value": value, "us_a_step": round(1e6 * seconds / STEPS, 2)})
    return rows


def data_costs(words: str, rounds: int) -> list[dict[str, object]]:
    """Return milliseconds of what is done once, as the list grows."""
    text = Path(words).read_text().rstrip("\n") + "\n"
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for copies in COPIES:
            path = Path(folder) / f"{copies}.txt"
            path.write_text(text * copies)
            corpus = load_corpus(path)
            dev = merge_examples(build_examples(corpus.dev, BASE.block_size))
            parameters = TrainState.initial(BASE, corpus.vocabulary_size).parameters
            works = {
                "read and split": lambda path=path: load_corpus(path),
                "train contexts": lambda corpus=corpus: build_examples(corpus.train, BASE.block_size),
                "dev contexts, merged": lambda corpus=corpus: merge_examples(
                    build_examples(corpus.dev, BASE.block_size)
                ),
                "dev loss": lambda parameters=parameters, dev=dev: split_loss(parameters, dev),
            }
            for name, work in works.items():
                ms = round(1e3 * median_seconds(work, rounds), 2)
                rows.append({"words": corpus.facts.words, "what": name, "ms": ms})
    return rows


def main() -> None:
    """Time everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--words", default="data/names.txt")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    steps = step_costs(arguments.words, arguments.rounds)
    data = data_costs(arguments.words, arguments.rounds)
    if arguments.json:
        print(json.dumps({"steps": steps, "data": data}))
        return
    print(f"microseconds a step around {BASE.block_size=}, {BASE.hidden_neurons=}, {BASE.batch_size=}")
    for row in steps:
        print(f"  {row['knob']:<16} {row['value']:>5}  {row['us_a_step']:9.2f}")
    print("milliseconds, once for each list (block size 3, 200 neurons)")
    for row in data:
        print(f"  {row['words']:>7,} words  {row['what']:<22} {row['ms']:9.2f}")


if __name__ == "__main__":
    main()
