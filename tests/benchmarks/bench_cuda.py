"""What does engine ``population`` reach on a GPU? One command, five figures, each with its target.

    pip install '.[cuda]'
    python tests/benchmarks/bench_cuda.py [--device cuda:0] [--words FILE] [--json]

* the fifteen rows of the tuning log side by side: at most 10 s of training;
* trials per second against the notebook's loop, eager, on the same GPU: at least 300 times;
* 100 trials at once: at most 1.5 times the time of one;
* free memory after 200 trials: as before;
* dev losses against the CPU's: equivalent within 0.002 nats, two one-sided tests, ten seeds.

``--dry-run`` does all of it in small on the CPU, where the figures mean nothing: it shows that the
program runs. No GPU has seen it yet.
"""

import argparse
import csv
import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from bench_training import check_loop, notebook_loop, notebook_parameters
from check_equivalence import BOUND, CONFIGURATIONS, describe, p_value

from sweep.definition.seeds import derive_seed
from sweep.errors import SweepError
from sweep.task import Segment, SegmentJob
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines.batch import Job
from sweep.trainers.mlp.engines.population import free_bytes, train_batch
from sweep.trainers.mlp.schedule import learning_rates
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.training import train_examples
from sweep.trainers.mlp.words.corpus import Corpus, load_corpus

HERE = Path(__file__).parent
TYPICAL = TrainConfig(block_size=3, embedding_dim=6, hidden_neurons=200, batch_size=32, init="normal")
"""Row 11 of the log."""

ENGINE = "population"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is done of everything."""

    share: float = 1.0
    """Of the log's steps."""
    steps: int = 20_000
    """Of the trials that are timed or compared."""
    loop_steps: int = 2_000
    """Of the notebook's loop; its trials are as long as the others, and its time is scaled."""
    at_once: int = 100
    leaks: int = 200
    seeds: int = 10


SMALL = Sizes(share=0.000_05, steps=20, loop_steps=20, at_once=3, leaks=4, seeds=3)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
    """A measured figure and its target."""

    what: str
    value: float
    unit: str
    target: float
    at_least: bool = False
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the figure reaches its target."""
        return self.value >= self.target if self.at_least else self.value <= self.target

    def __str__(self) -> str:
        """Return one line."""
        sign, verdict = ("at least" if self.at_least else "at most"), ("met" if self.is_met else "NOT met")
        text = f"{self.what}: {self.value:.4g} {self.unit}, target {sign} {self.target:g}: {verdict}"
        return f"{text} ({self.note})" if self.note else text


class Feed:
    """All jobs at once; a ``JobQueue``."""

    def __init__(self, jobs: Sequence[SegmentJob]) -> None:
        self._jobs = list(jobs)

    def take(self, *, wait: bool) -> list[SegmentJob]:
        """Return all, then nothing."""
        jobs, self._jobs = self._jobs, []
        return jobs

    def is_dropped(self, trial: int) -> bool:
        """Return False: all are wanted."""
        return False


def train_all(configs: Sequence[TrainConfig], corpus: Corpus, device: str) -> list[Segment]:
    """Train whole runs side by side, as a sweep does, and return their segments in order."""
    jobs = [
        SegmentJob(trial=k, config=config, state=None, until_step=config.num_steps)
        for k, config in enumerate(configs)
    ]
    ended = dict(MLP.train_segments(corpus, Feed(jobs), engine=ENGINE, device=device))
    faults = [result for result in ended.values() if isinstance(result, Exception)]
    if faults:
        raise faults[0]
    return [ended[k] for k in range(len(configs))]


def batch_of(n: int, corpus: Corpus, steps: int) -> list[Job]:
    """Return n typical runs of different seeds, from their beginning."""
    configs = [TYPICAL.replace(num_steps=steps, seed=derive_seed("bench", k)) for k in range(n)]
    return [
        Job(
            config,
            train_examples(corpus, config.block_size),
            TrainState.initial(config, corpus.vocabulary_size),
            learning_rates(config, 0, steps),
        )
        for config in configs
    ]


def seconds_of(jobs: list[Job], device: str) -> float:
    """Return the time of a launch, copies to the device and back included; the median of three."""
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        train_batch(jobs, device)
        seconds.append(time.perf_counter() - started)
    return sorted(seconds)[1]


def measure_log(corpus: Corpus, device: str, sizes: Sizes) -> Figure:
    """Train the fifteen rows side by side."""
    with (HERE / "tuning_log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    knobs = ("block_size", "hidden_neurons", "embedding_dim", "batch_size")
    configs = [
        TrainConfig(
            init="normal",
            num_steps=max(2, int(int(row["num_steps"]) * sizes.share)),
            decay_at=100_000.0,
            **{name: int(row[name]) for name in knobs},
        )
        for row in rows
    ]
    started = time.perf_counter()
    segments = train_all(configs, corpus, device)
    seconds = time.perf_counter() - started
    losses = ", ".join(f"{segment.dev_loss:.4f}" for segment in segments)
    return Figure(what="the log, fifteen rows side by side", value=seconds, unit="s", target=10, note=losses)


def measure_ratio(corpus: Corpus, device: str, sizes: Sizes) -> Figure:
    """Compare trials per second with the notebook's loop on the same device."""
    examples = train_examples(corpus, TYPICAL.block_size)
    contexts = torch.from_numpy(examples.contexts.astype(np.int64)).to(device)
    targets = torch.from_numpy(examples.targets.astype(np.int64)).to(device)
    shape = (corpus.vocabulary_size, TYPICAL.block_size, TYPICAL.embedding_dim, TYPICAL.hidden_neurons)
    parameters = [p.detach().to(device).requires_grad_() for p in notebook_parameters(*shape)]
    with torch.device(device):
        notebook_loop(parameters, contexts, targets, TYPICAL.batch_size, min(50, sizes.loop_steps))
        started = time.perf_counter()
        notebook_loop(parameters, contexts, targets, TYPICAL.batch_size, sizes.loop_steps)
        of_loop = (time.perf_counter() - started) * sizes.steps / sizes.loop_steps
    places = MLP.places(ENGINE, device) if device != "cpu" else sizes.at_once
    of_batch = seconds_of(batch_of(places, corpus, sizes.steps), device)
    return Figure(
        what="trials per second over the eager loop's",
        value=places / of_batch * of_loop,
        unit="times",
        target=300,
        at_least=True,
        note=f"{places} trials of {sizes.steps:,} steps in {of_batch:.2f} s, the loop {of_loop:.1f} s each",
    )


