"""Follow a study in a process of its own, so that a tracker that fails or hangs costs the run nothing.

The parent writes one line that names the study, then a byte whenever a trial has ended. When it closes the
pipe, or has died, what is left is logged. The last line on stdout is a JSON object for the parent.
"""

import contextlib
import json
import os
import re
import time

from sweep.errors import NotFoundError, StorageError
from sweep.storage.database import Database
from sweep.tracking.study_log import StudyLog
from sweep.values import Json

PAUSE_S = 0.5
"""Seconds between two looks at the database."""

NICENESS = 10
"""How far the process steps back behind those that train."""


_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_ERROR_REPORTING": "false"}
"""Variables that keep the libraries from calling their makers, unless the user sets them."""


def main() -> None:
    """Log trials until the parent closes the pipe, and print the outcome."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICENESS)
    os.environ.update({name: text for name, text in _QUIET.items() if name not in os.environ})
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is not the answer
    try:
        outcome = _follow(json.loads(_first_line()))
    except Exception as error:  # noqa: BLE001  the parent prints it
        outcome = {"error": _without_passwords(f"{type(error).__name__}: {error}".partition("\n")[0])}
    answer.write(json.dumps(outcome) + "\n")
    answer.close()
    os._exit(
        0
    )  # what a library still wants to do at its end, such as a call to its makers, has no time limit


def _without_passwords(text: str) -> str:
    """Return a text without the names and passwords in its addresses.

    Examples:
        >>> _without_passwords("http://me:secret@host:5000/x refused")
        'http://host:5000/x refused'
    """
    return re.sub(r"://[^\s/]*@", "://", text)


def _first_line() -> bytes:
    line = b""
    while not line.endswith(b"\n") and (more := os.read(0, 1)):
        line += more
    return line


def _follow(asked: dict[str, Json]) -> dict[str, Json]:
    """Update the tracker whenever the parent writes, and once more at the end."""
    log = StudyLog(asked["tracker"], asked["study"], Database(asked["storage"], asked["files"]))
    while os.read(0, 65_536):
        with contextlib.suppress(NotFoundError, StorageError):  # read again, at the latest at the end
            log.update()
        time.sleep(PAUSE_S)
    log.update()
    return {"added": log.added, "where": log.where}
