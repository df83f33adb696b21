"""Plan an ablation: which change comes next, and what is to be trained for that.

The path leads from the first configuration to the second, one change at a time. Each step takes the change
with the best mean among those that are left (greedy forward selection). The seeds that decide the order are
not those that measure the steps: the best of several means is too good on its own seeds.
"""

import dataclasses
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Self

from sweep.certify.ablation.changes import Change
from sweep.certify.confirm_plan import Job, Losses
from sweep.definition.dimension import Choices, Dimension
from sweep.definition.plain import as_read
from sweep.definition.space import Space
from sweep.errors import ConfigError, OptionError
from sweep.values import Json, Params, Value

MOST_SEEDS = 1_000

Allowed = Callable[[int], bool]
"""Number of a configuration -> whether the trainer accepts it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ablation:
    """Two configurations, and the changes between them.

    A configuration on the way has a number: bit k is set if change k is made. The first one is 0.

    Raises:
        ConfigError: If nothing changes, or one seed, which has no spread, or too many are asked for.
    """

    before: Params
    """The values that differ, of the first configuration."""
    after: Params
    """Those of the second."""
    changes: tuple[Change, ...]
    seeds: int = 5
    """Seeds that decide the order; as many others measure each step."""

    def __post_init__(self) -> None:
        if not self.changes:
            raise ConfigError("the two configurations are the same, so there is nothing to compare")
        if not 2 <= self.seeds <= MOST_SEEDS:
            raise OptionError(f"--seeds must be from 2 to {MOST_SEEDS:,}, got {self.seeds}")

    @property
    def last(self) -> int:
        """Number of the second configuration."""
        return (1 << len(self.changes)) - 1

    def params(self, number: int) -> dict[str, Value]:
        """Return the changed hyperparameters of a configuration; one that is not active is missing."""
        return {name: side[name] for name, side in self._sides(number).items() if name in side}

    def _sides(self, number: int) -> dict[str, Params]:
        """Return name -> the values of the configuration that it is taken from."""
        sides = [self.after if number >> place & 1 else self.before for place in range(len(self.changes))]
        return {name: side for c, side in zip(self.changes, sides, strict=True) for name in c.names}

    def names_between(self, number: int, following: int) -> tuple[str, ...]:
        """Return the hyperparameters that a step from one configuration to another changes."""
        made = number ^ following
        return tuple(n for place, c in enumerate(self.changes) if made >> place & 1 for n in c.names)

    @property
    def space(self) -> Space:
        """The changed hyperparameters, with the values of both configurations."""
        dimensions: dict[str, Dimension] = {}
        conditions: dict[str, Mapping[str, tuple[Value, ...]]] = {}
        for change in self.changes:
            common = next(name for name in change.names if name in self.before and name in self.after)
            for name in change.names:
                sides = [side for side in (self.before, self.after) if name in side]
                dimensions[name] = Choices(tuple(side[name] for side in sides))
                if len(sides) == 1:
                    conditions[name] = {common: (sides[0][common],)}
        return Space(dimensions, conditions)

    @property
    def most_trainings(self) -> tuple[int, int]:
        """Trainings that decide the order, at most, and that measure the steps."""
        count = len(self.changes)
        return self.seeds * (count * (count + 1) // 2 - 1), self.seeds * (count + 1)

    def to_dict(self) -> dict[str, Json]:
        """Return it as plain values for JSON."""
        changes = [{"names": list(change.names), "why": list(change.why)} for change in self.changes]
        return {"from": dict(self.before), "to": dict(self.after), "changes": changes, "seeds": self.seeds}

    @classmethod
    def from_dict(cls, values: Mapping[str, Json]) -> Self:
        """Build it from plain values; raises LookupError, TypeError or ValueError if they are none."""
        return cls(
            before={name: as_read(value) for name, value in values["from"].items()},
            after={name: as_read(value) for name, value in values["to"].items()},
            changes=tuple(
                Change(names=tuple(each["names"]), why=tuple(each["why"])) for each in values["changes"]
            ),
            seeds=values["seeds"],
        )


class Course(NamedTuple):
    """How far an ablation has come."""

    path: tuple[int, ...]
    """Numbers of the configurations on the way, as far as the order is decided."""
    jobs: tuple[Job, ...]
    """What is to be trained next; empty if nothing is left. ``Job.candidate`` numbers a configuration."""


def follow(ablation: Ablation, losses: Losses, allowed: Allowed) -> Course:
    """Return the path as far as finished trainings decide it, and the next trainings.

    A configuration that the trainer refuses is not on the path; if it refuses all that could come next, the
    remaining changes are made together. One without a value on some seed comes after those with values.
    """
    path = [0]
    while path[-1] != ablation.last:
        following = [number for number in _next_numbers(ablation, path[-1]) if allowed(number)]
        following = following or [ablation.last]
        jobs = _rounds(ablation, following, "choice") if len(following) > 1 else []
        if missing := _missing(jobs, losses):
            return Course(tuple(path), missing)
        path.append(min(following, key=lambda n: (_mean_loss(ablation, losses, n), n)))
    return Course(tuple(path), _missing(_rounds(ablation, path, "certify"), losses))


def round_losses(ablation: Ablation, losses: Losses, number: int, phase: str) -> list[float | None]:
    """Return the losses of a configuration in the finished rounds of a phase, in order."""
    jobs = [Job(number, phase, r) for r in range(ablation.seeds)]
    return [losses[job] for job in jobs if job in losses]


def _next_numbers(ablation: Ablation, number: int) -> list[int]:
    return [n for place in range(len(ablation.changes)) if (n := number | 1 << place) != number]


def _mean_loss(ablation: Ablation, losses: Losses, number: int) -> float:
    found = round_losses(ablation, losses, number, "choice")
    return statistics.fmean(math.inf if loss is None else loss for loss in found) if found else math.inf


def _rounds(ablation: Ablation, numbers: Sequence[int], phase: str) -> list[Job]:
    return [Job(number, phase, r) for r in range(ablation.seeds) for number in numbers]


def _missing(jobs: Sequence[Job], losses: Losses) -> tuple[Job, ...]:
    return tuple(job for job in jobs if job not in losses)
