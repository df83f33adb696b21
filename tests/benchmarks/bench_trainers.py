"""What does sweep cost a user's own trainer, against the least that there is?

* A function that returns at once: ``sweep.study`` with one worker against bare ``study.optimize``, both with
  the random sampler, five parameters and a new SQLite database; with --tune also against Ray Tune.
* A command that prints one figure: a trial of it against its bare start by ``subprocess``.
* A function that reports in a tight loop: microseconds a report.
* A command that prints as fast as it can: lines a second, and the driver's share of a core.

The sides take turns, and medians over the rounds are printed. On a busy machine compare the ratios.

    python tests/benchmarks/bench_trainers.py [--rounds 5] [--trials 60] [--tune] [--json]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import optuna

import sweep
from sweep.execution.events import TrialEnded, TrialStarted

NAMES = ("a", "b", "c", "d", "e")
SPACE = {name: {"low": 0.0, "high": 1.0} for name in NAMES}
COMMAND = [sys.executable, "-S", "-c", "print('value: 0.5')"]
REPORTS = 20_000
LINES = 20_000_000
PRINTING = f"""
import sys
lines = "reading shard 17 of 400, 3.2 MB/s\\n" * 1000
for _ in range({LINES // 1000}):
    sys.stdout.write(lines)
print("value: 0.5")
"""

TARGETS = {"command_ms": 50.0, "report_us": 50.0, "driver_share": 0.2}


def at_once(config: Any) -> float:
    """Return without any work."""
    return float(config.a)


def tight(config: Any, report: Callable[..., None]) -> float:
    """Report in a loop, and return the microseconds that one report takes."""
    started = time.perf_counter()
    for step in range(1, REPORTS + 1):
        report(config.a, step)
    return (time.perf_counter() - started) / REPORTS * 1e6


def ms_a_trial(trials: int, **study: Any) -> float:
    """Return the time of a trial with one worker that is warm."""
    marks: list[float] = []

    def watch(event: object) -> None:
        if isinstance(event, TrialEnded):
            marks.append(time.perf_counter())

    asked = sweep.study(search=SPACE, metric="value", sampler="random", **study)
    asked.run(trials=trials + 1, workers=1, observe=watch)
    return 1000 * (marks[-1] - marks[0]) / trials


def function_ms(name: str, trials: int) -> float:
    """Return what a trial of a function takes in sweep."""
    return ms_a_trial(trials, name=name, trainer=at_once)


def optuna_ms(name: str, trials: int) -> float:
    """Return what a trial of the same function takes in bare Optuna."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(storage=f"sqlite:///{name}.db", sampler=sampler)
    marks: list[float] = []

    def objective(trial: optuna.Trial) -> float:
        values = [trial.suggest_float(each, 0.0, 1.0) for each in NAMES]
        return values[0]

    study.optimize(objective, n_trials=trials + 1, callbacks=[lambda *_: marks.append(time.perf_counter())])
    return 1000 * (marks[-1] - marks[0]) / trials


def tune_ms(name: str, trials: int) -> float:
    """Return what a trial of the same function takes in Ray Tune with one trial at a time."""
    import ray
    from ray import tune

    if not ray.is_initialized():  # one of its own, whatever else runs on this machine
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    marks: list[float] = []

    class Watch(tune.Callback):
        def on_trial_complete(self, *_: Any, **__: Any) -> None:
            marks.append(time.perf_counter())

    space = {each: tune.uniform(0.0, 1.0) for each in NAMES}
    settings = tune.TuneConfig(num_samples=trials + 1, metric="value", mode="min", max_concurrent_trials=1)
    run = tune.RunConfig(storage_path=str(Path(name).absolute()), verbose=0, callbacks=[Watch()])
    results = tune.Tuner(_for_tune, param_space=space, tune_config=settings, run_config=run).fit()
    if results.errors:
        raise results.errors[0]
    return 1000 * (marks[-1] - marks[0]) / trials


def _for_tune(config: dict[str, float]) -> dict[str, float]:
    return {"value": config["a"]}


def command_ms(name: str, trials: int) -> float:
    """Return what a trial of a command takes in sweep."""
    skipped = dict.fromkeys(NAMES, "skip")
    return ms_a_trial(trials, name=name, command=[*COMMAND, "{args}"], arguments=skipped)


def bare_ms(name: str, trials: int) -> float:
    """Return what the start of the same command takes."""
    started = time.perf_counter()
    for _ in range(trials):
        subprocess.run(COMMAND, capture_output=True, check=True)
    return 1000 * (time.perf_counter() - started) / trials


def report_us(name: str, trials: int) -> float:
    """Return the microseconds of a report in a tight loop."""
    study = sweep.study(name=name, trainer=tight, search=SPACE, metric="value", sampler="random")
    return float(study.run(trials=1, workers=1).trials[0].dev_loss or 0.0)


def driver_share(name: str, trials: int) -> float:
    """Return the share of a core that the driver uses while a command prints as fast as it can."""
    command = [sys.executable, "-S", "-c", PRINTING.replace("{", "{{").replace("}", "}}"), "{args}"]
    skipped = dict.fromkeys(NAMES, "skip")
    study = sweep.study(name=name, command=command, arguments=skipped, search=SPACE, metric="value")
    marks: list[float] = []

    def watch(event: object) -> None:
        if isinstance(event, TrialStarted | TrialEnded):
            marks.append(time.process_time())

    (trial,) = study.run(trials=1, workers=1, observe=watch).trials
    used = marks[-1] - marks[0]
    print(f"  {LINES / trial.train_seconds / 1e6:.2f} million lines a second", file=sys.stderr)
    return used / trial.train_seconds


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--tune", action="store_true", help="also Ray Tune")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    sides = [function_ms, optuna_ms, command_ms, bare_ms, report_us, driver_share]
    sides += [tune_ms] if arguments.tune else []
    found: dict[str, list[float]] = {side.__name__: [] for side in sides}
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        os.environ["SWEEP_LEDGER"] = f"{folder}/ledger"
        for number in range(arguments.rounds):
            for side in sides[number % len(sides) :] + sides[: number % len(sides)]:
                found[side.__name__].append(side(f"{side.__name__}-{number}", arguments.trials))
    medians = {name: statistics.median(values) for name, values in found.items()}
    show(medians, as_json=arguments.json)


def show(medians: dict[str, float], *, as_json: bool) -> None:
    """Print the medians, what they are of the other side, and the targets."""
    medians["command_ms"] -= medians["bare_ms"]
    if as_json:
        print(json.dumps(medians))
        return
    print(f"function, one trial         {medians['function_ms']:8.1f} ms")
    print(f"  bare study.optimize       {medians['optuna_ms']:8.1f} ms")
    if "tune_ms" in medians:
        print(f"  Ray Tune                  {medians['tune_ms']:8.1f} ms")
    print(
        f"command, beyond its start   {medians['command_ms']:8.1f} ms   (start {medians['bare_ms']:.1f} ms)"
    )
    print(f"report in a tight loop      {medians['report_us']:8.1f} us")
    print(f"driver while lines pour in  {medians['driver_share']:8.2f} of a core")
    for name, target in TARGETS.items():
        print(f"target {name} at most {target:g}: {'met' if medians[name] <= target else 'missed'}")


if __name__ == "__main__":
    main()