def measure_many(corpus: Corpus, device: str, sizes: Sizes) -> Figure:
    """Compare the time of many trials with that of one."""
    one, many = (seconds_of(batch_of(n, corpus, sizes.steps), device) for n in (1, sizes.at_once))
    step_us = one / sizes.steps * 1e6
    return Figure(
        what=f"{sizes.at_once} trials at once over one",
        value=many / one,
        unit="times",
        target=1.5,
        note=f"one alone: {step_us:.1f} us a step",
    )


def measure_leaks(corpus: Corpus, device: str, sizes: Sizes) -> Figure:
    """Train many trials one after the other and look at what memory is left."""
    jobs = batch_of(1, corpus, 20)
    train_batch(jobs, device)
    before = free_bytes(device)
    for _ in range(sizes.leaks):
        train_batch(jobs, device)
    lost = 0.0 if device == "cpu" else before - free_bytes(device)
    return Figure(
        what=f"memory lost over {sizes.leaks} trials", value=max(0.0, lost) / 2**20, unit="MiB", target=8
    )


def measure_equivalence(corpus: Corpus, device: str, sizes: Sizes) -> list[Figure]:
    """Compare dev losses with those of the CPU's engine on the same seeds."""
    figures = []
    for name, base in CONFIGURATIONS.items():
        configs = [
            base.replace(num_steps=sizes.steps, seed=derive_seed("equivalence", k))
            for k in range(sizes.seeds)
        ]
        ours = np.array([segment.dev_loss for segment in train_all(configs, corpus, device)])
        place = {"engine": "fused", "device": "cpu"}
        cpus = np.array([MLP.train_segment(c, corpus, None, c.num_steps, **place).dev_loss for c in configs])
        figures.append(
            Figure(
                what=f"equivalence within {BOUND}, {name}",
                value=p_value(ours - cpus),
                unit="(p)",
                target=0.05,
                note=describe(ours - cpus),
            )
        )
    return figures


def measure_all(corpus: Corpus, device: str, sizes: Sizes) -> list[Figure]:
    """Compile first, then measure everything."""
    MLP.prepare_worker(corpus, engine=ENGINE, device=device)
    measures = (measure_log, measure_ratio, measure_many, measure_leaks)
    return [measure(corpus, device, sizes) for measure in measures] + measure_equivalence(
        corpus, device, sizes
    )


def describe_device(device: str, *, is_dry: bool) -> str:
    """Return what the figures are from; exit with what is missing."""
    if is_dry:
        return "dry run on the CPU: the figures below mean nothing"
    if not torch.cuda.is_available():
        sys.exit(
            "bench_cuda: no GPU here (torch.cuda.is_available() is false); it needs an NVIDIA GPU, "
            "its driver and a CUDA build of PyTorch; --dry-run shows on any machine that the program runs"
        )
    from sweep.trainers.mlp.engines.gpu import check_installed

    try:
        check_installed()
    except SweepError as error:
        sys.exit(f"bench_cuda: {error}")
    return f"{torch.cuda.get_device_name(device)}, PyTorch {torch.__version__}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--words", type=Path, default=HERE.parents[1] / "data" / "names.txt")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--dry-run", action="store_true", help="everything in small, on the CPU")
    arguments = parser.parse_args()
    check_loop()
    device, sizes = ("cpu", SMALL) if arguments.dry_run else (arguments.device, Sizes())
    title = describe_device(device, is_dry=arguments.dry_run)
    figures = measure_all(load_corpus(arguments.words), device, sizes)
    if arguments.json:
        print(json.dumps({"device": title, "figures": [dataclasses.asdict(f) for f in figures]}, indent=2))
    else:
        print("\n".join([title, *map(str, figures)]))


if __name__ == "__main__":
    main()
