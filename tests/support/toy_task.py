"""A trainer with nothing to learn: a real ``Task`` that is quick, exact, and misbehaves when told to."""

import dataclasses
import hashlib
import json
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from sweep.errors import ConfigError
from sweep.task import Fact, JobQueue, Metric, Segment, SegmentJob

PRIME = 1_000_003
FACTS = {
    "n_params": Fact(label="counted parameters", unit="parameters", heading="params", is_cost=True),
    "examples_seen": Fact(label="examples seen"),
}
SLEEP_S = 600
"""So long that a test sees it asleep on any machine, and ends it."""

CONDUCTS = ("learn", "raise", "die", "stumble", "nan", "huge", "minus-inf", "sleep", "half")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ToyConfig:
    """``conduct`` is what happens from the second segment on."""

    num_steps: int = 3_000
    x: float = 0.5
    y: int = 1
    conduct: str = "learn"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.conduct not in CONDUCTS:
            raise ConfigError(f"conduct must be one of {CONDUCTS}, got {self.conduct!r}")

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def replace(self, **changes: Any) -> "ToyConfig":
        return dataclasses.replace(self, **changes)

    def sha256(self) -> str:
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ToyData:
    sha256: str
    folder: str
    """Where a stumbling worker remembers how often it fell."""
    ballast: bytes = b""
    """What makes it as large as real data."""

    def describe(self) -> str:
        return "nothing to read"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CoreTask:
    """The members that every trainer has, and no capability."""

    segment_s: float = 0.0
    """How long a segment takes at least."""
    breaks: bool = False
    """Whether every segment ends in a fault."""
    data_bytes: int = 0
    """How large its data are."""
    name: str = "toy"
    version: int = 1
    metric: Metric = dataclasses.field(default_factory=lambda: Metric(name="dev_loss", label="dev loss"))
    shown: tuple[str, ...] = ()
    shortest_with_rungs: int = 2_000

    def make_config(self, values: Mapping[str, Any]) -> ToyConfig:
        return ToyConfig(**values)

    def field_types(self) -> dict[str, type]:
        return {"num_steps": int, "x": float, "y": int, "conduct": str}

    def check_data_section(self, section: Mapping[str, Any]) -> dict[str, Any]:
        return {"words": "", **section}

    def load_data(self, section: Mapping[str, Any]) -> ToyData:
        return ToyData(sha256="5" * 64, folder=section["words"], ballast=bytes(self.data_bytes))

    def train_segment(
        self,
        config: ToyConfig,
        data: ToyData,
        state: bytes | None,
        until_step: int,
        *,
        engine: str,
        device: str,
        averaged: bool = False,
    ) -> Segment:
        """Fold the seed and every step into one number: any other cut or order would show."""
        if self.breaks:
            raise ValueError("the toy is broken")
        time.sleep(self.segment_s)
        step, fold = json.loads(state) if state else (0, config.seed % PRIME)
        if step:
            _misbehave(config, data)
        losses = np.empty(until_step - step, np.float32)
        for place, now in enumerate(range(step, until_step)):
            fold = (fold * 31 + now) % PRIME
            losses[place] = fold / PRIME
        dev_loss = (config.x - 0.3) ** 2 + config.y / 10 + fold / PRIME / 100
        if step:
            dev_loss = {"nan": math.nan, "huge": 1e30, "minus-inf": -math.inf}.get(config.conduct, dev_loss)
        return Segment(
            state=json.dumps([until_step, fold]).encode(), dev_loss=dev_loss, losses=losses, seconds=0.01
        )

    def facts(self, config: ToyConfig, data: ToyData) -> dict[str, int]:
        return {"n_params": 100 - 10 * config.y, "examples_seen": config.num_steps}

    def work(self, config: ToyConfig, data: ToyData) -> float:
        return config.num_steps


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ToyTask(CoreTask):
    """The core with the capabilities that execution uses."""

    start_s: float = 0.0
    """How long a worker takes to get ready."""
    cannot_start: bool = False
    many: int = 1
    """Segments that a worker is handed at a time; above 1 there are two devices."""
    bytes_of_y: int = 0
    """Memory that a worker says it needs, times ``y``."""
    metric: Metric = dataclasses.field(
        default_factory=lambda: Metric(name="dev_loss", label="dev loss", diverged=1e4)
    )
    split_rule: str = "none"
    described_facts: Mapping[str, Fact] = dataclasses.field(default_factory=lambda: FACTS)
    auto_fields: tuple[str, ...] = ("x",)

    def list_devices(self, name: str) -> tuple[str, ...]:
        return ("cpu",) if self.many == 1 else ("toy:0", "toy:1")

    def resolve_device(self, name: str) -> str:
        return "cpu"

    def default_engine(self, device: str) -> str:
        return "toy"

    def check_engine(self, engine: str, device: str) -> None:
        pass

    def places(self, engine: str, device: str) -> int:
        return self.many

    def train_segments(
        self, data: ToyData, jobs: JobQueue, *, engine: str, device: str
    ) -> Iterator[tuple[int, Segment | Exception]]:
        while came := jobs.take(wait=True):
            for job in came:
                if _is_dropped(job, jobs):
                    continue
                found = self.find_auto(job.config, data, job.find, engine="", device="") if job.find else {}
                config = job.config.replace(**found)
                try:
                    segment = self.train_segment(
                        config, data, job.state, job.until_step, engine="", device=""
                    )
                except ValueError as fault:
                    yield job.trial, fault
                else:
                    yield job.trial, dataclasses.replace(segment, found=found)

    def prepare_worker(self, data: ToyData, *, engine: str, device: str) -> None:
        if self.cannot_start:
            raise OSError("no such engine")
        time.sleep(self.start_s)

    def find_auto(
        self, config: ToyConfig, data: ToyData, names: Sequence[str], *, engine: str, device: str
    ) -> dict[str, float]:
        """A tenth of y; what else is in the configuration must not matter. Each call leaves a trace."""
        assert tuple(names) == ("x",)
        if data.folder:
            with (Path(data.folder) / f"asked-{config.seed}").open("a") as file:
                file.write("x")
        return {"x": config.y / 10}

    def memory(self, config: ToyConfig, data: ToyData, *, device: str) -> int:
        return self.bytes_of_y * config.y

    def loss_ceiling(self, data: ToyData) -> float:
        return 3.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NegatedToy(ToyTask):
    """The toy with every value negated, and the highest one best."""

    name: str = "negated-toy"
    metric: Metric = dataclasses.field(
        default_factory=lambda: Metric(name="gain", label="gain", direction="maximize", diverged=-1e4)
    )

    def train_segment(self, *args: Any, **options: Any) -> Segment:
        segment = ToyTask.train_segment(self, *args, **options)
        return dataclasses.replace(segment, dev_loss=-segment.dev_loss)

    def default_engine(self, device: str) -> str:
        return "toy"

    def loss_ceiling(self, data: ToyData) -> float:
        return -3.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GrownConfig(ToyConfig):
    clip: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GrownTask(CoreTask):
    """The core in a later release, with one more hyperparameter; only engine ``new`` uses it."""

    later_fields: Mapping[str, Any] = dataclasses.field(default_factory=lambda: {"clip": 0.0})

    def make_config(self, values: Mapping[str, Any]) -> GrownConfig:
        return GrownConfig(**values)

    def field_types(self) -> dict[str, type]:
        return {"num_steps": int, "x": float, "y": int, "conduct": str, "clip": float}

    def honoured(self, engine: str) -> set[str]:
        return {"num_steps", "x", "y", "conduct", "seed"} | ({"clip"} if engine == "new" else set())


