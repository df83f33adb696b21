"""Train a whole grid of configurations on several seeds, so that searches can be compared in seconds.

The cells of a grid (``grids.py``) on six seeds each. Every run is cut at each per cent of its steps; at
``PERCENTS`` the dev loss is taken of the weights as they stand (``raw``) and of two running averages of
all cuts so far, by polynomial decay: average += (snapshot - average) (eta + 1) / (n + eta) at cut n. Also
kept: the seconds of training alone. The table grows run by run, so the command goes on where it stopped.

    python tests/benchmarks/tabular/make_grid.py [--optimizer sgd] [--words data/names.txt] [-o names.csv]

References:
    Shamir, Zhang, "Stochastic Gradient Descent for Non-smooth Optimization", 2013 (polynomial decay).
"""

import argparse
import csv
import functools
import itertools
import multiprocessing
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sweep.definition.seeds import derive_seed
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines import DEFAULT_ENGINE, ENGINES
from sweep.trainers.mlp.evaluation import split_loss
from sweep.trainers.mlp.schedule import learning_rates
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.training import dev_examples, train_examples
from sweep.trainers.mlp.words.corpus import Corpus, load_corpus
from tests.benchmarks.tabular.grids import GRIDS, KNOBS, Grid

HERE = Path(__file__).parent
SEEDS = 6
PERCENTS = (5, 10, 20, 30, 50, 70, 90, 100)
ETAS = (3, 10)
COLUMNS = [
    *KNOBS,
    "seed",
    "train_seconds",
    *(f"{kind}_{percent}" for kind in ("raw", *(f"avg{eta}" for eta in ETAS)) for percent in PERCENTS),
]

_corpus: Corpus


def start_worker(words: str) -> None:
    """Load the words once in each process."""
    global _corpus  # noqa: PLW0603  a process has one corpus
    torch.set_num_threads(1)
    _corpus = load_corpus(words)


def train_cell(job: tuple[tuple[int, ...], int], fixed: Mapping[str, Any]) -> dict[str, object]:
    """Train one cell on one seed and return its row."""
    cell, replicate = job
    knobs = dict(zip(KNOBS, cell, strict=True))
    config = TrainConfig.from_dict({**fixed, **knobs, "seed": derive_seed(0, "tabular", replicate)})
    train, examples = ENGINES[DEFAULT_ENGINE["cpu"]], train_examples(_corpus, config.block_size)
    state = TrainState.initial(config, _corpus.vocabulary_size)
    averages = {eta: {name: np.zeros_like(a) for name, a in state.parameters.items()} for eta in ETAS}
    row: dict[str, object] = {**knobs, "seed": replicate}
    seconds = 0.0
    for percent in range(1, 101):
        rates = learning_rates(config, state.step, config.num_steps * percent // 100)
        started = time.perf_counter()
        state, _ = train(config, examples, state, rates, "cpu")
        seconds += time.perf_counter() - started
        for eta, average in averages.items():
            for name, snapshot in state.parameters.items():
                average[name] += (snapshot - average[name]) * np.float32((eta + 1) / (percent + eta))
        if percent in PERCENTS:
            dev = dev_examples(_corpus, config.block_size)
            row[f"raw_{percent}"] = round(split_loss(state.parameters, dev), 6)
            row |= {f"avg{eta}_{percent}": round(split_loss(a, dev), 6) for eta, a in averages.items()}
    return {**row, "train_seconds": round(seconds, 3)}


def jobs_to_do(path: Path, grid: Grid) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield each cell and seed that has no row yet, seed by seed."""
    done = set()
    if path.exists():
        with path.open() as file:
            done = {tuple(int(row[name]) for name in [*KNOBS, "seed"]) for row in csv.DictReader(file)}
    for seed, cell in itertools.product(range(SEEDS), itertools.product(*grid.choices.values())):
        if (*cell, seed) not in done:
            yield cell, seed


def main() -> None:
    """Train what is missing and append it to the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--optimizer", choices=GRIDS, default="sgd")
    parser.add_argument("--words", default="data/names.txt")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "names.csv")
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    arguments = parser.parse_args()
    grid = GRIDS[arguments.optimizer]
    jobs = list(jobs_to_do(arguments.output, grid))
    train = functools.partial(train_cell, fixed=grid.fixed)
    is_new = not arguments.output.exists()
    context = multiprocessing.get_context("spawn")
    with (
        arguments.output.open("a", newline="") as file,
        context.Pool(arguments.workers, start_worker, (arguments.words,)) as pool,
    ):
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if is_new:
            writer.writeheader()
        for number, row in enumerate(pool.imap_unordered(train, jobs), 1):
            writer.writerow(row)
            file.flush()
            print(f"\r{number} of {len(jobs)} runs", end="", flush=True)
    print()


if __name__ == "__main__":
    main()
