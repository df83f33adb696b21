"""Lock a study with its confirmation, before its files are copied, moved or removed."""

import contextlib
from collections.abc import Iterator

from sweep.storage.database import Database
from sweep.storage.study_names import confirmation_name


@contextlib.contextmanager
def whole_study_lock(database: Database, name: str) -> Iterator[None]:
    """Lock a study and its confirmation, whose files lie inside the study's, so that no driver runs either.

    Raises:
        StudyConflictError: If a driver runs one of them; the message names its host and process.
    """
    with database.driver_lock(name), database.driver_lock(confirmation_name(name)):
        yield
