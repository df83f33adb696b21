"""Check that what a database holds of a study is of the kinds that sweep stores.

A value of another kind would fail later, in the middle of a table or a report, with a text that names neither
the study nor a way out. ``study_store`` and ``confirm`` read; here is what they accept.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

from sweep.definition.identity import Identity, direction_of, objectives_of
from sweep.definition.plain import check_kind
from sweep.definition.records import COSTS, StudyRecord
from sweep.definition.space import space_of_identity
from sweep.errors import MachineError, NotFoundError, StorageError, StudyConflictError
from sweep.metric import DIRECTIONS


class _Words(TypedDict):
    words: str


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


def check_identity(identity: Any) -> None:
    """Refuse an identity that describes no study; raises what ``damage_refused`` turns into one line."""
    check_kind(identity, Identity, "identity")
    space_of_identity(identity)
    if direction_of(identity) not in DIRECTIONS:
        raise ValueError(f"its direction is {direction_of(identity)!r:.50}")
    for cost in objectives_of(identity)[1:]:
        COSTS[cost]


def check_record(study: StudyRecord) -> None:
    """Refuse values of other kinds than ``StudyRecord`` names; raises the same as ``check_identity``."""
    check_kind(study, StudyRecord, "study")
    if "words" in study.data:
        check_kind(study.data, _Words, "study.data")
    check_kind(study.environment, _Versions, "study.environment")
    data: Mapping[str, Any] = study.identity["data"]
    if {**data, **{k: v for k, v in study.data.items() if k == "words"}} != study.data:
        raise ValueError("its data section is not what was stored")


def entries_of(stored: Any, where: str) -> tuple[Any, ...]:
    """Return the entries of a stored list; a text or a table, which have entries too, is refused."""
    check_kind(stored, list[Any], where)
    return tuple(stored)
