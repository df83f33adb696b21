"""How soon does a sampler find a good MLP in the space of studies/quick.toml, where large models pay?

Searches a model of that study instead of training: a Gaussian process for the dev loss and a line for the
seconds, both fitted to 200 of its trials on makemore's list with AdamW (``quick-trials.csv``: five
study seeds of an earlier ``gp_cost``, two quiet cores). Beyond those trials the model is a guess, so it
serves to compare samplers, not to predict losses.

    python tests/benchmarks/tabular/quick_model.py [--samplers gp_cost tpe random] [--repeats 32]
"""

import os

if __name__ == "__main__":  # before numpy is loaded
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sweep.definition.dimension import Choices
from sweep.definition.space import Space
from sweep.definition.spec import StudySpec
from sweep.definition.study_file import load_study_file
from sweep.samplers.cube import Cube
from sweep.samplers.gaussian_process import Data, fit, predict
from sweep.samplers.trial_speed import Sample, expected_log_seconds
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.work import multiply_adds
from tests.benchmarks.samplers.own import sweep
from tests.benchmarks.samplers.simulate import Outcome, simulate
from tests.benchmarks.samplers.task import Params, Task

HERE = Path(__file__).parent
STUDY = HERE.parents[2] / "studies" / "quick.toml"
SYMBOLS = 27

GOOD = 1.967
"""Dev loss to reach, in nats per character."""

FLOOR = 1.93
"""Below all dev losses; the process models the logarithm of the distance from it."""

TRIALS = 40


def known_trials(space: Space) -> tuple[list[Params], np.ndarray, np.ndarray]:
    """Return configurations, dev losses and training seconds."""
    with (HERE / "quick-trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    configurations = [{name: _value(space, name, row[name]) for name in space} for row in rows]
    return configurations, *(
        np.array([float(row[key]) for row in rows]) for key in ("dev_loss", "train_seconds")
    )


def _value(space: Space, name: str, text: str) -> Any:
    dimension = space[name]
    return int(text) if isinstance(dimension, Choices) or isinstance(dimension.low, int) else float(text)


def quick(spec: StudySpec) -> Task:
    """Fit the model."""
    configurations, losses, seconds = known_trials(spec.space)

    def work(params: Params) -> float:
        return multiply_adds(TrainConfig(**spec.config_values(params)), SYMBOLS)

    loss_of = _model_of_losses(Cube(spec.space), configurations, losses)
    seconds_of = _model_of_seconds(Cube(spec.space), work, configurations, seconds)
    return Task(
        space=spec.space,
        loss=lambda params, seed: loss_of(params),
        seconds=seconds_of,
        work=work,
        scale=np.sort(losses),
    )


def _model_of_losses(
    cube: Cube, configurations: list[Params], losses: np.ndarray
) -> Callable[[Params], float]:
    logs = np.log(losses - FLOOR)
    mean, sd, n = logs.mean(), logs.std(), len(logs)
    data = Data(
        cube.axes(cube.rows(configurations)), (logs - mean) / sd, np.ones(n), np.zeros(n), cube.scales
    )
    theta = fit(data)
    return lambda params: float(
        np.exp(predict(theta, data, cube.axes(cube.rows([params])))[0][0] * sd + mean) + FLOOR
    )


def _model_of_seconds(
    cube: Cube, work: Callable[[Params], float], configurations: list[Params], seconds: np.ndarray
) -> Callable[[Params], float]:
    def sample(configurations: list[Params]) -> Sample:
        return Sample(
            np.log([work(params) for params in configurations]), cube.axes(cube.rows(configurations))
        )

    expected = expected_log_seconds(sample(configurations), np.log(seconds))
    return lambda params: float(np.exp(expected(sample([params]))[0]))


def line(sampler: str, found: list[Outcome]) -> str:
    """Return a row of the table: when searches were good, and how good they ended."""
    reached = [next((step.seconds for step in each.curve if step.true_loss < GOOD), np.inf) for each in found]
    low, middle, high = np.quantile(reached, [0.25, 0.5, 0.75], method="nearest")
    ends = [each.curve[-1].true_loss for each in found]
    whole = np.median([each.seconds for each in found])
    return (
        f"| {sampler} | {middle:.0f} ({low:.0f} to {high:.0f}) | {np.isinf(reached).sum()} | "
        f"{np.median(ends):.4f} | {max(ends):.4f} | {whole:.0f} |"
    )


def main() -> None:
    """Print a row for each sampler."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samplers", nargs="+", default=["gp_cost", "tpe", "random"])
    parser.add_argument("--repeats", type=int, default=32)
    arguments = parser.parse_args()
    task = quick(load_study_file(STUDY))
    print(f"| sampler | s to {GOOD} (quartiles) | never | best of {TRIALS}, median | worst | s in all |")
    print("|:--|--:|--:|--:|--:|--:|")
    for sampler in arguments.samplers:
        found = [simulate(task, sweep(sampler), seed, trials=TRIALS) for seed in range(arguments.repeats)]
        print(line(sampler, found), flush=True)


if __name__ == "__main__":
    main()
