"""A link among a study's files leads no command to files elsewhere."""

import http.client
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sweep.cli import main
from sweep.storage.database import Database
from tests.support.dashboard_server import artifact_ids, ask, serving
from tests.support.small_study import _own_ledger, small, trained

__all__ = ["_own_ledger", "small", "trained"]  # fixtures

STUDY = Path("studies/sweep.db.d/small")
PRECIOUS = b"the only copy"


@pytest.fixture
def outside(small: Path, tmp_path: Path) -> Path:
    """A folder with a file of each name that a study's files have; the working directory is the study's."""
    assert small == Path.cwd()
    folder = tmp_path / "outside"
    shutil.copytree(STUDY, folder)
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_bytes(PRECIOUS)
    return folder


def state_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def replace_by_link(path: Path, target: Path) -> None:
    shutil.rmtree(path)
    path.symlink_to(target)


COMMANDS = {
    "delete": ["delete", "small", "--yes"],
    "run": ["run", "studies/small.toml", "--trials", "7", "--workers", "1"],
    "rename": ["rename", "small", "new"],
    "copy": ["copy", "small", "--to", "sqlite:///other.db"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_linked_study_folder_is_refused(
    command: str, outside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line names the link, the study stays stored, and nothing behind the link changes."""
    replace_by_link(STUDY, outside)
    before = state_of(outside)
    assert main(COMMANDS[command]) == 3
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == f"sweep: {STUDY} is a link; move it away"
    assert state_of(outside) == before
    assert main(["table", "small", "--format", "csv"]) == 0


def test_a_linked_folder_of_a_new_trial_is_refused(outside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run empties no folder that a link names."""
    trial = STUDY / "000006"
    trial.symlink_to(outside)
    before = state_of(outside)
    assert main(["run", "studies/small.toml", "--trials", "7", "--workers", "1"]) == 3
    assert f"{trial} is a link" in capsys.readouterr().err
    assert state_of(outside) == before


def test_deleting_a_study_removes_a_link_and_not_its_target(outside: Path) -> None:
    """A linked folder of a trial, and a linked file."""
    replace_by_link(STUDY / "000000", outside)
    (STUDY / "000001" / "extra").symlink_to(outside / "driver.json")
    before = state_of(outside)
    assert main(["delete", "small", "--yes"]) == 0
    assert state_of(outside) == before
    assert [path.name for path in STUDY.iterdir() if not path.name.startswith("driver.")] == []


@pytest.mark.parametrize("make", [Path.symlink_to, Path.hardlink_to])
def test_who_runs_a_study_is_written_over_no_other_file(
    make: Callable[[Path, Path], None], outside: Path
) -> None:
    """A link in place of ``driver.json`` is replaced."""
    owner = STUDY / "driver.json"
    owner.unlink()
    make(owner, outside / "driver.json")
    with Database("sqlite:///studies/sweep.db").driver_lock("small"):
        assert b'"pid"' in owner.read_bytes()
    assert (outside / "driver.json").read_bytes() == PRECIOUS
    assert not owner.is_symlink()


@pytest.mark.parametrize("lock", [STUDY / "driver.lock", STUDY.parent / ".open.lock"])
def test_a_linked_lock_is_refused(lock: Path, outside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It would be made, or held, elsewhere."""
    lock.unlink()
    lock.symlink_to(outside / "made")
    assert main(["delete", "small", "--yes"]) == 3
    assert f"{lock} is a link" in capsys.readouterr().err
    assert not (outside / "made").exists()


@pytest.mark.parametrize("place", ["artifacts", "."])
def test_a_linked_artifact_is_not_served(place: str, outside: Path) -> None:
    """Neither is a file behind a link, nor one in a folder behind a link."""
    with serving(Database("sqlite:///studies/sweep.db")) as port:
        url = artifact_ids(port)["best.toml"]
        file = STUDY / "artifacts" / url.rpartition("/")[2]
        assert ask(port, url)[0] == 200
        if place == ".":
            replace_by_link(STUDY, outside)
        else:
            file.unlink()
            file.symlink_to(outside / "driver.json")
        status, body = ask(port, url)
    assert status == http.client.NOT_FOUND
    assert PRECIOUS not in body


def test_a_linked_state_is_not_read(outside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report refuses it, whatever file it names."""
    (state,) = list(STUDY.glob("000000/state-*")) or list(STUDY.glob("*/state-*"))[:1]
    state.unlink()
    state.symlink_to(outside / "driver.json")
    assert main(["copy", "small", "--to", "sqlite:///other.db"]) == 3
    assert f"{state} is a link" in capsys.readouterr().err
