"""Name, write and read the files of a trial's folder: configuration, command, output and checkpoint.

Only the user can enter the folder. No link is followed, because the program can create one in the folder.
"""

import json
import os
import shlex
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from sweep.errors import StorageError
from sweep.storage.files import open_plain, refuse_unless, write_all_atomically
from sweep.trainers.program.reports import Thinned
from sweep.values import Params

_TAIL_BYTES = 1 << 18
"""Most bytes of a file that ``tail`` reads."""


class TrialFolder:
    """Names and writes the files of a trial's folder."""

    def __init__(self, path: Path, checkpoint: Path | None = None) -> None:
        """Set the paths; ``make`` creates the folder.

        Args:
            path: The trial's folder.
            checkpoint: The folder of its checkpoint; None is ``checkpoint`` in the trial's folder.
        """
        self.path = path
        self.config = path / "config.json"
        self.command = path / "command.txt"
        self.stdout = path / "stdout"
        self.stderr = path / "stderr"
        self.reported = path / "reported.jsonl"
        """``$SWEEP_REPORT``: the program appends to it; ``write_reports`` replaces it."""
        self.reports = path / "reports.jsonl"
        self.state = path / "segment.state"
        """The state of a task class, on its way between its process and the driver."""
        self.checkpoint = checkpoint or path / "checkpoint"

    @classmethod
    def of(cls, programs: Path, trial: int) -> "TrialFolder":
        """Return the folder of one trial, below the study's folder of programs."""
        return cls(programs / f"{trial:06d}")

    def make(self) -> None:
        """Create the folder and its checkpoint folder if missing, with mode 0700.

        Raises:
            StorageError: If a path is not a folder, or belongs to another user.
            OSError: If a folder cannot be created.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for folder in (self.path, self.checkpoint):
            refuse_unless(stat.S_ISDIR, folder)
            folder.mkdir(mode=0o700, exist_ok=True)
            if folder.stat().st_uid != os.getuid():
                raise StorageError(f"{folder} belongs to another user; move it away")
            folder.chmod(0o700)

    def write_config(self, values: Params) -> None:
        """Write the configuration as JSON."""
        self._write(self.config, json.dumps(values, indent=1, ensure_ascii=False) + "\n")

    def write_command(self, argv: Sequence[str], cwd: Path, variables: Mapping[str, str]) -> None:
        """Write a text that starts the same command when pasted into a shell.

        Args:
            argv: The command and its arguments.
            cwd: The working folder of the command.
            variables: Variables that the command's environment adds to the user's own; no secrets.
        """
        assigned = [f"{name}={value}" for name, value in variables.items()]
        lines = [shlex.join(["cd", str(cwd)]) + " &&", shlex.join(["env", *assigned]), shlex.join(argv)]
        self._write(self.command, " \\\n".join(lines) + "\n")

    def write_reports(self, thinned: Thinned) -> None:
        """Write the reports and remove the program's own file; a first line counts the omitted ones."""
        lines = thinned.lines()
        if len(lines) < thinned.seen:
            lines = [json.dumps({"kept": len(lines), "of": thinned.seen}), *lines]
        self._write(self.reports, "".join(f"{line}\n" for line in lines))
        self.reported.unlink(missing_ok=True)

    def write_state(self, state: bytes) -> None:
        """Write the state from which a task class resumes."""
        write_all_atomically(self.path, {self.state.name: state}, push=False)

    def take_state(self) -> bytes | None:
        """Read and remove the state that a task class has written; None for other programs.

        Raises:
            StorageError: If the file is a link or not a regular file.
        """
        try:
            with open_plain(self.state) as file:
                state: bytes = file.read()
        except FileNotFoundError:
            return None
        self.state.unlink(missing_ok=True)
        return state

    def tail(self, n: int) -> list[str]:
        """Return the last ``n`` lines of stderr, or of stdout if stderr is empty.

        Of a line that was redrawn with carriage returns, the last version is returned. Control characters are
        kept; the caller must make the lines printable.

        Raises:
            StorageError: If a file is a link or not a regular file.
        """
        return _last_lines(self.stderr, n) or _last_lines(self.stdout, n)

    def bytes(self) -> int:
        """Return the size of all files in the folder, in bytes; links are not followed."""
        total = 0
        for folder, _, files in os.walk(self.path):
            for name in files:
                try:
                    status = os.lstat(os.path.join(folder, name))
                except FileNotFoundError:
                    continue  # the program removed it meanwhile
                total += status.st_size if stat.S_ISREG(status.st_mode) else 0
        return total

    def _write(self, path: Path, text: str) -> None:
        content = text.encode("utf-8", "surrogateescape")
        write_all_atomically(self.path, {path.name: content}, push=False)


def lines_of(path: Path) -> list[str]:
    """Return the lines of a file that a program wrote; of a redrawn line, the last version.

    Raises:
        StorageError: If the file is a link or not a regular file.
    """
    try:
        with open_plain(path) as file:
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    lines = text.removesuffix("\n").split("\n") if text else []
    return [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in lines]


def _last_lines(path: Path, n: int) -> list[str]:
    """Return the last lines of a file that are not blank."""
    try:
        with open_plain(path) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    drawn = (line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n"))
    return [line for line in drawn if line][-n:] if n > 0 else []
