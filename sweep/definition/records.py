"""A stored study and its trials as plain data, never Optuna's objects."""

import dataclasses
import datetime
import functools
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from sweep.definition.identity import Identity, direction_of, fingerprint, objectives_of
from sweep.definition.notes import NoteT
from sweep.definition.resources import Resources
from sweep.definition.space import Space, space_of_identity
from sweep.metric import Fact, Metric, as_loss
from sweep.task import AUTO, DEFAULT_TASK, AnyTask, described_facts, load_task

STATES = ("complete", "infeasible", "pruned", "diverged", "timeout", "failed", "running", "waiting")
"""What a trial can be: finished with a loss; finished, but with a figure outside its bounds; given up by the
pruner, for a loss that is not finite, for its time limit, or for a fault; in training; stored to go on at the
next run."""


CODE_CHANGED = "code_changed"
"""Attribute of a trial that was trained by a later version of the program than the first."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRecord:
    """One stored segment of a trial."""

    step: int
    """Steps done at its end."""
    percent: int | None
    """The rung at its end, or None."""
    dev_loss: float
    seconds: float
    state_sha256: str
    """Hash of the state file."""
    average_loss: float | None = None
    """Dev loss of the averaged weights; None where none are kept."""

    @property
    def plain(self) -> list[Any]:
        """All fields in their order, as a trial's seal has them."""
        return [
            *(self.step, self.percent, self.dev_loss, self.seconds),
            *(self.state_sha256, self.average_loss),
        ]

    @property
    def rung_loss(self) -> float:
        """What pruners compare: the averaged weights' loss where it is known."""
        return self.dev_loss if self.average_loss is None else self.average_loss


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """One trial."""

    number: int
    state: str
    """One of ``STATES``."""
    params: dict[str, Any]
    """The searched hyperparameters."""
    seed: int
    dev_loss: float | None
    """Final value of the metric; None unless complete."""
    segments: tuple[SegmentRecord, ...]
    reason: str | None
    """Why there is no final loss."""
    facts: dict[str, int]
    """Whole numbers that the trainer tells of a run beside the metric; see ``task.described_facts``."""
    labels: dict[str, Any] = dataclasses.field(default_factory=dict)
    """What a confirmation says of its trials: ``candidate``, ``phase`` and ``round``."""
    found: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Hyperparameters that were found for this configuration, where the study says ``auto``."""
    code_changed: str | None = None
    """Why the program was changed, if a later version than the first trained the trial."""
    figures: dict[str, float] = dataclasses.field(default_factory=dict)
    """The last of each other figure that its program reported or returned."""
    engine: str
    device: str
    started: datetime.datetime | None
    """Local time."""
    ended: datetime.datetime | None

    @property
    def rungs(self) -> dict[int, float]:
        """Rung in per cent -> loss that pruners compare there."""
        return {s.percent: s.rung_loss for s in self.segments if s.percent is not None}

    @property
    def train_seconds(self) -> float:
        """Wall time of all stored segments."""
        return sum(segment.seconds for segment in self.segments)

    @property
    def is_scored(self) -> bool:
        """Whether it has a finite final value."""
        return self.dev_loss is not None and math.isfinite(self.dev_loss)

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to the trial."""
        return self.state not in ("running", "waiting")

    def cost(self, name: str) -> float:
        """Return one of ``costs_of``."""
        return self.train_seconds if name == TRAIN_SECONDS else self.facts[name]

    def seal(self) -> str:
        """Return the hash of all that is known of a trial, moments excepted, 64 hex digits.

        SQLite notices damage to its own structure, not to a value; a seal stored beside the values does.
        Of an unfinished trial it leaves out who trains it and whether anybody does, which may change.
        """
        if not self.is_finished and (self.state, self.engine, self.device) != ("running", "", ""):
            return dataclasses.replace(self, state="running", engine="", device="").seal()
        segments = [segment.plain for segment in self.segments]
        known = [self.number, self.state, self.params, self.seed, self.dev_loss, self.reason, self.facts]
        known += [self.labels, self.found, self.engine, self.device, segments]
        known += [] if self.code_changed is None else [{CODE_CHANGED: self.code_changed}]
        known += [self.figures] if self.figures else []
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


TRAIN_SECONDS = "train_seconds"

_SECONDS = Fact(label="training seconds of the trial", unit="s", is_cost=True)


def costs_of(task: AnyTask) -> dict[str, Fact]:
    """Return what a study may minimise beside the metric: the trainer's costs, and seconds of training."""
    costs = {name: fact for name, fact in described_facts(task).items() if fact.is_cost}
    return {**costs, TRAIN_SECONDS: _SECONDS}


