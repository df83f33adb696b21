"""No trial begins on a disk that may not hold it."""

import shutil
from pathlib import Path

import pytest

from sweep.errors import MachineError
from sweep.execution.machine.disk import enough_disk, folder_bytes, trial_folders
from tests.support.program_studies import FUNCTION, lay_out, n_ran, run


def write_sparse(path: Path, size: int) -> None:
    """Write a file that claims to be large."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def test_bytes_of_a_folder_are_those_of_its_plain_files(tmp_path: Path) -> None:
    """A link counts nothing."""
    write_sparse(tmp_path / "a" / "model", 1_000)
    (tmp_path / "a" / "log").write_text("12345")
    (tmp_path / "a" / "linked").symlink_to(tmp_path / "a" / "model")
    assert folder_bytes(tmp_path) == 1_005


def test_a_study_without_trials_has_room(tmp_path: Path) -> None:
    """Nothing is known of a trial's size; the folder need not exist."""
    assert enough_disk(tmp_path / "none")() is None
    assert enough_disk(tmp_path)() is None


def test_less_than_twice_the_largest_trial_is_refused(tmp_path: Path) -> None:
    """The largest one counts, not the last."""
    check, free = enough_disk(tmp_path), shutil.disk_usage(tmp_path).free
    write_sparse(tmp_path / "000000" / "model", free // 4)
    assert check() is None
    write_sparse(tmp_path / "000001" / "checkpoint" / "model", free // 4 * 3)
    write_sparse(tmp_path / "000002" / "model", 10)
    fault = check()
    assert isinstance(fault, MachineError)
    assert "less than twice" in str(fault)


OTHERS = ["confirm/000000/model", "tested/0123456789abcdef/model", "notes/model"]
"""Files in a study's folder of programs that belong to no trial of its own."""


@pytest.mark.parametrize("other", OTHERS)
def test_only_trials_count(other: str, tmp_path: Path) -> None:
    """A confirmation and a test lie inside the study's folder; together they may be larger than any trial."""
    free = shutil.disk_usage(tmp_path).free
    write_sparse(tmp_path / other, free // 4 * 3)
    assert enough_disk(tmp_path)() is None
    write_sparse(tmp_path / "000000" / "model", 10)
    assert enough_disk(tmp_path)() is None
    write_sparse(tmp_path / "000001" / "model", free // 4 * 3)
    assert isinstance(enough_disk(tmp_path)(), MachineError)


def test_folders_of_trials_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """Also beyond a million, where the names become longer; a file is no folder of a trial."""
    for name in ("1000000", "999999", "000002", "confirm", "tested"):
        (tmp_path / name).mkdir()
    (tmp_path / "000003").write_text("")
    assert [path.name for path in trial_folders(tmp_path)] == ["000002", "999999", "1000000"]


def test_a_run_stops_after_the_first_trial_that_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with exit 3 and one line; the trial itself is complete."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    size = shutil.disk_usage(tmp_path).free // 4 * 3
    grow = f"    open(config.dir / 'model', 'wb').truncate({size})\n    return"
    lay_out(tmp_path, "function", text=FUNCTION.replace("    return", grow))
    status, told = run()
    assert (status, n_ran(tmp_path)) == (3, 1)
    assert "less than twice" in told
    assert len(told.splitlines()) == 1
