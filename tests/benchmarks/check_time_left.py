"""How often does the real end of a study lie within the time left that is shown?

Simulates five kinds of studies with the product's samplers and pruners on two workers, and asks the
prediction of the live view at five moments of each, from a third of the trials on. Trainings come from the
table of real ones (``tabular/names.csv``) or from a random bowl, whose seconds follow another law than the
prediction assumes. The constants of the prediction were chosen on seeds 10 to 65; the table is of seeds
from 80 on.

    python tests/benchmarks/check_time_left.py [--seeds 6]
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import heapq
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna

from sweep.definition.dimension import Choices, Range
from sweep.definition.records import SegmentRecord, TrialRecord
from sweep.definition.registries import PRUNERS, SAMPLERS
from sweep.definition.space import Space
from sweep.definition.spec import StudySpec
from sweep.execution.events import InTraining, Standing
from sweep.execution.planning.time_left import Prediction
from sweep.samplers.coordinates import unit_points
from sweep.samplers.mirror import Mirror

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "tabular"))

RUNGS = (10, 30, 90, 100)
WORKERS = 2
MOMENTS = (1 / 3, 0.45, 0.6, 0.75, 0.9)
"""Shares of the trials that have ended at a call."""

FIRST_SEED = 80
OVERHEAD_S = 0.01

WIDE = Space(
    {
        "steps": Range(500, 10_000, log=True),
        "width": Range(16, 256, log=True),
        "depth": Range(1, 8),
        "rate": Range(1e-4, 1.0, log=True),
        "decay": Range(1e-5, 1.0, log=True),
        "dropout": Range(0.0, 0.8),
    }
)
FOREST = Space(
    {
        "trees": Range(50, 1_000, log=True),
        "depth": Range(2, 10),
        "rate": Range(0.01, 0.3, log=True),
        "rows": Range(0.5, 1.0),
        "kind": Choices(("a", "b", "c")),
    }
)
CELLS = Space(
    {"trees": Choices((50, 100, 200, 400)), "depth": Choices((2, 4, 6, 8)), "kind": Choices(("a", "b"))}
)

Params = Mapping[str, Any]


class World(NamedTuple):
    """A study, and what its trainings give."""

    spec: StudySpec
    work: Callable[[Params], float]
    train: Callable[[Params], tuple[float, dict[int, float]]]
    """Configuration -> seconds, and its loss at each rung."""


class Log(NamedTuple):
    """A simulated trial."""

    number: int
    params: Params
    begin: float
    end: float
    whole: float
    """Seconds of its whole length."""
    share: float
    loss: float | None

    def record(self) -> TrialRecord:
        """Return it as it is stored."""
        is_pruned = self.share < 1
        segment = SegmentRecord(
            step=1,
            percent=round(100 * self.share) if is_pruned else None,
            dev_loss=self.loss or 0.0,
            seconds=self.end - self.begin,
            state_sha256="",
        )
        return TrialRecord(
            number=self.number,
            state="pruned" if is_pruned else "complete",
            params=dict(self.params),
            seed=0,
            dev_loss=self.loss,
            segments=(segment,),
            reason=None,
            facts={},
            engine="",
            device="",
            started=None,
            ended=None,
        )


def tabular(seed: int, table: Any, **settings: Any) -> World:
    """Return a study of the trained grid."""
    draw = np.random.default_rng(seed)

    def train(params: Params) -> tuple[float, dict[int, float]]:
        cell = table.places[tuple(params[name] for name in table.space)]
        run = int(draw.integers(table.losses["raw"].shape[1]))
        seconds = float(table.seconds[cell]) * float(np.exp(0.1 * abs(draw.standard_normal()))) + 0.05
        return seconds, {percent: table.loss("raw", cell, run, percent) for percent in RUNGS}

    return World(_spec(table.space, seed, **settings), table.work, train)


def bowl(
    seed: int,
    space: Space,
    work: Callable[[Params], float],
    seconds: Callable[[Params], float],
    **settings: Any,
) -> World:
    """Return a study whose loss is a random bowl over the space."""
    draw = np.random.default_rng([seed, 7])
    axes = len(unit_points(space, [space.point_at(0.5)])[0])
    optimum, weights = draw.uniform(-0.3, 1.3, axes), draw.exponential(1, axes)

    def train(params: Params) -> tuple[float, dict[int, float]]:
        point = unit_points(space, [params])[0]
        loss = 2 + float(weights @ (point - optimum) ** 2 + 0.02 * draw.standard_normal())
        lasted = seconds(params) * float(np.exp(0.15 * draw.standard_normal()))
        return lasted, {p: loss + (100 - p) / 100 * draw.uniform(0.5, 1) for p in RUNGS}

    return World(_spec(space, seed, **settings), work, train)


def _spec(space: Space, seed: int, **settings: Any) -> StudySpec:
    return StudySpec(name="s", objectives=("loss",), data={}, fixed={}, space=space, seed=seed, **settings)


def forest_seconds(params: Params) -> float:
    """Return the seconds of a boosted forest."""
    kind = 3 if params["kind"] == "b" else 1
    return 0.2 + 0.0015 * kind * params["trees"] * params["depth"] ** 1.3 * params.get("rows", 1.0)


def wide_seconds(params: Params) -> float:
    """Return the seconds of a training whose work is known by its steps alone."""
    return 0.2 + 1e-5 * params["steps"] * (params["width"] ** 1.2 * params["depth"] + 100)


def worlds(table: Any) -> dict[str, Callable[[int], World]]:
    """Return the five kinds of studies."""
    return {
        "MLP, known work": lambda seed: tabular(seed, table, sampler="gp_cost", trials=24),
        "wide space, work by steps": lambda seed: bowl(
            seed, WIDE, lambda p: float(p["steps"]), wide_seconds, sampler="gp_cost", trials=40
        ),
        "function, unknown work": lambda seed: bowl(
            seed, FOREST, lambda p: 1.0, forest_seconds, sampler="gp_cost", trials=30
        ),
        "tpe, pruner asha": lambda seed: tabular(seed, table, sampler="tpe", pruner="asha", trials=60),
        "grid": lambda seed: bowl(seed, CELLS, lambda p: 1.0, forest_seconds, sampler="grid"),
    }


def simulate(world: World) -> list[Log]:
    """Run a study in simulated seconds."""
    spec, mirror, logs = world.spec, Mirror(world.spec.space, None, []), list[Log]()
    rungs: dict[int, dict[int, float]] = {}
    events: list[tuple[float, int, int, dict[int, float]]] = []

    def begin(now: float) -> None:
        number = len(logs)
        if number < spec.total_trials:
            sampler = SAMPLERS[spec.sampler](spec.space, spec.seed, number, world.work)
            params = mirror.ask(number, sampler)
            whole, losses = world.train(params)
            now += OVERHEAD_S
            logs.append(Log(number, params, now, np.inf, whole, 1.0, None))
            heapq.heappush(events, (now + whole * RUNGS[0] / 100, number, 0, losses))

    for _ in range(WORKERS):
        begin(0.0)
    while events:
        now, number, place, losses = heapq.heappop(events)
        percent, log = RUNGS[place], logs[number]
        loss = losses[percent]
        if percent == 100:
            mirror.end(number, "complete", loss)
            logs[number] = log._replace(end=now, loss=loss)
        else:
            mirror.report(number, percent, loss)
            rungs.setdefault(percent, {})[number] = loss
            if not PRUNERS[spec.pruner](rungs, number, percent):
                later = now + log.whole * (RUNGS[place + 1] - percent) / 100
                heapq.heappush(events, (later, number, place + 1, losses))
                continue
            mirror.end(number, "pruned", None)
            logs[number] = log._replace(end=now, share=percent / 100)
        begin(now)
    return logs


def calls(world: World, logs: list[Log]) -> Iterator[tuple[float, float, float]]:
    """Yield the real time left, and the least and the most that is shown, at each moment."""
    outlook = Prediction(world.spec, world.work, time_share=1.0)
    total, end = len(logs), max(log.end for log in logs)
    ends = sorted(log.end for log in logs)
    for share in MOMENTS:
        now = ends[int(np.ceil(share * total)) - 1] + 2 * OVERHEAD_S
        ended = [log.record() for log in logs if log.end < now]
        training = [
            InTraining(
                params=log.params,
                spent=now - log.begin,
                total=log.whole if now - log.begin > log.whole * RUNGS[0] / 100 else None,
            )
            for log in logs
            if log.begin <= now <= log.end
        ]
        numbers = range(len(ended) + len(training), total)
        shown = outlook.seconds_left(
            Standing(ended=ended, training=training, numbers=numbers, workers=WORKERS, overhead=OVERHEAD_S)
        )
        if shown is not None:
            yield (end - now, *shown)


def line(name: str, found: np.ndarray) -> str:
    """Return a line of the table."""
    real, low, high = found.T
    shares = [np.mean((low <= real) & (real <= high)), np.mean(real < low), np.mean(real > high)]
    ratios = f"{np.median(high / low):.1f} | {np.median(real / np.sqrt(low * high)):.2f}"
    return f"| {name} | {len(found)} | {' | '.join(f'{share:.0%}' for share in shares)} | {ratios} |"


def main() -> None:
    """Print the table."""
    from table import read_table

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=6)
    seeds = range(FIRST_SEED, FIRST_SEED + parser.parse_args().seeds)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    names = HERE / "tabular" / "names.csv"
    print("| study | calls | within | ended earlier | later | high / low | end / middle |")
    print("|:--|--:|--:|--:|--:|--:|--:|")
    every = []
    for name, make in worlds(read_table(names, names)).items():
        found = np.array([call for seed in seeds for call in calls(make(seed), simulate(make(seed)))])
        every.append(found)
        print(line(name, found), flush=True)
    print(line("all", np.vstack(every)))


if __name__ == "__main__":
    main()
