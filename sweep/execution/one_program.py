"""Store a program's code with its study, and compare it and the data before each trial.

A study stores every accepted version of its program. Trials of later versions than the first are marked with
the user's reason for the change.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from sweep.code import Code
from sweep.definition.plain import check_kind
from sweep.definition.records import StudyRecord
from sweep.errors import OptionError, StudyConflictError, SweepError
from sweep.execution.gate import Check
from sweep.storage.database.optuna_schema import Storage
from sweep.storage.stored_kinds import damage_refused
from sweep.storage.study_reader import stored_code
from sweep.storage.study_store import store_code
from sweep.task import AnyTask, Data, check_program, program_changes, watched_data
from sweep.values import Json

_MOST_NAMED = 5
"""Number of files that a message names."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One accepted version of a study's program."""

    code: Code
    why: str | None = None
    """The user's reason for the change; None for the first version."""

    def to_dict(self) -> dict[str, Json]:
        """Return the version as stored."""
        return {**self.code.to_dict(), "why": self.why}


def read_versions(study: str, stored: Sequence[Mapping[str, Json]]) -> list[Version]:
    """Read ``StudyRecord.code``; raises ``StorageError`` if it is damaged."""
    with damage_refused(f"the code of study {study!r}"):
        versions = [Version(code=Code.from_dict(each), why=each["why"]) for each in stored]
        check_kind(versions, list[Version], "code")
    return versions


def accepted_version(study: str, versions: Sequence[Version], code: Code, why: str | None) -> Version:
    """Return the version of a program.

    Args:
        study: The study's name.
        versions: The accepted versions, oldest first; empty for a new study.
        code: The program's current code.
        why: The user's reason for a change; None if the program must not have changed.

    Raises:
        StudyConflictError: If the program differs; the message names the files that differ from the latest
            version.
        ConfigError: If ``why`` is blank.
    """
    if why is not None and not why.strip():
        raise OptionError("--code-changed must say why the code was changed")
    for version in versions:
        if version.code.hash == code.hash:
            return version
    if not versions:
        return Version(code=code)
    if why is None:
        raise _changed_error(study, versions[-1].code.changes(code))
    return Version(code=code, why=why.strip())


def changed_files(study: StudyRecord) -> list[str]:
    """Return the files in which a stored study's program differs from every accepted version.

    Raises:
        SweepError: If the program cannot start here.
    """
    code = check_program(study.task, study.data)
    versions = read_versions(study.name, study.code)
    if code is None or not versions or any(version.code.hash == code.hash for version in versions):
        return []
    return versions[-1].code.changes(code)


def accept_code(storage: Storage, study: str, code: Code | None, why: str | None) -> str | None:
    """Compare a program with a study's versions, store a new version, and return the reason for the change.

    Args:
        storage: The study's storage.
        study: The study's name.
        code: The program's current code; None for an installed trainer, whose code is not stored.
        why: As for ``accepted_version``, which lists the errors.
    """
    if code is None:
        return None
    versions = read_versions(study, stored_code(storage, study))
    version = accepted_version(study, versions, code, why)
    if version not in versions:
        store_code(storage, study, [each.to_dict() for each in (*versions, version)])
    return version.why


def same_code(task: AnyTask, study: str) -> Check:
    """Return a check that a trainer's program has not changed since the start of the run."""

    def check() -> SweepError | None:
        changes = program_changes(task)
        return _changed_error(study, changes) if changes else None

    return check


def same_data(data: Data, study: str) -> Check:
    """Return a check that the files of a program's data have not changed since the start of the run."""
    changes = watched_data(data)

    def check() -> SweepError | None:
        names = changes()
        if not names:
            return None
        return StudyConflictError(
            f"the data of study {study!r} have changed: {spoken_files(names)}; no further trial was started; "
            "restore the former version, or run the study under another name with --as NAME",
            key="data-changed",
        )

    return check


def _changed_error(study: str, changes: Sequence[str]) -> StudyConflictError:
    return StudyConflictError(
        f"the program of study {study!r} has changed: {spoken_files(changes)}; no further trial was started; "
        'restore it, or pass --code-changed "WHY" to continue and mark the trials',
        key="code-changed",
    )


def spoken_files(names: Sequence[str]) -> str:
    """Return a list of file names as text, shortened.

    Examples:
        >>> spoken_files(["a.py", "b.py"]), spoken_files(list("abcdefg"))
        ('a.py, b.py', 'a, b, c, d, e and 2 more')
    """
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"
