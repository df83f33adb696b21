"""Studies of the toy, run in real worker processes and watched."""

from pathlib import Path
from typing import Any

from sweep.definition.spec import StudySpec
from sweep.definition.study_file import parse_study
from sweep.execution.driver import RunSummary
from sweep.execution.events import Event, SegmentStored
from sweep.execution.how import How
from sweep.execution.run import run_study
from sweep.storage.database import Database
from tests.support.toy_task import TOY, CoreTask


def toy_study(task: CoreTask = TOY, **changes: Any) -> StudySpec:
    """Return a checked study of the toy; any setting or section may be given."""
    raw = {"name": "toy", "sampler": "random", "trials": 6, "fixed": {}}
    if "trial" not in changes:
        raw["search"] = {"x": {"low": 0.0, "high": 1.0}, "y": {"low": 1, "high": 9}}
    return parse_study({**raw, **changes}, task)


def database_in(folder: Path) -> Database:
    return Database(f"sqlite:///{folder}/toy.db")


class Watcher:
    """Keeps the events of a run, and stops it after a number of stored segments."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.events: list[Event] = []
        self._stop_after = stop_after

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def should_stop(self) -> bool:
        return self._stop_after is not None and len(self.of(SegmentStored)) >= self._stop_after


def run_toy(
    folder: Path,
    spec: StudySpec,
    watcher: Watcher | None = None,
    task: CoreTask = TOY,
    *,
    workers: int = 1,
    pool: str = "local",
) -> RunSummary:
    """Run a study of the toy in real worker processes."""
    watcher = watcher or Watcher()
    return run_study(
        task,
        spec,
        database_in(folder),
        how=How(workers=workers, pool=pool, observe=watcher, should_stop=watcher.should_stop),
    )
