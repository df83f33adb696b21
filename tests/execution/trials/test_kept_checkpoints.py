"""Checkpoints of programs among the study's files, in a folder and in a bucket."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.execution.trials.kept_checkpoints import KeptCheckpoints
from sweep.storage.bucket import bucket_folder
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.folders import Folder, LocalFolder
from sweep.trainers.program import kept_checkpoint
from sweep.trainers.program.folder import TrialFolder
from tests.support.s3_server import running_s3


class Task(kept_checkpoint.LeavesCheckpoints):
    """A trainer's part that keeps checkpoints."""

    def __init__(self, *, upload: bool) -> None:
        self.surroundings = {"upload": upload}


@pytest.fixture(params=["folder", "bucket"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Folder]:
    """Where a study's records are."""
    if request.param == "folder":
        yield LocalFolder(tmp_path / "files")
        return
    with running_s3() as server:
        yield bucket_folder(f"s3://{server.make_bucket()}/sweeps")


@pytest.mark.parametrize("upload", [True, False])
def test_kept_checkpoints_are_sent_once_and_removed_again(
    files: Folder, tmp_path: Path, upload: bool
) -> None:
    """Names that a bucket would not list come through; without ``upload`` none is sent."""
    trial = TrialFolder(tmp_path / "programs/000003")
    trial.make()
    (trial.checkpoint / "epoch=3.ckpt").write_bytes(b"weights")
    kept = KeptCheckpoints(Task(upload=upload), tmp_path / "programs", Checkpoints(files))
    kept.tidy(3, keep=True)
    names = ["000003/checkpoint.zip"] if upload else []
    assert files.names() == names
    if upload:
        packed = (files / "000003").read("checkpoint.zip")
        assert packed is not None
        there = TrialFolder(tmp_path / "there")
        Task(upload=True).unpack_checkpoint(packed, there.path)
        assert (there.checkpoint / "epoch=3.ckpt").read_bytes() == b"weights"
    kept.tidy(3, keep=False)
    assert files.names() == []
    assert list(trial.checkpoint.iterdir()) == []
