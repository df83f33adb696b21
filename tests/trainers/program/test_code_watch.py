"""A watch on the files of a program: which of them are not what they were."""

import os
from pathlib import Path

import pytest

from sweep.trainers.program.code import CodeWatch, read_code


@pytest.fixture
def watch(tmp_path: Path) -> CodeWatch:
    """A watch on a script, a module in a package, and the globbed files of a folder."""
    for name in ("train.py", "pkg/inner.py", "conf/a.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"# {name}\nuse_bn = 1\n")
    files = [tmp_path / "train.py", tmp_path / "pkg" / "inner.py"]
    code = read_code(files, folder=tmp_path, sources=["conf/*.yaml"])
    return CodeWatch(code, tmp_path, ["conf/*.yaml"])


def test_what_is_as_it_was_is_no_change(watch: CodeWatch, tmp_path: Path) -> None:
    """A new time, a new inode and a file that no glob finds do not count; the content does."""
    assert watch.changes() == []
    (tmp_path / "train.py").touch()
    (tmp_path / "copy").write_bytes((tmp_path / "pkg" / "inner.py").read_bytes())
    os.replace(tmp_path / "copy", tmp_path / "pkg" / "inner.py")
    (tmp_path / "other.py").write_text("")
    assert watch.changes() == []


def test_new_gone_and_different_files_are_named(watch: CodeWatch, tmp_path: Path) -> None:
    """All three kinds at once, in order; restored, they are no change any more."""
    before = {name: (tmp_path / name).read_text() for name in ("train.py", "pkg/inner.py")}
    (tmp_path / "train.py").write_text("# another\n")
    (tmp_path / "pkg" / "inner.py").unlink()
    (tmp_path / "conf" / "b.yaml").write_text("")
    assert watch.changes() == ["conf/b.yaml", "pkg/inner.py", "train.py"]
    (tmp_path / "conf" / "b.yaml").unlink()
    for name, text in before.items():
        (tmp_path / name).write_text(text)
    assert watch.changes() == []


def test_a_change_that_keeps_size_and_time_is_seen(watch: CodeWatch, tmp_path: Path) -> None:
    """A tool may set the time back; the time of the change itself cannot be set."""
    path = tmp_path / "train.py"
    assert watch.changes() == []
    status = path.stat()
    path.write_text(path.read_text().replace("1", "2"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert watch.changes() == ["train.py"]


def test_a_folder_or_a_pipe_in_place_of_a_file_is_a_change(watch: CodeWatch, tmp_path: Path) -> None:
    """Nothing waits for somebody to write into a pipe."""
    (tmp_path / "train.py").unlink()
    os.mkfifo(tmp_path / "train.py")
    (tmp_path / "pkg" / "inner.py").unlink()
    (tmp_path / "pkg" / "inner.py").mkdir()
    assert watch.changes() == ["pkg/inner.py", "train.py"]


def test_names_of_parameters_are_found_as_words(watch: CodeWatch, tmp_path: Path) -> None:
    """An option has hyphens where a name has underscores; a longer name is another one."""
    assert watch.names("use_bn")
    assert not watch.names("bn")
    (tmp_path / "train.py").write_text('add("--hidden-dim")\n')
    assert watch.names("hidden_dim")
    assert not watch.names("hidden")
