"""States and curves are stored to the last bit, and thinned or removed when a trial ends."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from sweep.storage.checkpoints import THINNED_POINTS, Checkpoints
from sweep.storage.folders import LocalFolder


@pytest.fixture
def files(tmp_path: Path) -> Checkpoints:
    return Checkpoints(LocalFolder(tmp_path / "study"))


def losses_until(step: int) -> np.ndarray:
    """A loss for each step from 0 on, float32, with every kind of value."""
    losses = np.random.default_rng(3).normal(size=step).astype(np.float32)
    losses[:3] = np.array([1e-45, np.inf, np.nan], np.float32)[:step]
    return losses


def write_trial(files: Checkpoints, trial: int, ends: list[int]) -> bytes:
    """Store a trial in segments; return its last state."""
    losses, first, state = losses_until(ends[-1]), 0, b""
    for end in ends:
        state = f"state at {end}".encode() * 9
        files.write_segment(trial, first, end, state, losses[first:end])
        files.drop_states_before(trial, end)
        first = end
    return state


def folder_of(files: Checkpoints, trial: int) -> Path:
    folder = files.folder(trial)
    assert isinstance(folder, LocalFolder)
    return folder.path


def names(files: Checkpoints, trial: int) -> list[str]:
    return sorted(path.name.partition("-")[0].partition(".")[0] for path in folder_of(files, trial).iterdir())


def test_a_state_is_read_as_it_was_written(files: Checkpoints) -> None:
    """The bytes come back where their hash is the expected one; only the last state stays."""
    state = write_trial(files, 4, [10, 30, 90])
    assert files.read_state(4, 90, hashlib.sha256(state).hexdigest()) == state
    assert names(files, 4) == ["losses"] * 3 + ["state"]


def test_a_state_that_is_not_what_was_stored_is_none(files: Checkpoints) -> None:
    """Missing, of another step, cut short or changed in one bit: there is no state."""
    state = write_trial(files, 4, [10])
    sha256 = hashlib.sha256(state).hexdigest()
    assert files.read_state(5, 10, sha256) is None
    assert files.read_state(4, 11, sha256) is None
    (path,) = folder_of(files, 4).glob("state-*")
    for damaged in (state[:-1], b"", bytes([state[0] ^ 1]) + state[1:]):
        path.write_bytes(damaged)
        assert files.read_state(4, 10, sha256) is None


@pytest.mark.parametrize("ends", [[1], [2_500], [300, 900, 2_700, 3_000]])
def test_a_kept_curve_has_every_step_with_its_loss(files: Checkpoints, ends: list[int]) -> None:
    """Before and after the trial is closed the curve is bitwise the losses of all segments."""
    write_trial(files, 0, ends)
    for close in (False, True, True):
        if close:
            files.close(0, keep=True)
        steps, losses = files.read_curve(0)
        assert steps.tolist() == list(range(ends[-1]))
        assert losses.dtype == np.float32
        assert losses.tobytes() == losses_until(ends[-1]).tobytes()
    assert names(files, 0) == ["curve", "state"]


@pytest.mark.parametrize("n", [1, 999, 1_000, 1_001, 3_000])
def test_a_curve_that_is_not_kept_is_thinned_not_changed(files: Checkpoints, n: int) -> None:
    """At most 1,000 points stay, first and last among them, each with the loss of its own step."""
    write_trial(files, 0, [n])
    files.close(0, keep=False)
    steps, losses = files.read_curve(0)
    assert len(steps) == min(n, THINNED_POINTS) == len(set(steps.tolist()))
    assert (steps[0], steps[-1]) == (0, n - 1)
    assert losses.tobytes() == losses_until(n)[steps].tobytes()
    assert np.diff(steps).max(initial=0) - np.diff(steps).min(initial=n) <= 1
    assert names(files, 0) == ["curve"]
    before = (folder_of(files, 0) / "curve.safetensors").read_bytes()
    files.close(0, keep=False)
    assert (folder_of(files, 0) / "curve.safetensors").read_bytes() == before


def test_a_trial_that_falls_out_of_the_best_is_thinned_later(files: Checkpoints) -> None:
    """Kept first and given up afterwards, it is as if it had never been kept."""
    write_trial(files, 0, [900, 3_000])
    write_trial(files, 1, [900, 3_000])
    files.close(0, keep=True)
    files.close(0, keep=False)
    files.close(1, keep=False)
    contents = [[path.read_bytes() for path in sorted(folder_of(files, trial).iterdir())] for trial in (0, 1)]
    assert contents[0] == contents[1]


def test_closing_goes_on_where_a_kill_stopped_it(files: Checkpoints) -> None:
    """With the curve written and the segments not yet removed, the curve stays as it is."""
    write_trial(files, 0, [900, 3_000])
    parts = {path: path.read_bytes() for path in folder_of(files, 0).glob("losses-*")}
    files.close(0, keep=False)
    curve = (folder_of(files, 0) / "curve.safetensors").read_bytes()
    for path, content in parts.items():
        path.write_bytes(content)
    files.close(0, keep=False)
    assert names(files, 0) == ["curve"]
    assert (folder_of(files, 0) / "curve.safetensors").read_bytes() == curve


def test_a_resumed_trial_forgets_what_the_database_does_not_know(files: Checkpoints) -> None:
    """Later states and losses and half-written files go; the stored ones stay."""
    write_trial(files, 0, [10, 30])
    (folder_of(files, 0) / ".tmp-0123").write_bytes(b"half")
    files.write_segment(0, 30, 90, b"unknown", losses_until(60))
    files.drop_segments_after(0, 30)
    assert sorted(path.name for path in folder_of(files, 0).iterdir()) == [
        "losses-0000000000-0000000010.safetensors",
        "losses-0000000010-0000000030.safetensors",
        "state-0000000030.safetensors",
    ]
    files.drop_segments_after(0, 0)
    assert list(folder_of(files, 0).iterdir()) == []


def test_a_new_trial_begins_without_files(files: Checkpoints) -> None:
    """Whatever a study of the same name left under its number is gone; other trials stay."""
    write_trial(files, 0, [10])
    write_trial(files, 1, [10])
    files.begin(0)
    files.begin(7)
    assert names(files, 0) == []
    assert names(files, 1) == ["losses", "state"]


def test_a_trial_without_files_has_an_empty_curve(files: Checkpoints) -> None:
    """So has one whose curve is damaged: a picture less is no reason to stop."""
    steps, losses = files.read_curve(3)
    assert (steps.shape, losses.shape, losses.dtype) == ((0,), (0,), np.float32)
    files.close(3, keep=False)
    write_trial(files, 3, [10])
    files.close(3, keep=False)
    for damaged in (b"damaged", safetensors.numpy.save({"another": np.zeros(3)})):
        (folder_of(files, 3) / "curve.safetensors").write_bytes(damaged)
        assert len(files.read_curve(3)[0]) == 0


def test_removing_a_study_leaves_its_neighbours_and_its_lock(files: Checkpoints, tmp_path: Path) -> None:
    """Only its own trials go, the lock stays with its holder; removing twice is no error."""
    write_trial(files, 0, [10])
    lock = folder_of(files, 0).with_name("driver.lock")
    lock.touch()
    other = Checkpoints(LocalFolder(tmp_path / "other"))
    write_trial(other, 0, [10])
    files.remove()
    files.remove()
    assert list(lock.parent.iterdir()) == [lock]
    assert names(other, 0) == ["losses", "state"]
