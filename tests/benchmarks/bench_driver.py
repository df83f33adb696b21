"""What does a trial cost besides its training, against bare Optuna?

Both sides run the same tiny trials with the same sampler, five suggested parameters and four
reports, on a new SQLite database, one after the other; what the training itself took is
subtracted. Bare Optuna trains in its own process and stores losses only; sweep hands each
segment to a worker, and stores its state and loss curve as well.

    python tests/benchmarks/bench_driver.py [--trials 500] [--sampler tpe] [--json]
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import optuna

from sweep.definition.study_file import parse_study
from sweep.execution.events import TrialEnded
from sweep.execution.how import How
from sweep.execution.run import run_study
from sweep.execution.rungs import cuts
from sweep.storage.database import Database
from sweep.trainers.mlp.trainer import MLP

SPACE = {
    "block_size": (1, 2),
    "embedding_dim": (1, 2),
    "hidden_neurons": (1, 4),
    "batch_size": (1, 2),
    "num_steps": (2_000, 2_004),
}
SAMPLERS = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}


def sweep_overhead(folder: Path, words: str, sampler: str, trials: int) -> float:
    """Return seconds a trial beyond its training, workers already warm."""
    search = {name: {"low": low, "high": high} for name, (low, high) in SPACE.items()}
    data = {"words": words}
    spec = parse_study({"name": "tiny", "sampler": sampler, "trials": 1, "data": data, "search": search}, MLP)
    marks: list[float] = []
    summary = run_study(
        MLP,
        spec.replace(trials=trials + 1),
        Database(f"sqlite:///{folder}/sweep.db"),
        how=How(
            workers=1,
            device="cpu",
            observe=lambda event: (
                marks.append(time.perf_counter()) if isinstance(event, TrialEnded) else None
            ),
        ),
    )
    training = sum(trial.train_seconds for trial in summary.study.trials[1:])
    return (marks[-1] - marks[0] - training) / trials


def optuna_overhead(folder: Path, words: str, sampler: str, trials: int) -> float:
    """Return seconds a trial beyond its training."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    data = MLP.load_data({"words": words})
    MLP.prepare_worker(data, engine="fused", device="cpu")
    training = 0.0

    def objective(trial: optuna.Trial) -> float:
        nonlocal training
        config = MLP.make_config({name: trial.suggest_int(name, *ends) for name, ends in SPACE.items()})
        state = None
        for cut in cuts(config.num_steps):
            segment = MLP.train_segment(config, data, state, cut.step, engine="fused", device="cpu")
            state, training = segment.state, training + segment.seconds
            trial.report(segment.dev_loss, cut.percent or 0)
        return segment.dev_loss

    study = optuna.create_study(storage=f"sqlite:///{folder}/optuna.db", sampler=SAMPLERS[sampler](seed=0))
    started = time.perf_counter()
    study.optimize(objective, n_trials=trials)
    return (time.perf_counter() - started - training) / trials


def main() -> None:
    """Run both sides and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--sampler", choices=SAMPLERS, default="tpe")
    parser.add_argument("--words", default="data/names.txt")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = (Path(folder), arguments.words, arguments.sampler, arguments.trials)
        optuna_s, sweep_s = optuna_overhead(*place), sweep_overhead(*place)
    figures = {
        "trials": arguments.trials,
        "sampler": arguments.sampler,
        "optuna_ms": round(1e3 * optuna_s, 2),
        "sweep_ms": round(1e3 * sweep_s, 2),
        "ratio": round(sweep_s / optuna_s, 3),
    }
    if arguments.json:
        print(json.dumps(figures))
        return
    print(
        f"{arguments.trials} tiny trials, sampler {arguments.sampler}, four reports each, SQLite, one worker"
    )
    print("milliseconds a trial beyond its training:")
    print(f"  bare Optuna  {figures['optuna_ms']:7.2f}")
    print(f"  sweep        {figures['sweep_ms']:7.2f}   {figures['ratio']:.2f} times")


if __name__ == "__main__":
    main()