def _is_dropped(job: SegmentJob, jobs: JobQueue) -> bool:
    """Whether a job was dropped by now, or is dropped while it sleeps, as a trainer looks between slices."""
    sleeps = job.config.conduct == "sleep" and job.state is not None
    end = time.monotonic() + SLEEP_S
    while sleeps and not jobs.is_dropped(job.trial) and time.monotonic() < end:
        time.sleep(0.01)
    return jobs.is_dropped(job.trial)


def _die_in_the_middle_of_the_answer() -> None:
    def send_half(self: Connection, content: Any) -> None:
        os.write(self.fileno(), bytes(content)[: len(content) // 2])
        os._exit(9)

    Connection._send = send_half  # type: ignore[attr-defined]


def _misbehave(config: ToyConfig, data: ToyData) -> None:
    if config.conduct == "half":
        _die_in_the_middle_of_the_answer()
    if config.conduct == "die":
        os._exit(9)
    if config.conduct == "raise":
        raise ValueError("the toy broke\nin two lines")
    if config.conduct == "sleep":
        time.sleep(SLEEP_S)
    falls = Path(data.folder or ".") / f"fell-{config.seed}"
    if config.conduct == "stumble" and len(falls.read_text() if falls.exists() else "") < 2:
        with falls.open("a") as file:
            file.write("x")
        os._exit(9)


class UnreadableTask(ToyTask):
    """A task that another process cannot read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _refuse_to_be_read, ()


def _refuse_to_be_read() -> None:
    raise ImportError("the toy is not installed here")


TOY = ToyTask()
NEGATED = NegatedToy()
