"""Represent a checked study, and compute its identity."""

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from typing import Any, Self

from sweep.definition.grid import grid_size
from sweep.definition.registries import SAMPLERS
from sweep.definition.resources import Resources
from sweep.definition.sections.mistakes import refuse_all
from sweep.definition.seeds import part_seed
from sweep.definition.space import Space
from sweep.metric import MAXIMIZE, MINIMIZE, as_loss
from sweep.task import (
    AUTO,
    DEFAULT_TASK,
    AnyTask,
    changed_fields,
    data_files,
    identifying_values,
    load_task,
    seed_bound,
    split_rule,
)
from sweep.values import Json, Params, Toml, Value

DEFAULT_SAMPLER = "gp_cost"
"""The sampler that reached a good configuration fastest in the comparison of docs/search.md."""

DEFAULT_TRIALS = 60
"""Total number of trials if neither the study nor its sampler sets one."""


@dataclasses.dataclass(frozen=True, kw_only=True)  # without slots: the trainer is cached
class StudySpec:
    """A checked study.

    Raises:
        StudyFileError: If fields conflict.
    """

    name: str
    goal: str = ""
    trainer: str = DEFAULT_TASK
    """Name of the trainer for ``load_task``; one of ``PROGRAMS`` if the study defines a program."""
    program: Mapping[str, Toml] = dataclasses.field(default_factory=dict)
    """The study's definition of its program; see ``task.Defined.definition``."""
    surroundings: Mapping[str, Toml] = dataclasses.field(default_factory=dict)
    """Settings of how the program runs; see ``task.Defined.surroundings``."""
    sampler: str = DEFAULT_SAMPLER
    """One of ``SAMPLERS``."""
    pruner: str = "none"
    """One of ``PRUNERS``."""
    objectives: tuple[str, ...]
    """The objectives: the metric's name, then at most one of ``costs_of``, which is minimised."""
    direction: str = MINIMIZE
    """Direction of the metric."""
    trials: int | None = None
    """Total in all runs, whatever their outcome; None for the sampler's total, or 60 if it has none."""
    replicates: int = 1
    """Number of seeds for each configuration, one trial each."""
    keep: int = 20
    """Number of best trials whose final weights and full loss curves are kept."""
    timeout: float | None = None
    """Time limit of one run, seconds; None for no limit."""
    trial_timeout: float | None = None
    """Limit of a trial's training time, seconds; None for no limit."""
    resources: Resources = dataclasses.field(default_factory=Resources)
    """Resources that a segment occupies on a cluster's machine."""
    seed: int = 0
    data: dict[str, Toml]
    """The ``[data]`` section, with defaults filled in."""
    fixed: dict[str, Value]
    """Values of the hyperparameters that are not searched or not active, with defaults filled in;
    ``AUTO`` for those that the trainer finds for each configuration."""
    space: Space
    """The searched hyperparameters."""
    listed: tuple[dict[str, Value], ...] = ()
    """Listed configurations, with a value for each active hyperparameter; they run first."""
    retried: Mapping[int, dict[str, Value]] = dataclasses.field(default_factory=dict)
    """Number of a failed trial -> its configuration, trained again after all ``total_trials``."""
    origin: Mapping[str, Toml] = dataclasses.field(default_factory=dict)
    """Source ``study`` and ``trials`` of the first listed configurations, if they come from a study."""
    logged: tuple[float | None, ...] = ()
    """Value of each listed configuration in an earlier log, in the metric's unit."""
    logged_data_sha256: str = ""
    """Hash of the data that the log refers to; empty if there is no log."""

    def __post_init__(self) -> None:
        assert self.sampler in SAMPLERS, "the study file was checked"
        refuse_all(self._conflicts())

    def _conflicts(self) -> Iterator[str]:
        """Yield a message for each conflict between fields."""
        if self.sampler == "gp" and self.pruner != "none":
            yield (
                "sampler gp learns from complete trials only, so it needs pruner none; "
                f"got pruner {self.pruner!r}"
            )
        if self.cost is not None and self.pruner != "none":
            yield (
                f"pruner {self.pruner} compares {self.objectives[0]} only and would stop the models with "
                f"little {self.cost}; with two objectives use pruner none"
            )
        end = self._end()
        if self.sampler == "listed" and not self.listed:
            yield "sampler listed needs [[trial]] configurations"
        elif end is not None and self.trials is not None and self.trials > end:
            yield f"sampler {self.sampler} ends after {end} trials, but trials = {self.trials}"

    @functools.cached_property
    def task(self) -> AnyTask:
        """The trainer; raises ``NotFoundError`` if it is not installed."""
        return load_task(self.trainer, self.program, self.surroundings)

    @property
    def cost(self) -> str | None:
        """Name of the second objective, which is minimised; None if there is none."""
        return self.objectives[1] if len(self.objectives) > 1 else None

    @property
    def program_keeper(self) -> str:
        """Name of the study that stores the code of the trainer's program."""
        return self.name

    def as_loss(self, value: float) -> float:
        """Return a value of the metric as a loss: lower is better."""
        return as_loss(self.direction, value)

    @property
    def total_trials(self) -> int:
        """Number of trials after which the study is finished."""
        return self.trials or self._end() or max(DEFAULT_TRIALS, self.replicates)

    def _end(self) -> int | None:
        """Return the sampler's own total of trials; None if it has none."""
        if self.sampler == "listed":
            return len(self.listed) * self.replicates
        return grid_size(self.space) * self.replicates if self.sampler == "grid" else None

    @property
    def auto(self) -> tuple[str, ...]:
        """Names of the hyperparameters that the trainer finds for each configuration."""
        return tuple(name for name, value in self.fixed.items() if value == AUTO)

    def config_values(self, params: Params) -> dict[str, Value]:
        """Return all known hyperparameters of a configuration, without its seed."""
        known = {name: value for name, value in self.fixed.items() if value != AUTO}
        return {**known, **params}

    def changed_fields(self, task: AnyTask) -> set[str]:
        """Return the names of the hyperparameters that may differ from their defaults."""
        return {*changed_fields(task, self.config_values({})), *self.space, *self.auto}

    def trial_seed(self, number: int) -> int:
        """Return the seed of a trial, different for each, in the first third of the trainer's seeds."""
        return part_seed(seed_bound(self.task), "search", self.seed, "trial", number)

    def trial_found(self, number: int) -> Params:
        """Return hyperparameters that the trainer found earlier for a trial's configuration."""
        return {}

    @property
    def cuts(self) -> Mapping[int, int]:
        """Seed -> number of the cut of train and dev, for trainings that do not have the data as loaded."""
        return {}

    def trial_labels(self, number: int) -> dict[str, Json]:
        """Return further labels to store with a trial."""
        return {}

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, checked again."""
        return dataclasses.replace(self, **changes)

    def identity(self, task: AnyTask, data_sha256: str) -> dict[str, Json]:
        """Return the plain values that must be equal for two runs to belong to one study.

        Paths of data files are excluded: files may move, and the hash of their content is included.
        """
        files = data_files(task, self.data)
        return {
            "sampler": self.sampler,
            "pruner": self.pruner,
            "seed": self.seed,
            "replicates": self.replicates,
            "objective": list(self.objectives) if self.cost else self.objectives[0],
            "data_sha256": data_sha256,
            "data": {key: value for key, value in self.data.items() if key not in files},
            "split": split_rule(task),
            "trainer_version": task.version,
            "fixed": identifying_values(task, self.fixed),
            "search": {name: dimension.to_json() for name, dimension in self.space.items()},
            "trial": list(self.listed),
            **({"direction": self.direction} if self.direction == MAXIMIZE else {}),
            **self._conditions(),
            **({"trainer": self.trainer} if self.trainer != DEFAULT_TASK else {}),
            **({"program": dict(self.program)} if self.program else {}),
            **({"from": dict(self.origin)} if self.origin else {}),
        }

    def _conditions(self) -> dict[str, Json]:
        """Return the conditions, if any; without conditions the identity has no key for them."""
        conditions = {
            name: {other: list(values) for other, values in needed.items()}
            for name, needed in self.space.conditions.items()
        }
        return {"when": conditions} if conditions else {}
