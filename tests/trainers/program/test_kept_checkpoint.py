"""The checkpoints of programs: of the best trials kept, of others removed, and sent on if the study asks."""

import fcntl
import io
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from sweep.errors import StorageError
from sweep.trainers.program.folder import TrialFolder
from sweep.trainers.program.kept_checkpoint import LeavesCheckpoints
from tests.support.program_home import Home

TRAINERS = """
import sweep

def train(config, report):
    (config.checkpoint / "model=1.ckpt").write_text(str(config.x))
    for epoch in (1, 2, 3):
        report(config.x, epoch)
    if config.x == 9:
        raise ValueError("no")
    return config.x

def evaluate(config):
    return float((config.checkpoint / "model=1.ckpt").read_text())
"""

SCRIPT = """
import os, signal, sys, time
x = float(sys.argv[1])

def leave(*_):
    time.sleep(1)
    open(os.path.join(os.environ["SWEEP_CHECKPOINT"], "late"), "w").write("written in the grace")
    sys.exit(0)

signal.signal(signal.SIGTERM, leave)
open(os.path.join(os.environ["SWEEP_CHECKPOINT"], "model"), "w").write(str(x))
for epoch in range(1, 11):
    print(f"epoch {epoch} loss: {x}", flush=True)
    if x > 5 and epoch == 3:
        time.sleep(600)
"""

STUDY = """
name = "kept"
metric = "loss"
checkpoint = true
matters = 0.1
env.HOME_MARK = "MARK"
keep = 2
"""

LISTED = "sampler = 'listed'\ntrial = [{ x = 3 }, { x = 9 }, { x = 1 }, { x = 4 }, { x = 2 }]\n"


class Kept(LeavesCheckpoints):
    """The capability by itself."""

    def __init__(self, *, upload: bool = False) -> None:
        self.surroundings = {"upload": upload}


def home_with(folder: Path, program: str) -> Home:
    home = Home(folder)
    home.write("trainers.py", TRAINERS)
    home.write("script.py", SCRIPT)
    home.write("kept.toml", program + STUDY)
    return home


def checkpoints(home: Home, n: int) -> dict[int, list[str]]:
    """Return what each trial's folder holds of checkpoints."""
    found = {}
    for number in range(n):
        folder = home.trial_folder("kept", number)
        found[number] = sorted(
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and "checkpoint" in path.relative_to(folder).parts[0]
        )
    return found


def test_the_best_trials_keep_their_checkpoints(tmp_path: Path) -> None:
    """Two of five; the one that failed and those that were displaced keep none, and nobody keeps copies."""
    home = home_with(tmp_path, 'trainer = "trainers:train"\n')
    home.write("kept.toml", (tmp_path / "kept.toml").read_text() + LISTED)
    trials = home.run("kept.toml", workers=1).trials
    assert [trial.dev_loss for trial in trials] == [3, None, 1, 4, 2]
    kept = ["checkpoint/model=1.ckpt"]
    assert checkpoints(home, 5) == {0: [], 1: [], 2: kept, 3: [], 4: kept}


def test_a_pruned_trial_keeps_none_though_it_writes_one_in_its_grace(tmp_path: Path) -> None:
    """Its program is still being ended when the trial is done."""
    program = 'command = ["python", "script.py", "{x}"]\nstep = "epoch"\narguments.epochs = "skip"\n'
    home = home_with(tmp_path, f'{program}budget = "epochs"\npruner = "median"\nfixed.epochs = 10\n')
    listed = f"sampler = 'listed'\ntrial = [{', '.join(f'{{ x = {x} }}' for x in range(1, 8))}]\n"
    home.write("kept.toml", (tmp_path / "kept.toml").read_text() + listed)
    trials = home.run("kept.toml", workers=1).trials
    assert [trial.state for trial in trials[5:]] == ["pruned"] * 2
    found = checkpoints(home, 7)
    assert {number for number, names in found.items() if names} == {0, 1}
    assert home.all_end()


