"""Check that what a database holds of a study is of the kinds that sweep stores.

A value of another kind would fail later, in the middle of a table or a report, with a text that names neither
the study nor a way out. ``study_store`` and ``confirm`` read; here is what they accept.
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

LABELS = ("candidate", "phase", "round")
"""User attributes of a confirmation's trials."""

_NOT_FACTS = {
    *("seed", "train_seconds", "engine", "device", "owner", "reason", "found", "segments", CODE_CHANGED),
    *LABELS,
}
"""User attributes of a trial that are not among its facts."""


class _Versions(TypedDict):
    torch: str


@contextlib.contextmanager
def damage_refused(what: str) -> Iterator[None]:
    """Turn what is raised by stored values that nobody wrote into one line.

    Raises:
        StorageError: With ``what`` is damaged, and the way out.
    """
    try:
        yield
    except (MachineError, NotFoundError, StudyConflictError):
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        reason = f"{error!r:.200}"
        raise StorageError(f"{what} is stored incompletely ({reason}); restore a copy") from error


def check_names_of_facts(task: AnyTask) -> None:
    """Refuse facts that could not be told from what else is stored of a trial; raises ``ConfigError``."""
    if taken := sorted(_NOT_FACTS & described_facts(task).keys()):
        raise ConfigError(f"trainer {task.name}: a fact cannot be called {', '.join(taken)}")


def check_facts(trainer: str, trials: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a described fact of another kind among the user attributes of trials.

    Facts of a trainer that is not installed are not described.
    """
    try:
        described = described_facts(load_task(trainer))
    except NotFoundError:
        return
    for attrs in trials:
        for name in described.keys() & attrs.keys():
            check_kind(attrs[name], int, f"trial.facts.{name}")


def facts_among(attrs: Mapping[str, Any]) -> dict[str, int]:
    """Return the facts among a trial's user attributes: the whole numbers that have no other meaning."""
    return {key: value for key, value in attrs.items() if key not in _NOT_FACTS and type(value) is int}


def check_identity(identity: Any) -> None:
    """Refuse an identity that describes no study; raises what ``damage_refused`` turns into one line."""
    check_kind(identity, Identity, "identity")
    space_of_identity(identity)
    if direction_of(identity) not in DIRECTIONS:
        raise ValueError(f"its direction is {direction_of(identity)!r:.50}")
    if len(objectives_of(identity)) > 2:
        raise ValueError("it has more than two objectives")


def check_record(study: StudyRecord) -> None:
    """Refuse values of other kinds than ``StudyRecord`` names; raises the same as ``check_identity``."""
    check_kind(study, StudyRecord, "study")
    check_kind(study.environment, _Versions, "study.environment")
    _check_data(study)
    if study.cost not in (None, TRAIN_SECONDS):
        for trial in study.trials:
            trial.cost(study.cost)


def _check_data(study: StudyRecord) -> None:
    """Compare the section with the identity, which leaves out the names of files: they may move."""
    data: Mapping[str, Any] = study.identity["data"]
    if {**study.data, **data} != study.data:
        raise ValueError("its data section is not what was stored")
    files = {key: value for key, value in study.data.items() if key not in data}
    check_kind(files, dict[str, str], "study.data")


def entries_of(stored: Any, where: str) -> tuple[Any, ...]:
    """Return the entries of a stored list; a text or a table, which have entries too, is refused."""
    check_kind(stored, list[Any], where)
    return tuple(stored)
