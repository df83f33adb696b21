"""A study after its file has been checked; ``identity`` describes what runs of one study have in common."""

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

DEFAULT_SAMPLER = "gp_cost"
"""The quickest to a good configuration in the comparison of docs/search.md."""

DEFAULT_TRIALS = 60
"""Total of trials where a study names none and its sampler has no end of its own."""


@dataclasses.dataclass(frozen=True, kw_only=True)  # without slots: the trainer is made once
class StudySpec:
    """A checked study.

    Raises:
        StudyFileError: If fields do not go together.
    """

    name: str
    goal: str = ""
    trainer: str = DEFAULT_TASK
    """Name of what trains, as ``load_task`` finds it; one of ``PROGRAMS`` if the study defines it."""
    program: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What the study says of such a program; see ``task.Defined.definition``."""
    surroundings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Where and how it runs; see ``task.Defined.surroundings``."""
    sampler: str = DEFAULT_SAMPLER
    """One of ``SAMPLERS``."""
    pruner: str = "none"
    """One of ``PRUNERS``."""
    objectives: tuple[str, ...]
    """What is optimised: the metric's name, and after it at most one of ``costs_of``, which is minimised."""
    direction: str = MINIMIZE
    """Direction of the metric."""
    trials: int | None = None
    """Total across all runs, whatever their outcome; None is the sampler's end, else 60."""
    replicates: int = 1
    """Seeds that each configuration is trained on, one trial each."""
    keep: int = 20
    """Trials, best first, whose final weights and full loss curves are kept."""
    timeout: float | None = None
    """Seconds after which one run stops; None is never."""
    trial_timeout: float | None = None
    """Seconds of training after which a trial is given up; None is never."""
    resources: Resources = dataclasses.field(default_factory=Resources)
    """What a segment occupies on a cluster's machine."""
    seed: int = 0
    data: dict[str, Any]
    """The ``[data]`` section, defaults filled in."""
    fixed: dict[str, Any]
    """What every hyperparameter is where it is not searched, or not active; defaults filled in.
    ``AUTO`` where it is found for each configuration."""
    space: Space
    """Every hyperparameter that is searched."""
    listed: tuple[dict[str, Any], ...] = ()
    """Known configurations, a value for each active hyperparameter; they run first."""
    origin: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Where the first of the known configurations come from, ``study`` and ``trials``, if from a study."""
    logged: tuple[float | None, ...] = ()
    """Value that an earlier log gives for each listed configuration, in the metric's unit."""
    logged_data_sha256: str = ""
    """Hash of the data that the log was made on; empty where there is no log."""

    def __post_init__(self) -> None:
        assert self.sampler in SAMPLERS, "the study file was checked"
        refuse_all(self._conflicts())

    def _conflicts(self) -> Iterator[str]:
        """Yield what does not go together."""
        if self.sampler == "gp" and self.pruner != "none":
            yield (
                "sampler gp learns from complete trials only, so it goes with pruner none; "
                f"got pruner {self.pruner!r}"
            )
        if self.cost is not None and self.sampler == "gp_cost":
            does = "maximises" if self.direction == MAXIMIZE else "minimises"
            yield f"sampler gp_cost {does} {self.objectives[0]} alone; two objectives go with tpe or gp"
        if self.cost is not None and self.pruner != "none":
            yield (
                f"pruner {self.pruner} goes by {self.objectives[0]} alone and would give up the models with "
                f"little {self.cost}; two objectives go with pruner none"
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
        """What is minimised beside the metric; None where that is all."""
        return self.objectives[1] if len(self.objectives) > 1 else None

    @property
    def program_keeper(self) -> str:
        """Name of the study that the code of the trainer's program is stored with."""
        return self.name

    def as_loss(self, value: float) -> float:
        """Return a value of the metric as it is compared: lower is better."""
        return as_loss(self.direction, value)

    @property
    def total_trials(self) -> int:
        """How many trials make the study finished."""
        return self.trials or self._end() or max(DEFAULT_TRIALS, self.replicates)

    def _end(self) -> int | None:
        """Return after how many trials the sampler has nothing more to propose."""
        if self.sampler == "listed":
            return len(self.listed) * self.replicates
        return grid_size(self.space) * self.replicates if self.sampler == "grid" else None

    @property
    def auto(self) -> tuple[str, ...]:
        """Names of the hyperparameters that are found for each configuration."""
        return tuple(name for name, value in self.fixed.items() if value == AUTO)

    def config_values(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return every hyperparameter of a configuration but its seed and what is still to be found."""
        known = {name: value for name, value in self.fixed.items() if value != AUTO}
        return {**known, **params}

    def changed_fields(self, task: AnyTask) -> set[str]:
        """Return the names of the hyperparameters that may differ from their defaults."""
        return {*changed_fields(task, self.config_values({})), *self.space, *self.auto}

    def trial_seed(self, number: int) -> int:
        """Return the seed of a trial: another one for each, in the first third of the trainer's seeds."""
        return part_seed(seed_bound(self.task), "search", self.seed, "trial", number)

    def trial_found(self, number: int) -> Mapping[str, Any]:
        """Return what was found earlier for a trial's configuration, and need not be found again."""
        return {}

    def trial_labels(self, number: int) -> dict[str, Any]:
        """Return what else is stored with a trial."""
        return {}

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, checked again."""
        return dataclasses.replace(self, **changes)

    def identity(self, task: AnyTask, data_sha256: str) -> dict[str, Any]:
        """Return what must be equal for two runs to belong to one study, as plain values.

        Names of data files are left out: the files may move, and the hash of their content counts.
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

    def _conditions(self) -> dict[str, Any]:
        """Return the conditions where there are any; studies without keep the identity they had."""
        conditions = {
            name: {other: list(values) for other, values in needed.items()}
            for name, needed in self.space.conditions.items()
        }
        return {"when": conditions} if conditions else {}
