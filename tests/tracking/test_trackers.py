"""Which trackers there are, and what happens without their library."""

import importlib.util
from pathlib import Path

import pytest

from sweep.errors import LibraryError, NotFoundError
from sweep.tracking.trackers import TRACKERS, check_tracker
from tests.support.small_study import _own_ledger
from tests.support.tracked_study import lay_out, run_sweep

__all__ = ["_own_ledger"]  # a fixture


def test_an_unknown_tracker_is_refused() -> None:
    """The error names those there are."""
    with pytest.raises(NotFoundError, match="no tracker 'mlflw'; known: mlflow, wandb"):
        check_tracker("mlflw")


@pytest.mark.parametrize("name", TRACKERS)
def test_a_missing_library_is_named_before_anything_is_trained(name: str, tmp_path: Path) -> None:
    """One line with the command that installs it; a folder of that name is no library."""
    if importlib.util.find_spec(name) is not None:
        pytest.skip(f"{name} is installed")
    folder = lay_out(tmp_path / "work")
    (folder / name).mkdir()
    done = run_sweep(folder, "run", "para.toml", "--track", name)
    line = f"sweep: tracker {name} needs its library: pip install 'honest-sweep[{name}]'\n"
    assert (done.returncode, done.stderr) == (LibraryError.exit_status, line)
    assert not (folder / "studies").exists()
