"""The folders in which a study's program runs and may write."""

from pathlib import Path

import pytest

from sweep.trainers.program.process.work_folder import work_folders

STUDY, START = Path("/study"), Path("/start")
PLACES = {"here": str(STUDY), "start": str(START)}


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
    """A relative one begins where the study was started; a folder of each trial is not among them."""
    found = work_folders("command", {**PLACES, "cwd": cwd})
    assert found.runs_in == folder
    assert set(found.written) == {START, STUDY, folder} - {None}


def test_a_program_runs_where_it_was_started() -> None:
    """That is the default."""
    assert work_folders("command", PLACES).runs_in == START


def test_the_advice_names_what_each_kind_of_program_has() -> None:
    """A function has no arguments, a command no config."""
    assert "config.dir" in work_folders("function", PLACES).advice
    assert "argument" in work_folders("command", PLACES).advice
