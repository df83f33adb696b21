"""List the trackers, and open the one that a user names."""

import importlib.util
from typing import Protocol

from sweep.definition.registries import Registry
from sweep.errors import LibraryError, NotFoundError
from sweep.tracking.tracked_run import TrackedRun


class Tracker(Protocol):
    """Keeps the runs of one study in an experiment tracker."""

    where: str
    """Names the place of the runs in messages, without a password."""

    def __init__(self, study: str) -> None:
        """Open the study's experiment or group, creating it if there is none."""

    def logged(self) -> set[str]:
        """Return the keys of the runs that are completely logged."""

    def log(self, run: TrackedRun) -> None:
        """Log a run that is not logged yet."""


TRACKERS = Registry(
    {
        "mlflow": "sweep.tracking.mlflow_tracker:MlflowTracker",
        "wandb": "sweep.tracking.wandb_tracker:WandbTracker",
    }
)
"""Name, which is that of the library too -> kind of ``Tracker``."""


def check_tracker(name: str) -> None:
    """Refuse an unknown tracker, or one whose library is not installed; imports nothing.

    Raises:
        NotFoundError: If there is no such tracker.
        LibraryError: If its library is missing.
    """
    if name not in TRACKERS:
        raise NotFoundError(f"no tracker {name!r}; known: {', '.join(TRACKERS)}", key="no-tracker")
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:  # a folder of that name, which wandb makes, is no library
        raise LibraryError(f"tracker {name} needs its library: pip install 'honest-sweep[{name}]'")
