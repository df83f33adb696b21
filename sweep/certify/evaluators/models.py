"""Represent a trained model of an exported configuration and seed, for a final test."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from sweep.certify.provenance import Provenance
from sweep.certify.replay import Comparison, choose_place, train_again
from sweep.errors import TestSplitError
from sweep.storage.database import Database
from sweep.task import AnyTask, Config, Data, spoken_length


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A configuration with its seed, and its exported and current values."""

    config: Config
    dev: Comparison
    folder: Path | None = None
    """Folder of the training's files; None if the trainer writes none."""
    is_kept: bool = False
    """Whether the model is a stored checkpoint, which was not evaluated again."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Origin of exported models, and the device to train them again on."""

    provenance: Provenance
    data: Data
    database: Database
    """Database that may store the models."""
    device: str
    """``auto`` or a device name."""
    say: Callable[[str], None]

    @property
    def task(self) -> AnyTask:
        """The trainer."""
        return self.provenance.task

    @property
    def on(self) -> str:
        """Device for training and testing."""
        return choose_place(self.task, self.provenance.place, self.device).device

    def train(self, config: Config, exported: float, folder: Path | None = None) -> Comparison:
        """Train a model again and compare its loss."""
        trial, study = self.provenance.trial, self.provenance.study
        self.say(f"training trial {trial} of {study!r} again{spoken_length(self.task, config)}")
        place = choose_place(self.task, self.provenance.place, self.device)
        return train_again(self.task, config, self.data, exported, place, folder=folder, study=study)


def check_equal(dev: Comparison, task: AnyTask) -> None:
    """Refuse a model whose loss differs from the exported one; raises ``TestSplitError``."""
    if dev.verdict == "different":
        again, stored = f"{dev.again:.4f}", f"{dev.stored:.4f}"
        raise TestSplitError(
            f"the {task.metric.label} came out as {again}, but {stored} was exported (more than "
            f"{dev.tolerance} apart): this is not the exported model; the test split was not "
            "used"
        )