@pytest.mark.parametrize("upload", ["", "upload = true\n"])
def test_a_stored_checkpoint_is_tested_on_another_machine(tmp_path: Path, upload: str) -> None:
    """With ``upload`` the best ones are among the study's files, and the test takes them there."""
    home = home_with(tmp_path, f'trainer = "trainers:train"\ntest = "trainers:evaluate"\n{upload}')
    home.write("kept.toml", (tmp_path / "kept.toml").read_text() + LISTED)
    home.run("kept.toml", workers=1)
    packed = [path.parent.name for path in sorted((tmp_path / "studies/sweep.db.d/kept").rglob("*.zip"))]
    assert packed == (["000002", "000004"] if upload else [])
    shutil.rmtree(tmp_path / "studies/sweep.db.programs")  # another machine has no folders of programs
    assert home.command("export", "kept", "-o", "best.toml") == 0
    assert home.command("test", "best.toml") == 0
    (tested,) = (path.parent for path in (tmp_path / "studies").rglob("tested/*/test"))
    assert (tested / "checkpoint/model=1.ckpt").read_text() == "1"
    assert (tested / "reports.jsonl").exists() == (not upload)  # it was trained again


def laid_out(folder: Path) -> TrialFolder:
    trial = TrialFolder(folder / "000000")
    trial.make()
    (trial.checkpoint / "deep").mkdir()
    (trial.checkpoint / "deep/weights").write_bytes(b"w" * 100)
    (trial.checkpoint / "link").symlink_to("/etc/passwd")
    return trial


def test_a_checkpoint_is_packed_without_links_and_unpacked_alike(tmp_path: Path) -> None:
    """Empty ones are None; what is damaged, compressed or leads out of the folder writes nothing outside."""
    trial, kept = laid_out(tmp_path), Kept(upload=True)
    packed = kept.pack_checkpoint(trial.path)
    assert packed is not None
    there = TrialFolder(tmp_path / "there")
    kept.unpack_checkpoint(packed, there.path)
    files = {
        p.relative_to(there.checkpoint).as_posix(): p.read_bytes()
        for p in there.checkpoint.rglob("*")
        if p.is_file()
    }
    assert files == {"deep/weights": b"w" * 100}
    assert kept.pack_checkpoint(tmp_path / "nowhere") is None
    with pytest.raises(StorageError, match="damaged"):
        kept.unpack_checkpoint(packed[:50], there.path)
    hostile = io.BytesIO()
    with zipfile.ZipFile(hostile, "w") as archive:
        archive.writestr("../../outside", "x")
    kept.unpack_checkpoint(hostile.getvalue(), tmp_path / "a" / "b")
    assert not (tmp_path / "outside").exists()
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * 1_000_000)
    with pytest.raises(StorageError, match="compressed"):
        kept.unpack_checkpoint(bomb.getvalue(), tmp_path / "c")


def test_nothing_is_removed_while_a_program_lives(tmp_path: Path) -> None:
    """Whoever holds the folder's lock is still writing; links are left alone."""
    trial, kept = laid_out(tmp_path), Kept()
    shutil.copytree(trial.checkpoint, trial.path / "checkpoint.1", symlinks=True)
    lock = os.open(trial.path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert not kept.tidy_checkpoint(trial.path, keep=False)
    assert (trial.checkpoint / "deep/weights").exists()
    os.close(lock)
    assert kept.tidy_checkpoint(trial.path, keep=True)
    assert (trial.checkpoint / "deep/weights").exists()
    assert not (trial.path / "checkpoint.1").exists()
    assert kept.tidy_checkpoint(trial.path, keep=False)
    assert list(trial.checkpoint.iterdir()) == []
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(laid_out(tmp_path / "other").checkpoint, elsewhere, symlinks=True)
    trial.checkpoint.rmdir()
    trial.checkpoint.symlink_to(elsewhere)
    assert kept.tidy_checkpoint(trial.path, keep=False)
    assert (elsewhere / "deep/weights").exists()
