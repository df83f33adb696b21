"""Send JSON messages over a socket, one per line, optionally with open files; both sides of a host use it."""

import json
import socket
from collections import deque
from collections.abc import Mapping, Sequence

from sweep.values import Json

_CHUNK = 1 << 16
_LONGEST = 1 << 22
"""Longest message, in bytes; a longer one is refused, so that an endless line does not fill the memory."""

_MOST_FILES = 3


class Wire:
    """One end of a connected pair of sockets."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._lines: deque[bytes] = deque()
        self._begun = b""
        self.files: list[int] = []
        """Descriptors received with the messages; code that removes one must close it."""

    def send(self, message: Mapping[str, Json], files: Sequence[int] = ()) -> None:
        """Send a message with copies of descriptors.

        Raises:
            OSError: If the other end is closed.
        """
        line = json.dumps(message).encode() + b"\n"
        self._end.settimeout(None)
        if files:
            socket.send_fds(self._end, [line[:1]], list(files))
            line = line[1:]
        self._end.sendall(line)

    def receive(self, timeout: float | None = None) -> dict[str, Json] | None:
        """Return the next message; None if none came within ``timeout`` seconds.

        Raises:
            EOFError: If the other end is closed and all its messages were returned.
            ValueError: If a message is not a JSON object.
        """
        while not self._lines:
            self._end.settimeout(timeout)
            try:
                chunk, files, _, _ = socket.recv_fds(self._end, _CHUNK, _MOST_FILES)
            except (TimeoutError, BlockingIOError):
                return None
            except OSError as error:
                raise EOFError from error
            self._take(chunk, files)
        return _parse(self._lines.popleft())

    def close(self) -> None:
        """Close this end; the other end's ``receive`` raises EOFError."""
        self._end.close()

    def _take(self, chunk: bytes, files: Sequence[int]) -> None:
        if not chunk:
            raise EOFError
        self.files += files
        *whole, self._begun = (self._begun + chunk).split(b"\n")
        self._lines.extend(whole)
        if len(self._begun) > _LONGEST:
            raise ValueError(f"a message has more than {_LONGEST:,} bytes")


def _parse(line: bytes) -> dict[str, Json]:
    try:
        message = json.loads(line)
    except RecursionError:
        message = None
    if not isinstance(message, dict):
        raise ValueError("a message is not a JSON object")
    return message
