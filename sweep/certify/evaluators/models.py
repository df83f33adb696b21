"""An exported configuration with its seed, trained: what a final test evaluates."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sweep.certify.provenance import Provenance
from sweep.certify.replay import Comparison, choose_place, train_again
from sweep.errors import TestSplitError
from sweep.storage.database import Database
from sweep.task import AnyTask, Config, spoken_length


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One configuration with its seed, and its value as it was exported and as it is now."""

    config: Config
    dev: Comparison
    folder: Path | None = None
    """Where a trainer that leaves files of its own left them; None for any other."""
    is_kept: bool = False
    """Whether it was not evaluated again, since all that is kept is what its training left."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where exported models come from, and where they are trained again."""

    provenance: Provenance
    data: Any
    database: Database
    """It may hold the models."""
    device: str
    """``auto`` or a device."""
    say: Callable[[str], None]

    @property
    def task(self) -> AnyTask:
        """The trainer."""
        return self.provenance.task

    @property
    def on(self) -> str:
        """The device that models are trained and tested on."""
        return choose_place(self.task, self.provenance.place, self.device).device

    def train(self, config: Config, exported: float, folder: Path | None = None) -> Comparison:
        """Train a model again; refuse one that is not what was exported."""
        trial, study = self.provenance.trial, self.provenance.study
        self.say(f"training trial {trial} of {study!r} again{spoken_length(self.task, config)}")
        place = choose_place(self.task, self.provenance.place, self.device)
        return train_again(self.task, config, self.data, exported, place, folder=folder, study=study)


def check_equal(dev: Comparison, task: AnyTask) -> None:
    """Refuse a model that is not the one that was exported; raises ``TestSplitError``."""
    if dev.verdict == "different":
        again, stored = f"{dev.again:.4f}", f"{dev.stored:.4f}"
        raise TestSplitError(
            f"the {task.metric.label} came out as {again}, but {stored} was exported (more than "
            f"{dev.tolerance} apart): this is not the model that was chosen, and the test split was not "
            "touched"
        )
