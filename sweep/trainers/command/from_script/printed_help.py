"""Run a script with ``--help`` and return its output, for scripts whose source lists no options."""

import os
import select
import sys
import tempfile
import time
from pathlib import Path

from sweep.errors import DataError
from sweep.trainers.program.process.environment import child_environment
from sweep.trainers.program.process.supervised import Supervised

TIMEOUT_S = 20.0
"""Time limit; a script that imports large libraries needs some seconds before it prints its help."""

_GRACE_S = 1.0
_LARGEST = 1 << 20
"""Largest output, in bytes."""

_PLAIN = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb", "PYTHONDONTWRITEBYTECODE": "1"}
"""Variables that make libraries print long lines without colours, and write no files beside the script."""


def printed_help(script: Path, timeout_s: float = TIMEOUT_S) -> str:
    """Return the output of ``python SCRIPT --help``, run in an empty folder; all its processes are ended.

    Raises:
        DataError: If the script takes longer, or prints too much.
    """
    deadline = time.monotonic() + timeout_s
    with tempfile.TemporaryDirectory(prefix="sweep-help-") as name:
        folder = Path(name)
        read_end, write_end = os.pipe()
        try:
            program = Supervised(
                [sys.executable, os.fspath(script.resolve()), "--help"],
                cwd=folder,
                env=_environment(folder),
                grace=_GRACE_S,
                stdout=write_end,
                stderr=write_end,
            )
        finally:
            os.close(write_end)
        with program, os.fdopen(read_end, "rb", buffering=0) as output:
            content = _read(output.fileno(), deadline)
    if content is None:
        raise DataError(
            f"python {script} --help did not end within {timeout_s:g} s; {_BY_HAND}", key="no-options"
        )
    return content.decode("utf-8", "replace")


_BY_HAND = "write the study file by hand, `sweep init DIR` creates examples"


def _environment(folder: Path) -> dict[str, str]:
    return child_environment(
        os.environ,
        study="help",
        trial=0,
        seed=0,
        dir=folder,
        checkpoint=folder,
        report=folder / "reports.jsonl",
        config=folder / "config.json",
        resumed=False,
        deadline=None,
        device="cpu",
        cpus=1,
        env=_PLAIN,
        secrets=(),
    )


def _read(descriptor: int, deadline: float) -> bytes | None:
    """Return the stream's content; None if the stream does not end before the deadline."""
    content = b""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while (left_s := deadline - time.monotonic()) > 0 and len(content) <= _LARGEST:
        if poll.poll(left_s * 1000):
            chunk = os.read(descriptor, 65_536)
            if not chunk:
                return content
            content += chunk
    return None
