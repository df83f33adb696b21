"""A function on its way to a child: large ones, those of modules, and children that do not want it."""

import importlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from sweep.errors import StudyFileError
from sweep.trainers.function.given.parcel import pack, read, readable, unpack
from sweep.trainers.function.probe import probe
from tests.support.sweep_command import wait_until

LARGE = np.arange(1_000_000)
"""Far more than a pipe holds."""


def loose(text: str, **values: object):
    """Return the function ``train`` of a script's text."""
    space = {"__name__": "__main__", **values}
    exec(text, space)  # noqa: S102  a script
    return space["train"]


def test_a_large_function_arrives(tmp_path: Path) -> None:
    """With the array that it uses, in a child, which says what it takes."""
    train = loose("def train(config, report):\n    return LARGE.sum()\n", LARGE=LARGE)
    found = probe("train", folder=tmp_path, cwd=tmp_path, parcel=pack(train, "train"))
    assert found.takes_report
    assert found.code.files == {}


def test_what_arrives_is_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that were read are those that were packed; its values go along."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    train = loose("def train(config):\n    return config + offset\n", offset=5)
    with readable(pack(train, "train")) as descriptor:
        parcel = read(descriptor=os.dup(descriptor))
    assert unpack(parcel)(1) == 6


def test_a_child_that_reads_nothing_keeps_no_thread(tmp_path: Path) -> None:
    """It has ended before it took the function."""
    before = threading.active_count()
    with readable(pack(loose("def train(config):\n    return LARGE\n", LARGE=LARGE), "train")) as descriptor:
        subprocess.run(["true"], pass_fds=[descriptor], check=True)
    assert wait_until(lambda: threading.active_count() <= before)


def test_a_function_of_a_module_is_found_where_this_process_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file counts as its code, and a change of it is one."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "work").mkdir()
    module = tmp_path / "lib/given_slopes.py"
    module.write_text("def train(config):\n    return 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    parcel = pack(importlib.import_module("given_slopes").train, "train")
    work = tmp_path / "work"
    found = probe("train", folder=work, cwd=work, parcel=parcel).code
    assert set(found.files) == {"../lib/given_slopes.py"}
    module.write_text("def train(config):\n    return 1.00\n")
    again = probe("train", folder=work, cwd=work, parcel=parcel).code
    assert found.changes(again) == ["../lib/given_slopes.py"]


def test_a_module_that_is_gone_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child cannot import what the function is in."""
    module = tmp_path / "given_gone.py"
    module.write_text("def train(config):\n    return 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    parcel = pack(importlib.import_module("given_gone").train, "train")
    module.unlink()
    with pytest.raises(StudyFileError, match=r"^trainer 'train': ModuleNotFoundError: .*given_gone"):
        probe("train", folder=tmp_path, cwd=tmp_path, parcel=parcel)


def test_an_open_file_cannot_be_sent(tmp_path: Path) -> None:
    """The line names the function and what is wrong."""
    with (tmp_path / "log").open("w") as log:
        train = loose("def train(config):\n    log.write('x')\n", log=log)
        with pytest.raises(StudyFileError, match=r"train cannot be sent to another process: .*files"):
            pack(train, "train")
