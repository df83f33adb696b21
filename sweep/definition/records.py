"""Represent a stored study and its trials as plain data, without Optuna's objects."""

import dataclasses
import datetime
import functools
import hashlib
import json
import math
from collections.abc import Mapping

from sweep.definition.identity import Identity, direction_of, fingerprint, objectives_of
from sweep.definition.notes import NoteT
from sweep.definition.resources import Resources
from sweep.definition.space import Space, space_of_identity
from sweep.metric import MINIMIZE, Metric, as_loss
from sweep.task import AUTO, DEFAULT_TASK, TRAIN_SECONDS, AnyTask, guest_task, load_task
from sweep.values import Json, Params, Toml, Value

STATES = ("complete", "infeasible", "pruned", "diverged", "timeout", "failed", "running", "waiting")
"""States of a trial: finished with a value; finished with a figure out of bounds; stopped by the pruner, by a
loss that is not finite, by its time limit, or by an error; in training; stored, to resume in the next run."""

CODE_CHANGED = "code_changed"
"""Attribute of a trial that a later version of the program trained."""


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
    """Dev loss of the averaged weights; None if the trainer keeps none."""

    @property
    def plain(self) -> list[Json]:
        """All fields in their order, as a trial's seal has them."""
        return [self.step, self.percent, self.dev_loss, self.seconds, self.state_sha256, self.average_loss]

    @property
    def rung_loss(self) -> float:
        """The loss that pruners compare: that of the averaged weights if known, else ``dev_loss``."""
        return self.dev_loss if self.average_loss is None else self.average_loss


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """One trial."""

    number: int
    state: str
    """One of ``STATES``."""
    params: dict[str, Value]
    """The searched hyperparameters."""
    seed: int
    dev_loss: float | None
    """Final value of the metric; None unless complete."""
    segments: tuple[SegmentRecord, ...]
    reason: str | None
    """Why the trial has no final value; None if it has one."""
    facts: dict[str, float]
    """Numbers that describe the run; see ``task.described_facts``."""
    labels: dict[str, Json] = dataclasses.field(default_factory=dict)
    """``candidate``, ``phase`` and ``round`` of a confirmation's trials; ``retries`` of a search's."""
    found: dict[str, Value] = dataclasses.field(default_factory=dict)
    """Hyperparameters that the trainer found, if the study sets them to ``auto``."""
    code_changed: str | None = None
    """Reason of the program's change, if a later version trained the trial."""
    figures: dict[str, float] = dataclasses.field(default_factory=dict)
    """The last value of each other figure that the program reported or returned."""
    attributes: dict[str, Json] = dataclasses.field(default_factory=dict)
    """A guest's user attributes: finite numbers, booleans, None and texts."""
    lasted: float | None = None
    """Seconds from start to end of a guest's trial, whose segments are not timed."""
    engine: str
    device: str
    started: datetime.datetime | None
    """Local time."""
    ended: datetime.datetime | None

    @property
    def rungs(self) -> dict[int, float]:
        """Rung in percent -> loss that pruners compare."""
        return {s.percent: s.rung_loss for s in self.segments if s.percent is not None}

    @property
    def train_seconds(self) -> float:
        """Wall time of all stored segments; of a guest's trial from its start to its end."""
        return sum(s.seconds for s in self.segments) if self.lasted is None else self.lasted

    @property
    def retries(self) -> int | None:
        """Number of the failed trial whose configuration it trains again; None for one of its own."""
        return self.labels.get("retries")

    @property
    def is_scored(self) -> bool:
        """Whether the trial has a finite final value."""
        return self.dev_loss is not None and math.isfinite(self.dev_loss)

    @property
    def is_finished(self) -> bool:
        """Whether the trial will not change any more."""
        return self.state not in ("running", "waiting")

    def cost(self, name: str) -> float:
        """Return the trial's value of a cost, one of ``costs_of``."""
        return self.train_seconds if name == TRAIN_SECONDS else self.facts[name]

    def seal(self) -> str:
        """Return a hash of a trial's stored values, except timestamps, 64 hex digits.

        SQLite detects damage to its own structure, not to a value. A seal stored beside the values does.
        For an unfinished trial it ignores the state, engine and device, which may change.
        """
        if not self.is_finished and (self.state, self.engine, self.device) != ("running", "", ""):
            return dataclasses.replace(self, state="running", engine="", device="").seal()
        segments = [segment.plain for segment in self.segments]
        known = [self.number, self.state, self.params, self.seed, self.dev_loss, self.reason, self.facts]
        known += [self.labels, self.found, self.engine, self.device, segments]
        known += [] if self.code_changed is None else [{CODE_CHANGED: self.code_changed}]
        known += [self.figures] if self.figures else []
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


