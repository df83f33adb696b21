"""A trial's folder belongs to its user, holds what its command needs, and follows no link."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from sweep.errors import MachineError, StorageError
from sweep.trainers.program.folder import TrialFolder
from sweep.trainers.program.reports import Thinned
from sweep.trainers.program.snapshots import Snapshots


@pytest.fixture
def folder(tmp_path: Path) -> TrialFolder:
    made = TrialFolder(tmp_path / "toy" / "000007")
    made.make()
    return made


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_only_the_user_can_enter(tmp_path: Path, umask: int) -> None:
    """Whatever the umask; a folder that was opened to others is closed again, and its files stay."""
    before = os.umask(umask)
    try:
        folder = TrialFolder(tmp_path / "a" / "b")
        folder.make()
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (folder.path, folder.checkpoint)] == [0o700, 0o700]
    folder.path.chmod(0o755)
    folder.write_config({"lr": 1e-5})
    folder.make()
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert json.loads(folder.config.read_text()) == {"lr": 1e-5}


@pytest.mark.parametrize("name", ["", "checkpoint"])
@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_no_folder_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    """A link to a folder, and a file; nothing is written."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere").chmod(0o755)  # whatever the umask is
    folder = TrialFolder(tmp_path / "trial")
    path = folder.path / name
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(tmp_path / "elsewhere") if kind == "link" else path.touch()
    with pytest.raises(StorageError, match="a link" if kind == "link" else "not of the kind"):
        folder.make()
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o755


