"""Read the two configurations of an ablation, as ``sweep export`` writes them."""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from sweep.certify.ablation.ablation_plan import Ablation
from sweep.certify.ablation.changes import changed_values, group_changes
from sweep.certify.config_file import load_config
from sweep.certify.provenance import Provenance
from sweep.certify.trust import check_trusted, remember
from sweep.certify.weights import stored_trainings
from sweep.errors import ConfigError
from sweep.storage.database import Database
from sweep.task import AnyTask, Config, definition_of, joined_trainer
from sweep.values import Params

_SHARED = {"trainer": "trainers", "data_sha256": "data", "split": "splits"}
"""What both configurations must have in common -> its name in a message."""


@dataclasses.dataclass(frozen=True)  # without slots: the trainer is cached
class Pair:
    """Two configurations of one trainer and the same data, and the changes between them."""

    configs: tuple[Config, Config]
    origins: tuple[Provenance, Provenance]
    fixed: Params
    """The values that both have."""
    ablation: Ablation

    @functools.cached_property
    def task(self) -> AnyTask:
        """The trainer, with the hyperparameters of both."""
        return _common_task(self.origins)

    @property
    def goal(self) -> str:
        """What the ablation compares, in one line."""
        first, second = (f"{origin.study} trial {origin.trial}" for origin in self.origins)
        return f"What each change from {first} to {second} brings"

    @property
    def name(self) -> str:
        """Name of the study that stores the trainings: another one for other configurations or seeds."""
        known = [self.origins[0].trainer, definition_of(self.task), self.origins[0].data_sha256]
        text = json.dumps([known, dict(self.fixed), self.ablation.to_dict()], sort_keys=True)
        return f"ablate-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def read_pair(
    start: Path | str,
    end: Path | str,
    *,
    seeds: int = 5,
    together: Sequence[Sequence[str]] = (),
    trust: bool = False,
) -> Pair:
    """Read two exported configurations and find the changes between them.

    Args:
        start: File of the first configuration.
        end: File of the second.
        seeds: See ``Ablation.seeds``.
        together: Hyperparameters that change together.
        trust: Whether the user trusts programs that were not run here before.

    Raises:
        ConfigError: If a file cannot be used, both are the same, or they differ in trainer or data.
        NotFoundError: If the trainer is not installed.
        UntrustedError: If they define a program that this user has not run here.
    """
    configs, origins = zip(*map(load_config, (start, end)), strict=True)
    for field, what in _SHARED.items():
        values = [getattr(origin, field) for origin in origins]
        if values[0] != values[1]:
            raise ConfigError(
                f"{start} and {end} have different {what} ({values[0]}, {values[1]}); ablate needs the same"
            )
    for origin in origins:
        check_trusted(origin.study, origin.program, origin.surroundings, trust=trust)
    return _pair(configs, origins, seeds=seeds, together=together)


def _pair(
    configs: tuple[Config, Config],
    origins: tuple[Provenance, Provenance],
    *,
    seeds: int,
    together: Sequence[Sequence[str]],
) -> Pair:
    values = [{name: v for name, v in config.to_dict().items() if name != "seed"} for config in configs]
    before, after = changed_values(*values)
    conditions = {**origins[0].when, **origins[1].when}
    task = _common_task(origins)
    changes = group_changes(task, before, after, conditions=conditions, together=together)
    return Pair(
        configs=configs,
        origins=origins,
        fixed={name: value for name, value in values[0].items() if name not in before},
        ablation=Ablation(before=before, after=after, changes=changes, seeds=seeds),
    )


def _common_task(origins: tuple[Provenance, Provenance]) -> AnyTask:
    """Return the trainer with the hyperparameters of both; its program was trusted in either form."""
    task = joined_trainer(origins[0].task, origins[1].task)
    remember(definition_of(task), origins[1].surroundings)
    return task


def known_seconds(pair: Pair, database: Database) -> float | None:
    """Return the mean seconds of a training of both configurations, if the database stores them."""
    found = [next(_stored_seconds(pair, place, database), None) for place in (0, 1)]
    known = [seconds for seconds in found if seconds is not None]
    return sum(known) / 2 if len(known) == 2 else None


def _stored_seconds(pair: Pair, place: int, database: Database) -> Iterator[float]:
    config, origin = pair.configs[place], pair.origins[place]
    for _, trial in stored_trainings(origin.task, config, origin.dev_loss, origin.study, database):
        yield trial.train_seconds
