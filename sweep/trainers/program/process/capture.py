"""Keep a stream of output in a file of bounded size, and pass its chunks on.

The file contains the first MiB and the last 4 MiB, with a line between them that counts the omitted bytes. It
can be read at any time; while the program runs, it may contain 4 MiB more.
"""

import contextlib
import os
import select
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from sweep.trainers.program.process.environment import Mask

FIRST_BYTES = 1 << 20
LAST_BYTES = 4 << 20
_CHUNK = 1 << 16
_PIPE_BYTES = 1 << 20
"""Largest content of a pipe without special rights, in bytes."""
_DRAIN_S = 1.0
"""Seconds that ``close`` waits for the end of the stream before it keeps only what has arrived."""


class KeptOutput:
    """A file that keeps the beginning and the end of a stream."""

    def __init__(self, path: Path, first: int = FIRST_BYTES, last: int = LAST_BYTES) -> None:
        """Create the file, readable only by its owner; a link at the path is refused.

        Raises:
            OSError: If the file cannot be created.
        """
        self._file: BinaryIO = open(path, "w+b", buffering=0, opener=_open_private)  # noqa: SIM115  until close
        self._first, self._last = first, last
        self._size = 0
        self.left_out = 0
        """Number of omitted bytes."""

    def write(self, chunk: bytes) -> None:
        """Append a chunk.

        Raises:
            OSError: If the disk is full.
        """
        _write_all(self._file, chunk)
        self._size += len(chunk)
        if self._size - self._tail_start() > 2 * self._last:
            self._drop()

    def close(self) -> None:
        """Reduce the file to its beginning and end, and close it."""
        with contextlib.closing(self._file):
            if self._size - self._tail_start() > self._last:
                self._drop()

    def _tail_start(self) -> int:
        """Return where the tail begins: after the first bytes and the notice, if there is one."""
        return self._first + (len(_notice(0)) if self.left_out else 0)

    def _drop(self) -> None:
        """Move the last bytes behind the first ones and a notice that counts the omitted bytes."""
        self._file.seek(self._size - self._last)
        tail = self._file.read(self._last)
        self.left_out += self._size - self._tail_start() - len(tail)
        content = _notice(self.left_out) + tail
        self._file.seek(self._first)
        _write_all(self._file, content)
        self._size = self._first + len(content)
        self._file.truncate(self._size)


def _open_private(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


def _write_all(file: BinaryIO, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]


def _notice(left_out: int) -> bytes:
    """Return the notice between beginning and end, always of the same length."""
    return b"\n[sweep: %20s bytes left out here]\n" % f"{left_out:,}".encode()


class Capture:
    """Reads one stream of a program in a thread, so that the program never blocks on a full pipe.

    Pass ``fd`` to the program as its stdout or stderr, then call ``begin``. After an error of the file or of
    ``hand_on``, the rest of the stream is read and discarded; ``close`` raises the error.
    """

    def __init__(
        self, path: Path, hand_on: Callable[[bytes], object] | None = None, secrets: Sequence[str] = ()
    ) -> None:
        """Create the file and the pipe.

        Args:
            path: The file for the output.
            hand_on: Called in the thread with each chunk of at most 64 KiB, with secrets masked.
            secrets: Values to mask.

        Raises:
            OSError: If the file cannot be created.
        """
        self.kept = KeptOutput(path)
        self.n_bytes = 0
        """Number of bytes read so far."""
        self._hand_on, self._mask = hand_on, Mask(secrets)
        self._fault: Exception | None = None
        self._pipe, self.fd = os.pipe()
        self._closing, self._tell_closing = os.pipe()
        self._thread = threading.Thread(target=self._read, name=f"capture {path.name}", daemon=True)

    def begin(self) -> None:
        """Start reading; call it once the program has ``fd``, which is closed here."""
        os.close(self.fd)
        self._thread.start()

    def close(self, drain_s: float = _DRAIN_S) -> None:
        """Keep what has arrived and close the file; call after the program's end, or instead of ``begin``.

        Args:
            drain_s: Seconds to wait for the end of the stream, which a surviving process may keep open.

        Raises:
            OSError: If the file could not be written.
            Exception: The error that ``hand_on`` raised.
        """
        if self._thread.ident is None:
            self.begin()
        self._thread.join(drain_s)
        os.close(self._tell_closing)
        self._thread.join()
        os.close(self._closing)
        if self._fault is not None:
            raise self._fault

    def _read(self) -> None:
        """Read until the end of the stream, or until ``close`` stops waiting and nothing more has arrived."""
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        poll.register(self._closing, select.POLLIN)
        left = _PIPE_BYTES
        while left > 0 and self._pipe in (ready := {fd for fd, _ in poll.poll()}):
            chunk = os.read(self._pipe, _CHUNK)
            if not chunk:
                break
            left -= len(chunk) if self._closing in ready else 0
            self.n_bytes += len(chunk)
            self._take(self._mask.feed(chunk))
        os.close(self._pipe)
        self._take(self._mask.close(), is_last=True)

    def _take(self, chunk: bytes, *, is_last: bool = False) -> None:
        """Keep a chunk and pass it on, unless an earlier one failed."""
        try:
            if chunk and self._fault is None:
                self.kept.write(chunk)
                if self._hand_on is not None:
                    self._hand_on(chunk)
            if is_last:
                self.kept.close()
        except Exception as error:  # noqa: BLE001  close raises it; the program must not wait for a dead thread
            self._fault = self._fault or error
