"""Log a study to a tracker while it runs, or afterwards; a tracker that fails costs a run one warning."""

import contextlib
from collections.abc import Callable, Iterator

from sweep.errors import MachineError
from sweep.execution.events import Event, Observer, RunStarted, TrialEnded
from sweep.storage.database import Database
from sweep.tracking.process import TrackingProcess
from sweep.tracking.trackers import check_tracker
from sweep.values import Json

PATIENCE_S = 120.0
"""Seconds that a finished run waits for its tracker."""

SILENT_S = 2.0
"""Seconds that it waits without a line."""

Say = Callable[[str], None]


def log_now(tracker: str, study: str, database: Database) -> str:
    """Log the trials of a stored study that are not logged yet; return a line on them.

    Raises:
        NotFoundError: If there is no such tracker.
        LibraryError: If its library is missing.
        MachineError: If the tracker fails.
    """
    check_tracker(tracker)
    outcome = TrackingProcess(tracker, study, database).outcome(None)
    if "error" in outcome:
        raise MachineError(f"{tracker} does not have all trials: {outcome['error']}")
    return _describe(tracker, outcome)


@contextlib.contextmanager
def following(
    tracker: str | None, study: str, database: Database, *, say: Say, warn: Say
) -> Iterator[Observer]:
    """Log a run's trials while it runs, and those of earlier runs; None logs nothing.

    Args:
        tracker: One of ``TRACKERS``.
        study: Name of the study, which may not be stored yet.
        database: Where it is stored.
        say: Called with a line on what was logged.
        warn: Called with a line if the tracker fails.

    Yields:
        The observer of the run.

    Raises:
        NotFoundError: If there is no such tracker.
        LibraryError: If its library is missing.
    """
    if tracker is None:
        yield _ignore
        return
    check_tracker(tracker)
    follower = Follower(tracker, study, database, say=say, warn=warn)
    try:
        yield follower
    finally:
        follower.finish()


class Follower:
    """Passes on that a trial has ended. Watching a run, it never waits and never fails."""

    def __init__(self, tracker: str, study: str, database: Database, *, say: Say, warn: Say) -> None:
        """Start the process; the arguments are those of ``following``."""
        self._tracker, self._study, self._say, self._warn = tracker, study, say, warn
        self._process: TrackingProcess | None = None
        try:
            self._process = TrackingProcess(tracker, study, database)
        except MachineError as error:
            self._fail(str(error))

    def __call__(self, event: Event) -> None:
        """Pass on that there may be something to log, and notice that the process has ended."""
        if self._process is None or not isinstance(event, RunStarted | TrialEnded):
            return
        self._process.hint()
        if self._process.has_ended:
            self.finish()

    def finish(self) -> None:
        """Wait until all is logged, ``PATIENCE_S`` at most, and print what came out."""
        process, self._process = self._process, None
        if process is None:
            return
        if not process.ends_within(SILENT_S):
            self._say(f"waiting for {self._tracker}, {PATIENCE_S:g} s at most")
        outcome = process.outcome(PATIENCE_S)
        if "error" in outcome:
            self._fail(outcome["error"])
        else:
            self._say(_describe(self._tracker, outcome))

    def _fail(self, why: str) -> None:
        self._warn(
            f"{self._tracker} does not have all trials: {why}; "
            f"`sweep track {self._study} --to {self._tracker}` logs the rest"
        )


def _describe(tracker: str, outcome: dict[str, Json]) -> str:
    added, where = outcome["added"], outcome["where"]
    if not where:
        return f"{tracker}: no trial has ended yet"
    return f"{tracker}: {added:,} new {'run' if added == 1 else 'runs'} in {where}"


def _ignore(event: Event) -> None:
    """Log nothing."""
