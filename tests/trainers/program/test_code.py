"""The hash of a program's sources."""

import hashlib
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from sweep.trainers.program.code import Code, named_imports, read_code


def write(folder: Path, **sources: str) -> None:
    for name, source in sources.items():
        path = folder / f"{name.replace('_X_', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)


def imports(folder: Path, script: str = "train.py") -> set[str]:
    return {path.relative_to(folder).as_posix() for path in named_imports(folder / script, [folder])}


def test_each_file_has_the_hash_of_its_bytes(tmp_path: Path) -> None:
    """SHA-256, by the path that each machine sees from the study's folder."""
    write(tmp_path, train="x = 1\n", code_X_more="y = 2\n")
    code = read_code([tmp_path / "train.py", tmp_path / "code" / "more.py"], folder=tmp_path / "code")
    assert code.files == {
        "../train.py": hashlib.sha256(b"x = 1\n").hexdigest(),
        "more.py": hashlib.sha256(b"y = 2\n").hexdigest(),
    }
    assert (code.commit, code.is_dirty) == (None, None)


def test_a_copied_or_linked_folder_has_the_same_program(tmp_path: Path) -> None:
    """Only names and contents count, not the folder and not the link through which a file is reached."""
    write(tmp_path / "here", train="import lib.more", lib_X_more="y = 2")
    (tmp_path / "there").mkdir()
    shutil.copytree(tmp_path / "here", tmp_path / "there" / "copy")
    (tmp_path / "link").symlink_to("here")
    names = ("train.py", "lib/more.py")
    here = read_code([tmp_path / "here" / name for name in names], folder=tmp_path / "here")
    copy = tmp_path / "there" / "copy"
    assert read_code([copy / name for name in names], folder=copy).hash == here.hash
    linked = [tmp_path / "link" / names[0], tmp_path / "here" / names[1]]
    assert read_code(linked, folder=tmp_path / "link").hash == here.hash
    assert read_code(linked, folder=tmp_path / "here").hash == here.hash


def test_one_changed_byte_or_name_is_another_program(tmp_path: Path) -> None:
    """The order of the files is not."""
    write(tmp_path, a="1", b="2")
    before = read_code([tmp_path / "a.py", tmp_path / "b.py"], folder=tmp_path)
    assert read_code([tmp_path / "b.py", tmp_path / "a.py"], folder=tmp_path).hash == before.hash
    write(tmp_path, b="3")
    (tmp_path / "a.py").rename(tmp_path / "c.py")
    after = read_code([tmp_path / "c.py", tmp_path / "b.py"], folder=tmp_path)
    assert after.hash != before.hash
    assert before.changes(after) == ["a.py", "b.py", "c.py"]
    assert Code(files=dict(reversed(before.files.items()))).hash == before.hash


def test_imports_are_followed_in_every_form(tmp_path: Path) -> None:
    """Also in functions, in circles and relative ones; no library, no computed name."""
    write(
        tmp_path,
        train="import os, numpy, a\nfrom package import b\nfrom package.deep.c import name\n"
        "def f():\n    import d\n    __import__('unseen')\n",
        a="import train\n",
        package_X___init__="from . import e\n",
        package_X_b="from .deep import f as g\nfrom ..outside import x\n",
        package_X_deep_X___init__="",
        package_X_deep_X_c="",
        package_X_deep_X_f="from .. import h\n",
        package_X_e="",
        package_X_h="this is no Python\n",
        package_X_unused="",
        d="",
        unseen="",
        outside="",
    )
    assert imports(tmp_path) == {
        "train.py", "a.py", "d.py", "outside.py", "package/__init__.py", "package/b.py", "package/e.py",
        "package/h.py", "package/deep/__init__.py", "package/deep/c.py", "package/deep/f.py",
    }  # fmt: skip


def test_installed_libraries_below_the_folder_do_not_count(tmp_path: Path) -> None:
    """A virtual environment often lies beside the study."""
    site = tmp_path / ".venv" / "lib" / "site-packages"
    write(site, library="x = 1\n")
    write(tmp_path, train="import library\n")
    assert named_imports(tmp_path / "train.py", [tmp_path, site]) == {tmp_path / "train.py"}


@pytest.mark.parametrize(
    "source", ["\0", "import (", "(" * 5_000, "from " + "." * 50 + " import a\n", "import a.\n"]
)
def test_a_script_that_cannot_be_parsed_is_itself(tmp_path: Path, source: str) -> None:
    """Its bytes are hashed nevertheless."""
    write(tmp_path, train=source)
    assert imports(tmp_path) == {"train.py"}


def test_a_repository_cannot_run_anything(tmp_path: Path) -> None:
    """A hook that git's settings name for every status is not called."""
    write(tmp_path, train="x = 1\n")
    git = [
        "git",
        "-C",
        str(tmp_path),
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "-c",
        "commit.gpgsign=false",
    ]
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(tmp_path))}/sprung\n")
    trap.chmod(0o700)
    for arguments in (
        ["init", "-q"],
        ["add", "train.py"],
        ["commit", "-q", "-m", "first"],
        ["config", "core.fsmonitor", shlex.quote(str(trap))],
    ):
        subprocess.run([*git, *arguments], check=True)
    assert read_code([tmp_path / "train.py"], folder=tmp_path).is_dirty is False
    assert not (tmp_path / "sprung").exists()
    subprocess.run([*git, "status"], check=True, capture_output=True)
    assert (tmp_path / "sprung").exists()  # the trap works
