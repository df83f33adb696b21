"""Output is kept in bounded files and handed on, and no program waits for us."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sweep.trainers.program.process.capture import FIRST_BYTES, LAST_BYTES, Capture, KeptOutput
from tests.support.programs import SOON_S, script, supervise
from tests.support.sweep_command import wait_until

NOTICE = b"\n[sweep: %20s bytes left out here]\n"


def expected(content: bytes, first: int, last: int) -> bytes:
    """What a file holds at its end, computed at once."""
    if len(content) <= first + last:
        return content
    left_out = len(content) - first - last
    return content[:first] + NOTICE % f"{left_out:,}".encode() + content[-last:]


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 600, 601, 1_101, 1_200, 5_000, 54_321])
@pytest.mark.parametrize("chunk", [1, 7, 250, 100_000])
def test_the_beginning_and_the_end_are_kept(tmp_path: Path, size: int, chunk: int) -> None:
    """At every size and in chunks of every size; what is between is counted exactly."""
    content = b"".join(b"%06d," % n for n in range(size // 7 + 1))[:size]
    kept = KeptOutput(tmp_path / "stdout", first=100, last=500)
    for place in range(0, size, chunk):
        kept.write(content[place : place + chunk])
        assert (tmp_path / "stdout").stat().st_size <= 100 + len(NOTICE % b"") + 1_000 + 40
    kept.close()
    assert (tmp_path / "stdout").read_bytes() == expected(content, 100, 500)
    assert kept.left_out == max(0, size - 600)


def test_the_file_can_be_read_at_any_time(tmp_path: Path) -> None:
    """It begins and ends as the output did, and counts what it lacks."""
    kept = KeptOutput(tmp_path / "stdout", first=100, last=500)
    content = b""
    for n in range(500):
        line = b"line %d\n" % n
        content += line
        kept.write(line)
        text = (tmp_path / "stdout").read_bytes()
        assert text[:100] == content[:100]
        assert text[-500:] == content[-500:] or len(content) <= 600
        assert kept.left_out == 0 or NOTICE % f"{kept.left_out:,}".encode() in text
    kept.close()


def test_the_file_is_its_owners_and_no_link(tmp_path: Path) -> None:
    """Mode 0600 whatever the umask; a link is not written through."""
    KeptOutput(tmp_path / "stdout").close()
    assert (tmp_path / "stdout").stat().st_mode & 0o777 == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic link"):
        KeptOutput(tmp_path / "link")
    assert not (tmp_path / "target").exists()


def run(
    folder: Path,
    text: str,
    hand_on: Callable[[bytes], object] | None = None,
    secrets: list[str] | None = None,
) -> Capture:
    """Run a script to its end with its output captured."""
    capture = Capture(folder / "stdout", hand_on, secrets or [])
    process = supervise(folder, script(folder, text), grace=0.3, output=capture.fd)
    capture.begin()
    assert process.wait(SOON_S)
    capture.close()
    return capture


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("", b""),
        ("print('no newline', end='')", b"no newline"),
        ("os.write(1, bytes(range(256)) * 1000)", bytes(range(256)) * 1000),
        ("os.write(1, b'50%\\r51%\\r' * 20_000)", b"50%\r51%\r" * 20_000),
        ("os.write(1, b'\\r' * 300_000)", b"\r" * 300_000),
        ("os.write(1, b'a'); os.write(2, b'b'); os.close(1); os.close(2)", b"ab"),
    ],
)
def test_output_is_kept_and_handed_on_byte_for_byte(tmp_path: Path, text: str, content: bytes) -> None:
    """Nothing, garbage, only carriage returns, closed early."""
    chunks: list[bytes] = []
    capture = run(tmp_path, text, chunks.append)
    assert (
        b"".join(chunks).replace(b"ba\n", b"a\nb") in (content, content[::-1]) or b"".join(chunks) == content
    )
    assert (tmp_path / "stdout").read_bytes() == b"".join(chunks)
    assert capture.n_bytes == len(content)


def test_10_megabytes_are_cut_in_the_middle(tmp_path: Path) -> None:
    """All are handed on; the file has the first MiB and the last 4."""
    total = 0

    def count(chunk: bytes) -> None:
        nonlocal total
        total += len(chunk)

    run(tmp_path, "for n in range(1_000_000): sys.stdout.write('%09d\\n' % n)", count)
    content = b"".join(b"%09d\n" % n for n in range(1_000_000))
    assert total == len(content)
    assert (tmp_path / "stdout").read_bytes() == expected(content, FIRST_BYTES, LAST_BYTES)


def resident_bytes() -> int:
    """Return the memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_program_that_writes_as_fast_as_it_can_fills_no_memory_and_no_disk(tmp_path: Path) -> None:
    """A second of ``yes`` is hundreds of megabytes; it is stopped like any other."""
    capture = Capture(tmp_path / "stdout")
    process = supervise(tmp_path, ["yes", "x" * 100], grace=5, output=capture.fd)
    before = resident_bytes()
    capture.begin()
    assert wait_until(lambda: capture.n_bytes > 200e6, SOON_S)
    assert resident_bytes() - before < 40e6
    assert (tmp_path / "stdout").stat().st_size < FIRST_BYTES + 2 * LAST_BYTES + (1 << 17)
    started = time.monotonic()
    assert process.stop().signal == 15
    capture.close()
    assert time.monotonic() - started < SOON_S
    assert (tmp_path / "stdout").stat().st_size == FIRST_BYTES + LAST_BYTES + len(NOTICE % b"")