@dataclasses.dataclass(frozen=True, kw_only=True)  # without slots: the space is parsed once
class StudyRecord:
    """One study with all its trials."""

    name: str
    goal: str
    identity: Identity
    """As stored; read through the properties below. See ``StudySpec.identity``."""
    data: dict[str, Any]
    """The ``[data]`` section."""
    data_facts: str
    """What was read, in words."""
    total_trials: int
    keep: int
    logged: tuple[float | None, ...]
    """Value that an earlier log gives for each listed configuration, where it was made on these
    data; else empty."""
    environment: dict[str, str]
    """Versions and machine of the last run."""
    trials: tuple[TrialRecord, ...]
    plans: tuple[dict[str, Any], ...] = ()
    """Every plan of a confirmation, the latest last, as plain values."""
    resources: Resources = dataclasses.field(default_factory=Resources)
    """What a segment occupied in the last run."""
    notes: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    """What was found out beside the trials, as plain values by key; read through ``note``."""
    surroundings: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Where and how its program ran last; empty for an installed trainer."""

    code: tuple[dict[str, Any], ...] = ()
    """Every version of its program that was accepted, the first one first, as ``Code.to_dict``, each with
    ``why`` it was changed; empty for an installed trainer."""

    @property
    def fingerprint(self) -> str:
        """Hash of the identity, 64 hex digits."""
        return fingerprint(self.identity)

    @functools.cached_property
    def space(self) -> Space:
        """The searched hyperparameters."""
        return space_of_identity(self.identity)

    @property
    def fixed(self) -> Mapping[str, Any]:
        """The value of every hyperparameter that is not searched or not active; see ``StudySpec.fixed``."""
        return self.identity["fixed"]

    @property
    def listed(self) -> list[dict[str, Any]]:
        """Known configurations, which ran first."""
        return self.identity["trial"]

    @property
    def origin(self) -> Mapping[str, Any]:
        """``study`` and ``trials`` that the first of them came from; empty if from no study."""
        return self.identity.get("from", {})

    @property
    def sampler(self) -> str:
        """One of ``SAMPLERS``."""
        return self.identity["sampler"]

    @property
    def pruner(self) -> str:
        """One of ``PRUNERS``."""
        return self.identity["pruner"]

    @property
    def seed(self) -> int:
        """Seed of the search."""
        return self.identity["seed"]

    @property
    def replicates(self) -> int:
        """Seeds that each configuration is trained on."""
        return self.identity["replicates"]

    @property
    def data_sha256(self) -> str:
        """Hash of the data file."""
        return self.identity["data_sha256"]

    @property
    def split(self) -> str:
        """The rule by which train, dev and test were cut, in words."""
        return str(self.identity.get("split", ""))

    @property
    def trainer_version(self) -> int:
        """Version of the trainer's reference numbers."""
        return self.identity["trainer_version"]

    @property
    def trainer(self) -> str:
        """Name of the trainer; the identity of a study of ``DEFAULT_TASK`` does not hold it."""
        return str(self.identity.get("trainer", DEFAULT_TASK))

    @functools.cached_property
    def task(self) -> AnyTask:
        """The trainer; raises ``NotFoundError`` if it is not installed. No code of a program is imported."""
        return load_task(self.trainer, self.program, self.surroundings)

    @property
    def program(self) -> Mapping[str, Any]:
        """What the study says of a program of its own; empty for an installed trainer."""
        return self.identity.get("program", {})

    @property
    def objectives(self) -> tuple[str, ...]:
        """What is optimised: the metric, and after it at most one of ``costs_of``."""
        return objectives_of(self.identity)

    @property
    def direction(self) -> str:
        """Direction of the metric; known without the trainer."""
        return direction_of(self.identity)

    @property
    def metric(self) -> Metric:
        """What trials are judged by; raises ``NotFoundError`` if the trainer is not installed."""
        return self.task.metric

    def as_loss(self, value: float) -> float:
        """Return a value of the metric, or a difference of two, as it is compared: lower is better."""
        return as_loss(self.direction, value)

    @property
    def cost(self) -> str | None:
        """What is minimised beside the metric; None if that is all."""
        return self.objectives[1] if len(self.objectives) > 1 else None

    @property
    def searched(self) -> tuple[str, ...]:
        """Names of the searched hyperparameters, in the study file's order."""
        return tuple(self.space)

    @property
    def found(self) -> tuple[str, ...]:
        """Names of the hyperparameters that are found for each configuration."""
        return tuple(name for name, value in self.fixed.items() if value == AUTO)

    def note(self, kind: type[NoteT]) -> NoteT | None:
        """Return the note of a kind; None where nothing was noted."""
        return kind.from_dict(self.notes[kind.key]) if kind.key in self.notes else None

    def config_values(self, trial: TrialRecord) -> dict[str, Any]:
        """Return every hyperparameter of a trial, its seed included."""
        return {**self.fixed, **trial.params, **trial.found, "seed": trial.seed}

    def complete_trials(self) -> list[TrialRecord]:
        """Return the trials with a final value, best first."""
        complete = [(self.as_loss(t.dev_loss), t.number, t) for t in self.trials if t.dev_loss is not None]
        return [trial for _, _, trial in sorted(complete, key=lambda entry: entry[:2])]
