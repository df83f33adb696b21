"""Log runs to Weights & Biases in its offline mode: files on this machine, which ``wandb sync`` sends."""

import os
from pathlib import Path

import wandb

from sweep.tracking.tracked_run import TrackedRun

PROJECT = "sweep"
"""Project of the runs, unless ``WANDB_PROJECT`` names another; the group is the study."""

DONE = "logged-by-sweep"
"""Empty file that marks the folder of a completely logged run."""

_FAILED = frozenset({"diverged", "failed", "timeout"})

_SETTINGS = {
    "silent": True,
    "console": "off",
    "disable_git": True,
    "save_code": False,
    "x_disable_meta": True,
    "x_disable_stats": True,
}
"""What a trial is, is in its tags; this process is not the one that trained it."""


class WandbTracker:
    """One group a study, one run a trial; see ``trackers.Tracker``."""

    def __init__(self, study: str) -> None:
        """Find the folder of the offline runs; nothing is created yet."""
        self._folder = Path(wandb.Settings().wandb_dir)
        self._project = os.environ.get("WANDB_PROJECT") or PROJECT
        folder = os.path.relpath(self._folder)
        self.where = f"group {study!r} in {folder}, offline; `wandb sync {folder}/offline-run-*` sends them"

    def logged(self) -> set[str]:
        """Return the keys of the runs whose folders are there and complete."""
        marks = self._folder.glob(f"offline-run-*/{DONE}")
        return {mark.parent.name.rpartition("-")[2] for mark in marks}

    def log(self, run: TrackedRun) -> None:
        """Write a run's folder, and mark it when it is complete."""
        state, device = run.tags["sweep.state"], run.tags.get("sweep.device")
        created = wandb.init(
            project=self._project,
            group=run.study,
            id=run.key,
            name=run.name,
            config={**run.params, "sweep": _plain_tags(run)},
            tags=[state, *([device] if device else [])],
            mode="offline",
            reinit="create_new",
            settings=wandb.Settings(**_SETTINGS),
        )
        folder = Path(created.dir).parent
        for step, value in run.values:
            created.log({f"steps/{run.metric}": value}, step=step)
        created.summary.update(run.numbers)
        created.finish(exit_code=int(run.state in _FAILED))
        (folder / DONE).touch()


def _plain_tags(run: TrackedRun) -> dict[str, str]:
    return {name.removeprefix("sweep."): text for name, text in run.tags.items()}
