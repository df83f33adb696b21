"""The folders in which a study's program runs and may write."""

from pathlib import Path

import pytest

from sweep.trainers.program.process.work_folder import WorksInFolder

STUDY, START = Path("/study"), Path("/start")


def placed(name: str = "command", **keys: str) -> WorksInFolder:
    trainer = WorksInFolder()
    trainer.name, trainer.surroundings = name, {"here": str(STUDY), "start": str(START), **keys}
    return trainer


@pytest.mark.parametrize(
    ("cwd", "folder"),
    [
        (".", START),
        ("sub", START / "sub"),
        ("/data", Path("/data")),
        ("{here}/x", STUDY / "x"),
        ("{dir}", None),
    ],
)
def test_the_key_cwd_names_the_folder(cwd: str, folder: Path | None) -> None:
    """A relative one begins where the study was started; a folder of each trial is none to look at."""
    trainer = placed(cwd=cwd)
    assert trainer.work_folder == folder
    assert trainer.work_folders == [START, STUDY, *([folder] if folder else [])]
    assert placed().work_folder == START


def test_the_advice_names_what_each_kind_of_program_has() -> None:
    """A function has no arguments, a command no config."""
    assert "config.dir" in placed("function").own_folder
    assert "argument" in placed("command").own_folder
