"""Run a script with ``--help`` and return what it prints, if its source does not list its options."""

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
"""A script that imports large libraries needs some seconds before it prints its help."""

_GRACE_S = 1.0
_LARGEST = 1 << 20
"""Bytes of output that are read."""

_PLAIN = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb", "PYTHONDONTWRITEBYTECODE": "1"}
"""Variables with which libraries print long lines without colours, and leave no files beside the script."""


def printed_help(script: Path, timeout_s: float = TIMEOUT_S) -> str:
    """Return what ``python SCRIPT --help`` prints; it runs in an empty folder, and all it starts is ended.

    Raises:
        DataError: If it takes longer, or prints without an end.
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


_BY_HAND = "write the study file by hand, `sweep init DIR` lays out examples"


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
    """Return all that comes until the end of the stream; None if that does not come in time."""
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
