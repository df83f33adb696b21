"""Store the figures, notes and files that the Optuna dashboard shows for a study.

Figures and notes are system attributes of the study, in chunks as the dashboard reads them. Files are in the
folder ``STUDY/artifacts`` among the database's files, named by the hash of their content. All attributes are
written in one transaction, after the files: an interruption leaves either the old state or the new one.
"""

import contextlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import sqlalchemy

from sweep.dashboard.shown import Artifact, Showcase
from sweep.errors import NotFoundError, StorageError
from sweep.storage.database import Reader, machine_errors, storage_errors
from sweep.storage.database.optuna_schema import STUDIES, STUDY_HIDDEN, TRIALS, Storage
from sweep.storage.folders import Folder
from sweep.storage.stored_kinds import damage_refused
from sweep.storage.study_names import is_study_name, study_names
from sweep.values import Json

SIGNATURE = "*Written by sweep after each run. Without this line it leaves the note to you.*"
"""Last line of sweep's notes; a note without it belongs to the user and is kept."""

_CHUNK = 2045
"""Characters per attribute, as in the dashboard."""

_FOLDER = "artifacts"
_OURS = "sweep:artifacts"
"""Attribute that lists sweep's artifacts; other artifacts are kept."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def save_showcase(storage: Storage, files: Folder, study_name: str, showcase: Showcase) -> None:
    """Store a study's contents for the dashboard; write nothing if they are stored already.

    Args:
        storage: Database, opened for writing.
        files: Folder of the database's files.
        study_name: An existing study.
        showcase: The contents to store.
    """
    folder = files / study_name / _FOLDER
    wanted = {artifact.artifact_id: artifact for artifact in showcase.artifacts}
    with machine_errors(folder.where):
        present = folder.names()
        missing = {key: a.content for key, a in wanted.items() if key not in present}
        if missing:
            folder.write(missing)
    with _attributes_of(storage, study_name) as attrs:
        for figure_id, figure in showcase.figures.items():
            attrs.replace(_figure_prefix(figure_id), _chunks(figure.to_json() if figure else ""))
        _put_notes(attrs, showcase)
        _put_artifacts(attrs, wanted)
    with machine_errors(folder.where):
        folder.remove([name for name in present if name not in wanted])


def save_figure(storage: Storage, study_name: str, figure_id: str, figure: Any) -> None:
    """Store a plotly figure in a study for the dashboard, replacing an older one with the same id.

    Args:
        storage: Database, opened for writing.
        study_name: An existing study.
        figure_id: ASCII letters, digits and ``-_.``.
        figure: A plotly ``Figure``; keep it small, because the dashboard fetches all figures at every poll.
    """
    with _attributes_of(storage, study_name) as attrs:
        attrs.replace(_figure_prefix(figure_id), _chunks(figure.to_json()))


class ArtifactFiles:
    """Read-only access to the artifacts of all studies, for the dashboard."""

    def __init__(self, storage: Reader, files: Folder) -> None:
        """Take an opened database and the folder of its files."""
        self._storage, self._files = storage, files

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Open an artifact of any study."""
        if _ID.fullmatch(artifact_id):
            for study in filter(is_study_name, study_names(self._storage)):
                with contextlib.suppress(StorageError):  # another study's folder may contain it
                    content = (self._files / study / _FOLDER).read(artifact_id)
                    if content is not None:
                        return io.BytesIO(content)
        from optuna.artifacts.exceptions import ArtifactNotFound

        raise ArtifactNotFound(f"no artifact {artifact_id!r}")

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Refuse to write."""
        raise PermissionError("artifacts are read-only here")

    def remove(self, artifact_id: str) -> None:
        """Refuse to remove."""
        raise PermissionError("artifacts are read-only here")


class _Attributes:
    """System attributes of one study inside a transaction; equal values are not written again."""

    def __init__(self, connection: sqlalchemy.Connection, study_id: int) -> None:
        self._connection, self._study_id = connection, study_id
        query = sqlalchemy.select(STUDY_HIDDEN.c.key, STUDY_HIDDEN.c.value_json).where(
            STUDY_HIDDEN.c.study_id == study_id
        )
        self.values = {key: json.loads(value) for key, value in connection.execute(query)}

    def trial_ids(self) -> dict[int, int]:
        query = sqlalchemy.select(TRIALS.c.number, TRIALS.c.trial_id)
        return dict(self._connection.execute(query.where(TRIALS.c.study_id == self._study_id)).all())

    def replace(self, prefix: str, values: Mapping[str, Json]) -> None:
        """Replace all attributes under a prefix by ``values``."""
        for key in [key for key in self.values if key.startswith(prefix)]:
            if key.removeprefix(prefix) not in values:
                self._delete(key)
        for suffix, value in values.items():
            self.put(f"{prefix}{suffix}", value)

    def put(self, key: str, value: object) -> None:
        if self.values.get(key) != value:
            self._delete(key)
            row = {"study_id": self._study_id, "key": key, "value_json": json.dumps(value)}
            self._connection.execute(STUDY_HIDDEN.insert().values(**row))
            self.values[key] = value

    def _delete(self, key: str) -> None:
        if self.values.pop(key, None) is not None:
            mine = STUDY_HIDDEN.c.study_id == self._study_id
            self._connection.execute(STUDY_HIDDEN.delete().where(mine, STUDY_HIDDEN.c.key == key))


@contextlib.contextmanager
def _attributes_of(storage: Storage, study_name: str) -> Iterator[_Attributes]:
    """Open a study's attributes for one transaction.

    Raises:
        NotFoundError: If there is no such study.
    """
    damage = damage_refused(f"study {study_name!r}")
    with storage_errors(study_name), damage, storage.engine.begin() as connection:
        query = sqlalchemy.select(STUDIES.c.study_id).where(STUDIES.c.study_name == study_name)
        study_id = connection.execute(query).scalar()
        if study_id is None:
            raise NotFoundError(f"no study {study_name!r} in the database")
        yield _Attributes(connection, study_id)


def _put_notes(attrs: _Attributes, showcase: Showcase) -> None:
    ids = attrs.trial_ids()
    _put_note(attrs, "dashboard:", showcase.note)
    for number, note in showcase.trial_notes.items():
        _put_note(attrs, f"dashboard:{ids[number]}:", note)
    for number, trial_id in ids.items():
        if number not in showcase.trial_notes:
            _put_note(attrs, f"dashboard:{trial_id}:", "")


def _put_note(attrs: _Attributes, prefix: str, body: str) -> None:
    """Store a note, or remove sweep's if it is empty; the dashboard needs an increasing version."""
    version = attrs.values.get(f"{prefix}note_ver", 0)
    if not version and not body:
        return  # most trials have no note
    chunks = [key for key in attrs.values if key.startswith(f"{prefix}note_str:")]
    stored = "".join(attrs.values.get(f"{prefix}note_str:{k}", "") for k in range(len(chunks)))
    signed = f"{body}\n\n{SIGNATURE}" if body else ""
    if stored == signed or (stored and not stored.endswith(SIGNATURE)):
        return
    attrs.replace(f"{prefix}note_str:", _chunks(signed))
    attrs.put(f"{prefix}note_ver", version + 1)


def _put_artifacts(attrs: _Attributes, wanted: Mapping[str, Artifact]) -> None:
    for artifact_id in attrs.values.get(_OURS, []):
        if artifact_id not in wanted:
            attrs.replace(f"artifacts:{artifact_id}", {})
    for artifact_id, artifact in wanted.items():
        meta = {
            "artifact_id": artifact_id,
            "filename": artifact.filename,
            "mimetype": artifact.mimetype,
            "encoding": None,
        }
        attrs.put(f"artifacts:{artifact_id}", json.dumps(meta))
    attrs.put(_OURS, sorted(wanted))


def _figure_prefix(figure_id: str) -> str:
    assert re.fullmatch(r"[A-Za-z0-9._-]+", figure_id), "sweep's ids are safe in a page"
    return f"dashboard:plot_data:{figure_id}:"


def _chunks(text: str) -> dict[str, str]:
    return {str(k): text[start : start + _CHUNK] for k, start in enumerate(range(0, len(text), _CHUNK))}
