"""Run the test of a study on the files of one training; only the final test does."""

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from sweep.metric import Metric
from sweep.storage.files import refuse_unless
from sweep.task import program_kind_named
from sweep.trainers.program.attempt import Attempt, lock_folder
from sweep.trainers.program.config import ProgramConfig
from sweep.trainers.program.folder import TrialFolder
from sweep.trainers.program.live import LiveTrial
from sweep.trainers.program.program import Launch, ProgramKind
from sweep.trainers.program.testing.keys import TestProgram
from sweep.values import Toml


def has_checkpoint(trained: Path) -> bool:
    """Return whether a training's folder contains a checkpoint."""
    folder = TrialFolder(trained).checkpoint
    return folder.is_dir() and not folder.is_symlink() and any(folder.iterdir())


def run_test(
    program: TestProgram,
    surroundings: Mapping[str, Toml],
    config: ProgramConfig,
    metric: Metric,
    *,
    trained: Path,
    study: str,
    device: str,
) -> float:
    """Return the test's value for one trained configuration.

    Args:
        program: The test program.
        surroundings: The surroundings of the study's programs.
        config: The trained configuration, including its seed.
        metric: The study's metric.
        trained: Folder of the training; the test writes its files to the subfolder ``test``.
        study: The study's name.
        device: Device on which the test runs.

    Raises:
        SweepError: If the program cannot start, fails, or reports no value.
    """
    kind: ProgramKind = program_kind_named(program.kind)
    starter = kind.starter(program.definition, surroundings)
    launch = _launch(program, surroundings, config, trained=trained, study=study, device=device)
    lock = launch.attempt.lock
    try:
        live = LiveTrial(starter.start(launch), launch, metric)
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
    surroundings: Mapping[str, Toml],
    config: ProgramConfig,
    *,
    trained: Path,
    study: str,
    device: str,
) -> Launch:
    """Return the input of a test, after emptying its folder."""
    folder = _new_folder(trained)
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


def _new_folder(trained: Path) -> TrialFolder:
    """Return the folder of a test, without the files of an earlier one, with the training's checkpoint."""
    folder = TrialFolder(trained / "test", TrialFolder(trained).checkpoint)
    refuse_unless(stat.S_ISDIR, folder.path)
    shutil.rmtree(folder.path, ignore_errors=True)
    folder.make()
    return folder


def _ignore(step: int, value: float) -> None:
    """Ignore a report."""
