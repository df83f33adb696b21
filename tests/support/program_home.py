"""Studies of a user's own program, run by the product in a folder of their own, and what is left of them."""

import contextlib
import os
import textwrap
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sweep
from sweep.api.stored import StoredStudy
from sweep.cli import main
from sweep.definition.records import TrialRecord
from tests.support.sweep_command import wait_until


class Home:
    """A folder with study files, scripts and a database, and a mark that all started programs carry."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mark = folder, uuid.uuid4().hex

    def write(self, name: str, text: str) -> Path:
        """Write a file; the value MARK in it is replaced by the mark."""
        path = self.folder / name
        path.write_text(textwrap.dedent(text).replace('"MARK"', f'"{self.mark}"'), "utf-8")
        return path

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Work in the folder, with a ledger of its own."""
        with contextlib.chdir(self.folder), pytest.MonkeyPatch.context() as patch:
            patch.setenv("SWEEP_LEDGER", str(self.folder / "ledger.jsonl"))
            patch.delenv("SWEEP_STORAGE", raising=False)
            yield

    def run(self, study: str, **settings: Any) -> StoredStudy:
        """Run a study file in real worker processes."""
        with self.entered():
            return sweep.run(study, **settings)

    def command(self, *arguments: str) -> int:
        """Call the command line in this process; return its exit status."""
        with self.entered():
            return main(list(arguments))

    def trial_folder(self, study: str, number: int) -> Path:
        """Return the folder of a trial's program."""
        return self.folder / "studies" / "sweep.db.programs" / study / f"{number:06d}"

    def alive(self) -> list[int]:
        """Return the processes that carry the mark in their environment."""
        entry, found = f"HOME_MARK={self.mark}".encode(), []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if entry in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return [pid for pid in found if pid != os.getpid()]

    def all_end(self, within_s: float = 30) -> bool:
        """Say whether no marked process lives, at the latest at the deadline."""
        return wait_until(lambda: not self.alive(), within_s)


def by_choice(study: StoredStudy, name: str) -> dict[Any, TrialRecord]:
    """Return the trials by the value of one hyperparameter."""
    return {trial.params[name]: trial for trial in study.trials}
