"""How long does a whole sweep take, on one worker and on two, and as people write it?

The same configurations (the tuning log's fifteen rows, each at a share of its steps) are swept
three times on new databases: by Optuna with the notebook's loop as its objective, and by sweep
with one and with two workers. Times run from the end of the warm-up (one short trial a worker,
which also loads the libraries) to the last result on disk.

    python tests/benchmarks/bench_sweep.py [--share 0.02] [--words FILE] [--json]
"""

import argparse
import csv
import json
import tempfile
import time
from pathlib import Path

import optuna
import torch
from bench_training import notebook_loop, notebook_parameters

from sweep.definition.study_file import parse_study
from sweep.execution.events import TrialEnded
from sweep.execution.how import How
from sweep.execution.run import run_study
from sweep.storage.database import Database
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.examples import build_examples

KNOBS = ("block_size", "hidden_neurons", "embedding_dim", "num_steps", "batch_size")
WARM_UP = {"block_size": 3, "hidden_neurons": 1, "embedding_dim": 1, "num_steps": 10, "batch_size": 1}


def read_rows(share: float) -> list[dict[str, int]]:
    """Return the log's configurations, longest first, each at a share of its steps."""
    with Path(__file__).with_name("tuning_log.csv").open() as file:
        rows = [{knob: int(row[knob]) for knob in KNOBS} for row in csv.DictReader(file)]
    rows.sort(key=lambda row: -row["num_steps"])
    return [row | {"num_steps": max(2_000, int(row["num_steps"] * share))} for row in rows]


def time_optuna(folder: Path, words: str, rows: list[dict[str, int]]) -> float:
    """Return the seconds of Optuna with the notebook's loop, one thread."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    torch.set_num_threads(1)
    corpus = MLP.load_data({"words": words})
    splits = {}
    for block_size in {row["block_size"] for row in rows}:
        parts = [build_examples(part, block_size) for part in (corpus.train, corpus.dev)]
        splits[block_size] = [torch.tensor(a.astype("int64")) for p in parts for a in (p.contexts, p.targets)]

    def objective(trial: optuna.Trial) -> float:
        row = {knob: trial.suggest_int(knob, 1, 1_000_000) for knob in KNOBS}
        x, y, x_dev, y_dev = splits[row["block_size"]]
        sizes = (row["block_size"], row["embedding_dim"], row["hidden_neurons"])
        parameters = notebook_parameters(corpus.vocabulary_size, *sizes)
        notebook_loop(parameters, x, y, row["batch_size"], row["num_steps"])
        with torch.no_grad():
            C, W1, b1, W2, b2 = parameters
            hidden = torch.tanh(C[x_dev].flatten(1) @ W1 + b1)
            return torch.nn.functional.cross_entropy(hidden @ W2 + b2, y_dev).item()

    study = optuna.create_study(storage=f"sqlite:///{folder}/optuna.db")
    for row in rows:
        study.enqueue_trial(row)
    started = time.perf_counter()
    study.optimize(objective, n_trials=len(rows))
    return time.perf_counter() - started


def time_sweep(folder: Path, words: str, rows: list[dict[str, int]], workers: int) -> float:
    """Return the seconds of sweep, workers warm."""
    listed = [WARM_UP] * workers + rows
    raw = {"name": f"bench-{workers}", "sampler": "listed", "data": {"words": words}, "trial": listed}
    marks: list[float] = []
    run_study(
        MLP,
        parse_study({**raw, "fixed": {"init": "normal"}}, MLP),
        Database(f"sqlite:///{folder}/sweep.db"),
        how=How(
            workers=workers,
            device="cpu",
            observe=lambda event: (
                marks.append(time.perf_counter()) if isinstance(event, TrialEnded) else None
            ),
        ),
    )
    return marks[-1] - marks[workers - 1]


def main() -> None:
    """Run the three sweeps and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--share", type=float, default=0.02, help="of each row's steps (default: 0.02)")
    parser.add_argument("--words", default="data/names.txt")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = read_rows(arguments.share)
    with tempfile.TemporaryDirectory() as name:
        folder, words = Path(name), arguments.words
        one, two = (time_sweep(folder, words, rows, workers) for workers in (1, 2))
        plain = time_optuna(folder, words, rows)
    figures = {
        "steps": sum(row["num_steps"] for row in rows),
        "optuna_s": round(plain, 2),
        "one_worker_s": round(one, 2),
        "two_workers_s": round(two, 2),
        "one_worker_times_faster": round(plain / one, 2),
        "two_workers_times_faster": round(plain / two, 2),
        "two_against_one": round(one / two, 2),
    }
    if arguments.json:
        print(json.dumps(figures))
        return
    print(f"the log's fifteen rows, {figures['steps']:,} steps in all, seconds:")
    print(f"  Optuna with the notebook's loop  {plain:8.2f}")
    print(f"  sweep, one worker                {one:8.2f}  {plain / one:5.1f} times faster")
    print(f"  sweep, two workers               {two:8.2f}  {plain / two:5.1f} times faster")
    print(f"  two workers against one          {one / two:14.2f} times")


if __name__ == "__main__":
    main()
