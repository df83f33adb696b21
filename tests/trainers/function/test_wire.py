"""Messages over a socket: whole ones only, in their order, with files."""

import os
import socket
from collections.abc import Iterator

import pytest

from sweep.trainers.function import wire
from sweep.trainers.function.wire import Wire


@pytest.fixture
def ends() -> Iterator[tuple[Wire, Wire, socket.socket]]:
    left, right = socket.socketpair()
    with left, right:
        yield Wire(left), Wire(right), left


def test_messages_arrive_in_their_order(ends) -> None:
    """Also many at once, and none is none."""
    left, right, _ = ends
    for number in range(100):
        left.send({"number": number, "text": "ü\n"})
    assert [right.receive(5) for _ in range(100)] == [{"number": n, "text": "ü\n"} for n in range(100)]
    assert right.receive(0) is None
    assert right.receive(0.01) is None


def test_a_message_in_pieces_is_one(ends) -> None:
    """A half of it is nothing yet."""
    _, right, raw = ends
    raw.sendall(b'{"a": ')
    assert right.receive(0.01) is None
    raw.sendall(b"1}\n{")
    assert right.receive(5) == {"a": 1}
    assert right.receive(0.01) is None


def test_files_come_with_their_message(ends) -> None:
    """Copies of the descriptors that were sent."""
    left, right, _ = ends
    reader, writer = os.pipe()
    left.send({"begin": 1}, [reader, writer])
    os.close(reader), os.close(writer)
    assert right.receive(5) == {"begin": 1}
    theirs_reader, theirs_writer = right.files
    os.write(theirs_writer, b"through")
    assert os.read(theirs_reader, 100) == b"through"
    os.close(theirs_reader), os.close(theirs_writer)


def test_the_end_comes_after_all_messages(ends) -> None:
    """What was sent before is not lost; a line without an end is."""
    left, right, raw = ends
    left.send({"last": True})
    raw.sendall(b'{"cut')
    left.close()
    assert right.receive(5) == {"last": True}
    with pytest.raises(EOFError):
        right.receive(5)


@pytest.mark.parametrize(
    "line", [b"[1]", b"1", b"", b"{", b"\xff", b"[" * 100_000, b'{"a":' + b"9" * 5_000 + b"}"]
)
def test_what_is_no_json_object_is_refused(ends, line: bytes) -> None:
    """In bounded time and stack."""
    _, right, raw = ends
    raw.sendall(line + b"\n")
    with pytest.raises(ValueError):  # noqa: PT011  of several kinds
        right.receive(5)


def test_a_line_without_an_end_is_refused(ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it fills the memory."""
    _, right, raw = ends
    monkeypatch.setattr(wire, "_LONGEST", 1_000)
    raw.sendall(b"x" * 2_000)
    with pytest.raises(ValueError, match="more than"):
        right.receive(5)