def test_the_command_runs_if_it_is_pasted(folder: TrialFolder, tmp_path: Path) -> None:
    """In a plain shell, with the same arguments, variables and folder, whatever characters they have."""
    odd = ["", "a b", "$(touch x)", "`y`", "'\"\\", "é\n!", "--x=-1e-05", "*"]
    code = "import os,sys,json; print(json.dumps([sys.argv[1:], os.environ['A B'], os.getcwd()]))"
    cwd = tmp_path / "my $HOME"
    cwd.mkdir()
    folder.write_command(["python3", "-c", code, *odd], cwd, {"A B": odd[4] + odd[5]})
    text = folder.command.read_text()
    done = subprocess.run(["sh"], input=text, cwd="/", capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [odd, odd[4] + odd[5], str(cwd)]
    assert list(cwd.iterdir()) == []


def test_the_tail_is_of_stderr_else_of_stdout(folder: TrialFolder) -> None:
    """Blank lines and what was drawn over are left out."""
    assert folder.tail(20) == []
    folder.stdout.write_text("".join(f"line {n}\n" for n in range(100_000)))
    assert folder.tail(3) == ["line 99997", "line 99998", "line 99999"]
    folder.stderr.write_text("\n \n")
    assert folder.tail(1) == ["line 99999"]
    folder.stderr.write_bytes(b"Traceback:\r\n  1%\r 50%\r100%\r\n\n\xffValueError: x")
    assert folder.tail(9) == ["Traceback:", "100%", "\ufffdValueError: x"]
    assert folder.tail(0) == []


def test_a_tail_follows_no_link_and_waits_for_no_pipe(folder: TrialFolder, tmp_path: Path) -> None:
    """The program may have put them there."""
    (tmp_path / "secret").write_text("secret")
    folder.stderr.symlink_to(tmp_path / "secret")
    with pytest.raises(StorageError, match="is a link"):
        folder.tail(20)
    folder.stderr.unlink()
    os.mkfifo(folder.stderr)
    with pytest.raises(StorageError, match="not of the kind"):
        folder.tail(20)


def test_bytes_are_those_of_its_own_files(folder: TrialFolder, tmp_path: Path) -> None:
    """In folders below too; links count nothing, wherever they lead."""
    (tmp_path / "large").write_bytes(b"x" * 10_000)
    folder.stdout.write_bytes(b"x" * 100)
    (folder.checkpoint / "sub").mkdir()
    (folder.checkpoint / "sub" / "weights").write_bytes(b"x" * 1_000)
    (folder.checkpoint / "last").symlink_to(tmp_path / "large")
    (folder.checkpoint / "up").symlink_to(tmp_path)
    assert folder.bytes() == 1_100


def test_reports_say_how_many_are_left_out(folder: TrialFolder) -> None:
    """In a first line, if any are; the program's own file is removed."""
    folder.reported.write_text("x")
    few, many = Thinned(10), Thinned(10)
    few.add('{"step": 1, "value": 2}')
    folder.write_reports(few)
    assert folder.reports.read_text() == '{"step": 1, "value": 2}\n'
    assert not folder.reported.exists()
    for n in range(1_000):
        many.add(json.dumps({"step": n}))
    folder.write_reports(many)
    first, *lines = [json.loads(line) for line in folder.reports.read_text().splitlines()]
    assert first == {"kept": len(lines), "of": 1_000}
    assert (lines[0], lines[-1]) == ({"step": 0}, {"step": 999})


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_whole_checkpoint_comes_back(folder: TrialFolder) -> None:
    """Of three copies the newest; what was written after it, and half of it, is gone."""
    copies = Snapshots(folder.checkpoint, quiet_s=0)
    assert not copies.take()  # it is empty
    for n in range(3):
        write(folder.checkpoint / "sub" / "weights", f"weights {n}")
        write(folder.checkpoint / f"step-{n}", "x")
        (folder.checkpoint / "last").unlink(missing_ok=True)
        (folder.checkpoint / "last").symlink_to(f"step-{n}")
        assert copies.take()
        assert not copies.take()  # nothing is new
    write(folder.checkpoint / "sub" / "weights", "half")
    write(folder.checkpoint / "new", "half")
    assert Snapshots(folder.checkpoint).restore()  # by another process
    assert (folder.checkpoint / "sub" / "weights").read_text() == "weights 2"
    assert os.readlink(folder.checkpoint / "last") == "step-2"
    assert {path.name for path in folder.checkpoint.iterdir()} == {
        "sub",
        "last",
        "step-0",
        "step-1",
        "step-2",
    }
    assert {path.name for path in folder.path.iterdir()} == {"checkpoint", "checkpoint.2", "checkpoint.3"}
    copies.remove()
    assert {path.name for path in folder.path.iterdir()} == {"checkpoint"}


def test_without_a_copy_a_trial_starts_with_an_empty_folder(folder: TrialFolder) -> None:
    """Half-written files are worse than none."""
    write(folder.checkpoint / "weights", "half")
    assert not Snapshots(folder.checkpoint).restore()
    assert list(folder.checkpoint.iterdir()) == []


def test_a_checkpoint_is_copied_once_it_is_left_alone(folder: TrialFolder) -> None:
    """Not while it is being written; after the program's end at once."""
    copies = Snapshots(folder.checkpoint, quiet_s=0.5)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        write(folder.checkpoint / "weights", str(time.monotonic()))
        assert not copies.take()
        time.sleep(0.02)
    time.sleep(0.6)
    assert copies.take()
    write(folder.checkpoint / "weights", "last")
    assert not copies.take()
    assert copies.take(has_ended=True)


def test_what_cannot_be_copied_is_no_copy(folder: TrialFolder, tmp_path: Path) -> None:
    """A pipe in it is not read, a link in its place not followed."""
    write(folder.checkpoint / "weights", "x")
    os.mkfifo(folder.checkpoint / "pipe")
    copies = Snapshots(folder.checkpoint, quiet_s=0)
    assert not copies.take()
    assert {path.name for path in folder.path.iterdir()} == {"checkpoint"}
    (tmp_path / "elsewhere").mkdir()
    folder.checkpoint.rename(tmp_path / "old")
    folder.checkpoint.symlink_to(tmp_path / "elsewhere")
    for act in (copies.take, copies.restore):
        with pytest.raises(StorageError, match="is a link"):
            act()
    assert (tmp_path / "elsewhere").exists()


def test_a_copy_that_does_not_fit_is_refused(folder: TrialFolder) -> None:
    """Before anything is copied; a file with a hole is larger than any disk."""
    with open(folder.checkpoint / "weights", "wb") as file:
        file.truncate(1 << 43)
    with pytest.raises(MachineError, match="no room for a copy"):
        Snapshots(folder.checkpoint, quiet_s=0).take()
    assert {path.name for path in folder.path.iterdir()} == {"checkpoint"}
