"""Start the process that logs a study's trials, and read its outcome."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

from sweep.errors import MachineError
from sweep.storage.database import Database
from sweep.values import Json

_ROOT = str(Path(__file__).parents[2])

_START = (
    "import sys; root = sys.argv.pop(1); root in sys.path or sys.path.append(root); "
    "from sweep.tracking.child import main; main()"
)
"""As for a worker: the folder that ``sweep`` is in may be that of a checkout."""


class TrackingProcess:
    """Runs ``child`` for one study. Nothing here waits but ``outcome``."""

    def __init__(self, tracker: str, study: str, database: Database) -> None:
        """Start the process, in a session of its own, so that a terminal's Ctrl-C does not reach it.

        Args:
            tracker: One of ``TRACKERS``, checked.
            study: Name of the study, which may not be stored yet.
            database: Where it is stored.

        Raises:
            MachineError: If the system refuses a process.
        """
        argv = [sys.executable, "-P", "-c", _START, _ROOT]  # -P: nothing is imported from this folder
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own module
                argv, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            raise MachineError(f"its process cannot start: {error.strerror}") from error
        assert self._process.stdin is not None, "it is a pipe"
        self._pipe = self._process.stdin.fileno()
        os.set_blocking(self._pipe, False)
        storage, files = database.given
        asked = {"tracker": tracker, "study": study, "storage": storage, "files": files}
        self._write(json.dumps(asked).encode() + b"\n")  # not as arguments, which every user can read

    def hint(self) -> None:
        """Say that there may be something to log; the process looks once more at the end in any case."""
        self._write(b".")

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended already."""
        return self._process.poll() is not None

    def ends_within(self, seconds: float) -> bool:
        """Give no more hints, and return whether the process has logged what is left by then."""
        if self._process.stdin is not None:
            self._process.stdin.close()
            self._process.stdin = None  # or ``communicate`` would write to it
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def outcome(self, patience_s: float | None) -> dict[str, Json]:
        """Wait until the process has logged the remaining trials, and return its outcome.

        If it failed, the key ``error`` has the reason.

        Args:
            patience_s: Seconds to wait before the process is ended; None is for ever.
        """
        try:
            written, _ = self._process.communicate(timeout=patience_s)
            outcome: dict[str, Json] = json.loads(written)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return {"error": f"it did not end within {patience_s:g} s"}
        except ValueError:
            return {"error": f"its process ended with status {self._process.returncode}"}
        return outcome

    def _write(self, text: bytes) -> None:
        with contextlib.suppress(OSError):  # a full pipe holds hints enough; an early end is seen later
            os.write(self._pipe, text)
