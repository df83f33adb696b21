"""Log runs to MLflow with its client. The variable ``MLFLOW_TRACKING_URI`` names the server or database."""

import datetime
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient

from sweep.tracking.tracked_run import TrackedRun

KEY = "sweep.key"
"""Tag that identifies a trial."""

_STATUS = {"diverged": "FAILED", "failed": "FAILED", "timeout": "KILLED"}
"""State of a trial -> status of its run; other trials are finished."""

_UNFINISHED = "RUNNING"

_MOST = {"metrics": 1_000, "params": 100, "tags": 100}
"""Most entries of a kind that MLflow takes in one call."""

_PAGE = 1_000

MAX_NAME, MAX_TEXT = 200, 5_000
"""Most characters of a name and of a text, below MLflow's own limits."""

EntryT = TypeVar("EntryT")
ValueT = TypeVar("ValueT")


class MlflowTracker:
    """One experiment a study, one run a trial; see ``trackers.Tracker``."""

    def __init__(self, study: str) -> None:
        """Open the experiment that has the study's name."""
        self._client = MlflowClient()
        found = self._client.get_experiment_by_name(study)
        self._experiment = found.experiment_id if found else self._client.create_experiment(study)
        self.where = f"experiment {study!r} in {_without_password(mlflow.get_tracking_uri())}"

    def logged(self) -> set[str]:
        """Return the keys of the finished runs; remove those that a killed process left half-logged."""
        keys = set()
        for run in list(self._runs()):
            if run.info.status == _UNFINISHED:
                self._client.delete_run(run.info.run_id)
            else:
                keys.add(run.data.tags[KEY])
        return keys

    def log(self, run: TrackedRun) -> None:
        """Create a run with the trial's times, fill it, and give it its status last."""
        started = _milliseconds(run.started)
        created = self._client.create_run(
            self._experiment, start_time=started, tags={KEY: run.key}, run_name=run.name
        )
        run_id = created.info.run_id
        ended = _milliseconds(run.ended) or started or 0
        for kind, entries in _entries(run, ended).items():
            for batch in _batches(entries, _MOST[kind]):
                self._client.log_batch(run_id, **{kind: batch})
        self._client.set_terminated(run_id, _STATUS.get(run.state, "FINISHED"), end_time=ended or None)

    def _runs(self) -> Iterator[Any]:
        """Yield the experiment's runs that sweep logged."""
        token = None
        while True:
            page = self._client.search_runs([self._experiment], max_results=_PAGE, page_token=token)
            yield from (run for run in page if KEY in run.data.tags)
            token = page.token
            if not token:
                return


def _entries(run: TrackedRun, at: int) -> dict[str, Sequence[Any]]:
    """Return what a run holds, by the argument of ``log_batch``; ``at`` is a time in milliseconds."""
    commit = run.tags.get("sweep.git_commit")
    tags = {**run.tags, **({"mlflow.source.git.commit": commit} if commit else {})}
    return {
        "params": [Param(name, str(value)[:MAX_TEXT]) for name, value in _named(run.params).items()],
        "tags": [RunTag(name, text[:MAX_TEXT]) for name, text in _named(tags).items()],
        "metrics": [
            *(Metric(f"steps/{_name(run.metric)}", value, at, step) for step, value in run.values),
            *(Metric(name, value, at, run.last_step) for name, value in _named(run.numbers).items()),
        ],
    }


def _named(values: Mapping[str, ValueT]) -> dict[str, ValueT]:
    return {_name(name): value for name, value in values.items()}


def _name(name: str) -> str:
    """Return a name as MLflow takes it: some characters, no part of a path that leads up.

    Examples:
        >>> _name("model.lr"), _name("val/acc"), _name("lr (log)"), _name("../x")
        ('model.lr', 'val/acc', 'lr _log_', '_/x')
    """
    parts = (re.sub(r"[^\w\-. :]", "_", part).strip(".") or "_" for part in name.split("/"))
    return "/".join(parts)[:MAX_NAME]


def _milliseconds(time: datetime.datetime | None) -> int | None:
    return None if time is None else int(time.timestamp() * 1_000)


def _batches(entries: Sequence[EntryT], most: int) -> Iterator[list[EntryT]]:
    for first in itertools.count(0, most):
        if first >= len(entries):
            return
        yield list(entries[first : first + most])


def _without_password(uri: str) -> str:
    """Return an address without the user's name and password.

    Examples:
        >>> _without_password("https://me:secret@host:5000/x"), _without_password("sqlite:///mlflow.db")
        ('https://host:5000/x', 'sqlite:///mlflow.db')
    """
    parts = urlsplit(uri)
    return uri.replace(f"{parts.netloc}", parts.netloc.rpartition("@")[2], 1) if "@" in parts.netloc else uri