@dataclasses.dataclass(frozen=True, kw_only=True)  # without slots: the space is cached
class StudyRecord:
    """One study with all its trials."""

    name: str
    goal: str
    identity: Identity
    """As stored; read through the properties below. See ``StudySpec.identity``."""
    data: dict[str, Toml]
    """The ``[data]`` section."""
    data_facts: str
    """Description of the data."""
    total_trials: int
    keep: int
    logged: tuple[float | None, ...]
    """Value of each listed configuration in an earlier log of the same data; else empty."""
    environment: dict[str, str]
    """Versions and machine of the last run."""
    trials: tuple[TrialRecord, ...]
    plans: tuple[dict[str, Json], ...] = ()
    """Every plan of a confirmation, the latest last, as plain values."""
    resources: Resources = dataclasses.field(default_factory=Resources)
    """Resources of a segment in the last run."""
    notes: dict[str, dict[str, Json]] = dataclasses.field(default_factory=dict)
    """Findings about the study, as plain values by key; read through ``note``."""
    surroundings: dict[str, Toml] = dataclasses.field(default_factory=dict)
    """Settings of how its program last ran; empty for an installed trainer."""
    is_guest: bool = False
    """Whether Optuna made it without sweep: it has no known trainer, seeds or data."""
    code: tuple[dict[str, Json], ...] = ()
    """Every accepted version of its program, oldest first, as ``Code.to_dict`` plus ``why`` it changed."""

    @property
    def fingerprint(self) -> str:
        """Hash of the identity, 64 hex digits."""
        return fingerprint(self.identity)

    @functools.cached_property
    def space(self) -> Space:
        """The searched hyperparameters."""
        return space_of_identity(self.identity)

    @property
    def fixed(self) -> Params:
        """The values of hyperparameters that are not searched or not active; see ``StudySpec.fixed``."""
        return self.identity["fixed"]

    @property
    def listed(self) -> list[dict[str, Value]]:
        """Configurations listed in the study file, which ran first."""
        return self.identity["trial"]

    @property
    def origin(self) -> Mapping[str, Toml]:
        """Source ``study`` and ``trials`` of the first listed configurations; empty if there is none."""
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
        """Description of the split into train, dev and test."""
        return str(self.identity.get("split", ""))

    @property
    def trainer_version(self) -> int:
        """Version of the trainer's reference numbers."""
        return self.identity["trainer_version"]

    @property
    def trainer(self) -> str:
        """Name of the trainer; the identity omits ``DEFAULT_TASK``."""
        return str(self.identity.get("trainer", DEFAULT_TASK))

    @functools.cached_property
    def task(self) -> AnyTask:
        """The trainer; raises ``NotFoundError`` if it is not installed. Imports no user code."""
        if self.is_guest:
            return guest_task(self.program)
        return load_task(self.trainer, self.program, self.surroundings)

    @property
    def program(self) -> Mapping[str, Toml]:
        """The study's definition of its program; of a guest its objectives; empty for other trainers."""
        return self.identity.get("program", {})

    @property
    def objectives(self) -> tuple[str, ...]:
        """The objectives: the metric, then at most one of ``costs_of``."""
        return objectives_of(self.identity)

    @property
    def direction(self) -> str:
        """Direction of the metric; does not need the trainer."""
        return direction_of(self.identity)

    @property
    def metric(self) -> Metric:
        """The metric that ranks trials; raises ``NotFoundError`` if the trainer is not installed."""
        return self.task.metric

    def as_loss(self, value: float) -> float:
        """Return a value of the metric, or a difference of two, as a loss: lower is better."""
        return as_loss(self.direction, value)

    @property
    def cost(self) -> str | None:
        """Name of the second objective; None if there is none. Only a guest has more."""
        return self.objectives[1] if len(self.objectives) > 1 else None

    @property
    def directions(self) -> dict[str, str]:
        """Objective -> its direction; does not need the trainer, whose costs are always minimised."""
        if self.is_guest:
            return dict(self.program)
        return {self.objectives[0]: self.direction, **dict.fromkeys(self.objectives[1:], MINIMIZE)}

    @property
    def trials_in_all(self) -> int:
        """Number of trials when the study is finished; it may have more than were asked for later."""
        return max(self.total_trials + sum(t.retries is not None for t in self.trials), len(self.trials))

    @property
    def searched(self) -> tuple[str, ...]:
        """Names of the searched hyperparameters, in the study file's order."""
        return tuple(self.space)

    @property
    def found(self) -> tuple[str, ...]:
        """Names of the hyperparameters that the trainer finds for each configuration."""
        return tuple(name for name, value in self.fixed.items() if value == AUTO)

    def note(self, kind: type[NoteT]) -> NoteT | None:
        """Return the note of a kind; None if none is stored."""
        return kind.from_dict(self.notes[kind.key]) if kind.key in self.notes else None

    def config_values(self, trial: TrialRecord) -> dict[str, Value]:
        """Return every hyperparameter of a trial, its seed included; a guest's seeds are unknown."""
        seed = {} if self.is_guest else {"seed": trial.seed}
        return {**self.fixed, **trial.params, **trial.found, **seed}

    def complete_trials(self) -> list[TrialRecord]:
        """Return the trials with a final value, best first."""
        complete = [(self.as_loss(t.dev_loss), t.number, t) for t in self.trials if t.dev_loss is not None]
        return [trial for _, _, trial in sorted(complete, key=lambda entry: entry[:2])]
