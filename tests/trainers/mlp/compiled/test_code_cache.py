"""Compiled code on disk: what is damaged, foreign or cannot be stored costs a compilation, nothing else."""

import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
import pytest

from sweep.trainers.mlp.compiled import code_cache
from sweep.trainers.mlp.compiled.code_cache import examine_code_cache, keep_on_disk, mend_code_cache


def double(number: int) -> int:
    return number + number


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that NUMBA_CACHE_DIR names."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(code_cache, "_folders", {})
    return tmp_path


def compile_double() -> Any:
    """A process's first use of the function, whose answer is right."""
    dispatcher = numba.njit(double)
    keep_on_disk(dispatcher)
    assert dispatcher(21) == 42
    return dispatcher


def was_loaded() -> bool:
    return sum(compile_double().stats.cache_hits.values()) == 1


@pytest.fixture
def kept(folder: Path) -> Path:
    """The file of a function that was compiled."""
    compile_double()
    (file,) = folder.glob("*/*.nbc")
    return file


def _overwrite(file: Path, change: Callable[[bytes], bytes]) -> None:
    file.write_bytes(change(file.read_bytes()))


def _noise(at: float) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        place = int(at * (len(content) - 1))
        return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]

    return change


def _as_link(file: Path) -> None:
    file.symlink_to(file.rename(file.with_suffix(".moved")))


def _as_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


FAULTS: dict[str, Callable[[Path], Any]] = {
    "empty": lambda file: _overwrite(file, lambda content: b""),
    "cut": lambda file: _overwrite(file, lambda content: content[:-1]),
    "cut in its hash": lambda file: _overwrite(file, lambda content: content[:7]),
    "longer": lambda file: _overwrite(file, lambda content: content + b"x"),
    "noise in the hash": lambda file: _overwrite(file, _noise(0)),
    "noise in the middle": lambda file: _overwrite(file, _noise(0.5)),
    "noise at the end": lambda file: _overwrite(file, _noise(1)),
    "a pickle of Numba's own": lambda file: _overwrite(file, lambda content: content[32:]),
    "others can write it": lambda file: file.chmod(0o666),
    "a link": _as_link,
    "a pipe": _as_pipe,
}


def test_the_private_parts_of_numba_do_what_is_relied_on(kept: Path) -> None:
    """A second process loads the code by ``_cache``, ``_cache_path``, ``_cache_file`` and ``_impl``."""
    assert kept.name.startswith("test_code_cache.double-")
    assert was_loaded()


@pytest.mark.parametrize("spoil", FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_used_is_compiled_and_replaced(kept: Path, spoil: Callable[[Path], Any]) -> None:
    """The answer is right, the file is named until it is replaced, and the next process loads it."""
    spoil(kept)
    state = examine_code_cache()
    assert (state.damaged, state.files) == ((kept,), 0)
    assert kept.name in state.fault
    assert not was_loaded()
    assert not examine_code_cache().fault
    assert was_loaded()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_file_of_another_user_is_not_read(kept: Path) -> None:
    """It is a pickle, which could do anything."""
    os.chown(kept, 65_534, -1)
    assert not was_loaded()
    assert kept.stat().st_uid == 0


@pytest.mark.parametrize("spoil", FAULTS.values(), ids=FAULTS)
def test_a_command_removes_damage_and_says_it_once(kept: Path, spoil: Callable[[Path], Any]) -> None:
    """One line with the folder; the second command has nothing to say."""
    spoil(kept)
    line = mend_code_cache()
    assert "\n" not in line
    assert line.startswith(f"the compiled engine in {kept.parent} cannot be used: {kept.name} ")
    assert not os.path.lexists(kept)
    assert mend_code_cache() == ""


def test_what_cannot_be_removed_is_named(kept: Path) -> None:
    """A folder in the file's place stays, and so does the line; the code is compiled each time."""
    kept.unlink()
    kept.mkdir()
    for _ in range(2):
        assert str(kept.parent) in mend_code_cache()
        assert not was_loaded()


@pytest.fixture
def no_space() -> Iterator[None]:
    """No file can grow, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("no_space")
def test_no_room_costs_a_compilation_and_leaves_nothing_behind(folder: Path) -> None:
    """The line names the folder and the reason; no part of a file stays."""
    assert not was_loaded()
    line = mend_code_cache()
    assert "File too large" in line
    assert str(folder) in line
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_folder_that_vanishes_or_is_a_file_costs_a_compilation(folder: Path) -> None:
    """After the function was declared, before it is compiled."""
    dispatcher = numba.njit(double)
    keep_on_disk(dispatcher)
    (own,) = folder.iterdir()
    own.rmdir()
    own.write_text("no folder")
    assert dispatcher(4) == 8
    assert str(own) in mend_code_cache()


def test_no_folder_at_all_is_said_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba finds none that can be written."""
    monkeypatch.setattr(numba.core.caching.CacheImpl, "_locator_classes", [])
    assert not was_loaded()
    assert "no folder" in mend_code_cache()


def test_sound_code_on_a_full_disk_is_not_worth_a_line(kept: Path, no_space: None) -> None:
    """Nothing has to be stored; only `doctor` tries, and says so."""
    assert mend_code_cache() == ""
    assert "File too large" in examine_code_cache(probe=True).fault
    assert was_loaded()
