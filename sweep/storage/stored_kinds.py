"""Check that the stored values of a study have the types that sweep stores.

A value of another type would cause an error later, in a table or a report, with a message that names neither
the study nor a remedy.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypedDict

from sweep.definition.identity import Identity, direction_of, objectives_of
from sweep.definition.plain import check_kind
from sweep.definition.records import CODE_CHANGED, StudyRecord
from sweep.definition.space import space_of_identity
from sweep.errors import ConfigError, MachineError, NotFoundError, StorageError, StudyConflictError
from sweep.metric import DIRECTIONS
from sweep.task import TRAIN_SECONDS, AnyTask, described_facts, load_task
from sweep.values import Json, Toml

LABELS = ("candidate", "phase", "round", "retries")
"""User attributes of a confirmation's trials, and of those that train a failed one again."""

_NOT_FACTS = {
    *("seed", "train_seconds", "engine", "device", "owner", "reason", "found", "segments", CODE_CHANGED),
    *LABELS,
}
"""User attributes of a trial that are not facts."""


class _Versions(TypedDict):
    torch: str


@contextlib.contextmanager
def damage_refused(what: str) -> Iterator[None]:
    """Turn errors that damaged values raise into one line.

    Raises:
        StorageError: If ``what`` is damaged; the message contains the remedy.
    """
    try:
        yield
    except (MachineError, NotFoundError, StudyConflictError):
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        reason = f"{error!r:.200}"
        raise StorageError(f"{what} is stored incompletely ({reason}); restore a copy") from error


def check_names_of_facts(task: AnyTask) -> None:
    """Refuse facts with the names of a trial's other attributes; raises ``ConfigError``."""
    if taken := sorted(_NOT_FACTS & described_facts(task).keys()):
        raise ConfigError(f"trainer {task.name}: a fact cannot be called {', '.join(taken)}")


def check_facts(trainer: str, trials: Iterable[Mapping[str, Json]]) -> None:
    """Refuse a described fact of another type among the user attributes of trials.

    Facts of a trainer that is not installed are not described.
    """
    try:
        described = described_facts(load_task(trainer))
    except NotFoundError:
        return
    for attrs in trials:
        for name in described.keys() & attrs.keys():
            check_kind(attrs[name], int, f"trial.facts.{name}")


def facts_among(attrs: Mapping[str, Json]) -> dict[str, int]:
    """Return the facts among a trial's user attributes: the whole numbers without another meaning."""
    return {key: value for key, value in attrs.items() if key not in _NOT_FACTS and type(value) is int}


def check_identity(identity: Json) -> None:
    """Refuse an identity that describes no study; raises errors that ``damage_refused`` handles."""
    check_kind(identity, Identity, "identity")
    space_of_identity(identity)
    if direction_of(identity) not in DIRECTIONS:
        raise ValueError(f"its direction is {direction_of(identity)!r:.50}")
    if len(objectives_of(identity)) > 2:
        raise ValueError("it has more than two objectives")


def check_record(study: StudyRecord) -> None:
    """Refuse values of other types than ``StudyRecord`` declares; raises like ``check_identity``."""
    check_kind(study, StudyRecord, "study")
    check_kind(study.environment, _Versions, "study.environment")
    _check_data(study)
    if study.cost not in (None, TRAIN_SECONDS):
        for trial in study.trials:
            trial.cost(study.cost)


def _check_data(study: StudyRecord) -> None:
    """Compare the section with the identity, which omits file names, because files may move."""
    data: Mapping[str, Toml] = study.identity["data"]
    if {**study.data, **data} != study.data:
        raise ValueError("its data section was changed after it was stored")
    files = {key: value for key, value in study.data.items() if key not in data}
    check_kind(files, dict[str, str], "study.data")


def entries_of(stored: Json, where: str) -> tuple[Json, ...]:
    """Return the entries of a stored list; refuse a text or a table."""
    check_kind(stored, list[Any], where)
    return tuple(stored)
