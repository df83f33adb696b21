"""A file is the old one or the new one, whatever happens in between."""

import errno
import multiprocessing
import os
import random
import resource
import signal
import stat
import time
from pathlib import Path

import pytest

from sweep.storage.files import TEMPORARY, started, write_all_atomically, write_atomically
from tests.faults import launcher

SIZE = 200_000


def test_a_file_is_written_and_replaced_whole(tmp_path: Path) -> None:
    """The content is what was given, and nothing else is left in the folder."""
    path = tmp_path / "state"
    for content in (b"first", b"", os.urandom(SIZE)):
        write_atomically(path, content)
        assert path.read_bytes() == content
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("push", [True, False])
def test_several_files_are_written_each_whole(tmp_path: Path, push: bool) -> None:
    """All of them are there with their content."""
    contents = {name: os.urandom(100) for name in "cab"}
    write_all_atomically(tmp_path, contents, push=push)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == contents


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """What a link points to is not ours to write."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"theirs")
    link.symlink_to(target)
    write_atomically(link, b"ours")
    assert target.read_bytes() == b"theirs"
    assert not link.is_symlink()
    assert link.read_bytes() == b"ours"


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """The half-written file of a process that is gone goes, also if its number is used again; others stay."""
    gone = multiprocessing.get_context("spawn").Process(target=os.getpid)
    gone.start()
    gone.join()
    running = os.getppid()
    lefts = [f"{gone.pid}-0123", f"{gone.pid}-77-0123", *([f"{running}-77-0123"] if started("self") else [])]
    kept = [f"{running}-0123", f"{running}-{started(str(running))}-0123"]
    for name in (*lefts, *kept):
        (tmp_path / f"{TEMPORARY}{name}").write_bytes(b"half")
    write_atomically(tmp_path / "state", b"content")
    assert {path.name for path in tmp_path.iterdir()} == {"state", *(TEMPORARY + name for name in kept)}


@pytest.mark.skipif(os.name != "posix", reason="files have modes")
def test_what_is_being_written_is_private_and_what_is_written_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A temporary file has mode 600 from its first moment; the file itself has that of any other."""
    seen: list[int] = []
    opened = os.open

    def watched(path: str, flags: int, *mode: int) -> int:
        descriptor = opened(path, flags, *mode)
        if TEMPORARY in str(path):
            seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    write_atomically(tmp_path / "state", b"content")
    (tmp_path / "usual").touch()
    assert seen == [0o600]
    assert (tmp_path / "state").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    """No folder is made silently."""
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "nowhere" / "state", b"content")


def test_a_full_disk_leaves_the_old_file_and_nothing_half(tmp_path: Path) -> None:
    """Where the content does not fit, the write fails and the folder is as before."""
    path = tmp_path / "state"
    write_atomically(path, b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE // 2, limits[1]))
        with pytest.raises(OSError, match="too large") as refused:
            write_atomically(path, b"x" * SIZE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert refused.value.errno == errno.EFBIG
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_kill_leaves_the_old_or_the_new_content(tmp_path: Path) -> None:
    """Killed at twenty moments of writing without end, the file is always one whole writing."""
    path = tmp_path / "state"
    write_atomically(path, b"a" * SIZE)
    moment = random.Random(5)  # noqa: S311  no secret
    for _ in range(20):
        process = launcher.loaded().Process(target=_write_for_ever, args=(path,))
        process.start()
        before = path.stat().st_ino
        while path.stat().st_ino == before:
            time.sleep(0.001)
        time.sleep(moment.uniform(0, 0.02))
        process.kill()
        process.join()
        content = path.read_bytes()
        assert len(content) == SIZE
        assert len(set(content)) == 1
    others = [other.name for other in tmp_path.iterdir() if other != path]
    assert all(name.startswith(TEMPORARY) for name in others)


def _write_for_ever(path: Path) -> None:
    letters = b"abcdefghij"
    while True:
        for letter in letters:
            write_atomically(path, bytes([letter]) * SIZE)