def test_output_comes_while_the_program_runs(tmp_path: Path) -> None:
    """Within a second, unlike what a program keeps in its own buffer."""
    seen: list[float] = []
    capture = Capture(tmp_path / "stdout", lambda _: seen.append(time.time()))
    text = "print(time.time(), flush=True); time.sleep(600)"
    process = supervise(tmp_path, script(tmp_path, text), output=capture.fd)
    capture.begin()
    assert wait_until(lambda: bool(seen), SOON_S)
    assert seen[0] - float((tmp_path / "stdout").read_text()) < 1
    process.stop()
    capture.close()


def test_secrets_are_masked_in_the_file_and_in_what_is_handed_on(tmp_path: Path) -> None:
    """Also where a program writes one in two pieces."""
    chunks: list[bytes] = []
    text = "os.write(1, b'key: hun'); time.sleep(0.2); os.write(1, b'ter2!\\n'); os.write(1, b'hunt')"
    run(tmp_path, text, chunks.append, ["hunter2"])
    assert (tmp_path / "stdout").read_bytes() == b"".join(chunks) == b"key: ***!\nhunt"


def test_an_error_of_the_reader_does_not_block_the_program(tmp_path: Path) -> None:
    """The program writes on and ends; the error is raised at the close."""
    capture = Capture(tmp_path / "stdout", lambda _: 1 / 0)
    text = "os.write(1, b'x' * 1000); time.sleep(0.1)\nfor _ in range(100): os.write(1, b'y' * 60_000)"
    process = supervise(tmp_path, script(tmp_path, text), output=capture.fd)
    capture.begin()
    end = process.wait(SOON_S)
    assert end is not None
    assert end.code == 0
    with pytest.raises(ZeroDivisionError):
        capture.close()


def test_a_full_disk_does_not_block_the_program(tmp_path: Path) -> None:
    """As /dev/full has it; the error says so."""
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    capture = Capture(tmp_path / "stdout")
    with open("/dev/full", "wb", buffering=0) as full:
        os.dup2(full.fileno(), capture.kept._file.fileno())
    process = supervise(tmp_path, ["sh", "-c", "yes | head -c 3000000"], output=capture.fd)
    capture.begin()
    end = process.wait(SOON_S)
    assert end is not None
    assert end.code == 0
    with pytest.raises(OSError, match="No space left"):
        capture.close()


def test_a_pipe_that_somebody_holds_open_is_left(tmp_path: Path) -> None:
    """A process that could not be ended: what has arrived is kept, and the close does not hang."""
    capture = Capture(tmp_path / "stdout")
    held = os.dup(capture.fd)
    os.write(held, b"arrived")
    capture.begin()
    started = time.monotonic()
    capture.close(drain_s=0.2)
    assert time.monotonic() - started < SOON_S
    os.close(held)
    assert (tmp_path / "stdout").read_bytes() == b"arrived"


def test_a_writer_without_an_end_is_left(tmp_path: Path) -> None:
    """The same if it goes on writing."""
    capture = Capture(tmp_path / "stdout")
    held = os.dup(capture.fd)

    def write() -> None:
        try:
            while True:
                os.write(held, b"x" * 1000)
        except BrokenPipeError:
            os.close(held)

    writer = threading.Thread(target=write)
    writer.start()
    capture.begin()
    capture.close(drain_s=0.1)
    writer.join(SOON_S)
    assert not writer.is_alive()


def test_nothing_is_kept_open(tmp_path: Path) -> None:
    """A capture that never began too, as of a command that could not be started."""
    before = set(os.listdir("/proc/self/fd")), threading.active_count()
    Capture(tmp_path / "a").close()
    run(tmp_path, "print(1)")
    assert (set(os.listdir("/proc/self/fd")), threading.active_count()) == before
