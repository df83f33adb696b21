"""Runs the test of a study on what one training left; the final test alone does."""

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.metric import Metric
from sweep.storage.files import refuse_unless
from sweep.task import program_kind_named
from sweep.trainers.program.attempt import Attempt, lock_folder
from sweep.trainers.program.config import ProgramConfig
from sweep.trainers.program.folder import TrialFolder
from sweep.trainers.program.live import LiveTrial
from sweep.trainers.program.program import Launch, ProgramKind
from sweep.trainers.program.testing.keys import TestProgram


class TestFolder(TrialFolder):
    """The folder ``test`` in that of a training; its checkpoint is the training's."""

    __test__ = False  # not a test class, whatever its name says to pytest

    def __init__(self, trained: Path) -> None:
        """Take the folder of the training; nothing is made yet."""
        super().__init__(trained / "test")
        self.checkpoint = trained / "checkpoint"

    def renew(self) -> None:
        """Remove what an earlier test left, and make the folder."""
        refuse_unless(stat.S_ISDIR, self.path)
        shutil.rmtree(self.path, ignore_errors=True)
        self.make()


def has_checkpoint(trained: Path) -> bool:
    """Return whether a training's folder holds a checkpoint."""
    folder = TrialFolder(trained).checkpoint
    return folder.is_dir() and not folder.is_symlink() and any(folder.iterdir())


def run_test(
    program: TestProgram,
    surroundings: Mapping[str, Any],
    config: ProgramConfig,
    metric: Metric,
    *,
    trained: Path,
    study: str,
    device: str,
) -> float:
    """Return the value that a study's test gives for one trained configuration.

    Args:
        program: The test.
        surroundings: Where and how the study's programs run.
        config: As it was trained, its seed included.
        metric: What the test's figures are read for.
        trained: Folder of the training; the test's own files are kept in its folder ``test``.
        study: The study's name.
        device: Where the test runs.

    Raises:
        SweepError: If the program cannot start, fails, or gives no value.
    """
    kind: ProgramKind = program_kind_named(program.kind)
    starter = kind.starter(program.definition, surroundings)
    launch = _launch(program, surroundings, config, trained=trained, study=study, device=device)
    lock = launch.attempt.lock
    try:
        live = LiveTrial(0, starter.start(launch), metric, lock=lock, pick="last", budget="")
    except BaseException:
        os.close(lock)
        starter.close()
        raise
    try:
        return live.train(0, 1, is_end=True, is_pruned=False, report=_ignore).dev_loss
    finally:
        live.close()
        starter.close()


def _launch(
    program: TestProgram,
    surroundings: Mapping[str, Any],
    config: ProgramConfig,
    *,
    trained: Path,
    study: str,
    device: str,
) -> Launch:
    """Return what a test is started with, its folder empty."""
    folder = TestFolder(trained)
    folder.renew()
    return Launch(
        definition=program.definition,
        surroundings=surroundings,
        config=config,
        study=study,
        trial=0,
        folder=folder,
        device=device,
        cpus=1,
        until=None,
        attempt=Attempt(lock=lock_folder(folder), is_resumed=False, earlier=[]),
    )


def _ignore(step: int, value: float) -> None:
    """Watch nothing."""
