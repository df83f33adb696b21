"""The supervisor alone: it starts nothing by half, and needs nothing but the standard library."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sweep.trainers.program.process import supervisor


def serve(message: bytes) -> tuple[int, bytes]:
    """Run it with a message after which the worker dies; return its exit status and what it told."""
    reads, writes = os.pipe()
    process = subprocess.run(
        [sys.executable, "-I", "-S", supervisor.__file__, str(writes)],
        input=message,
        pass_fds=[writes],
        capture_output=True,
        timeout=60,
        check=False,
    )
    os.close(writes)
    with open(reads, "rb") as stream:
        return process.returncode, stream.read()


def request(*fields: str) -> bytes:
    """Return a message as the worker sends it."""
    body = "\0".join(fields).encode()
    return b"%010d" % len(body) + body


def test_a_whole_request_is_served(tmp_path: Path) -> None:
    """The control pipe closes at once, so the command is stopped."""
    status, told = serve(request("1", "-1", "", str(tmp_path), "2", "sleep", "600", "PATH=/usr/bin:/bin"))
    started, ended = told.decode().splitlines()
    assert status == 0
    assert started.split()[0] == "started"
    assert ended.split()[:4] == ["exit", "15", "0", "0"]


@pytest.mark.parametrize("n", [0, 5, 10, 30, -1])
def test_a_request_that_is_cut_starts_nothing(tmp_path: Path, n: int) -> None:
    """The worker died while it wrote."""
    message = request("1", "-1", "", str(tmp_path), "2", "touch", "made", "PATH=/usr/bin:/bin")
    assert serve(message[:n]) == (0, b"")
    assert list(tmp_path.iterdir()) == []


def test_it_imports_the_standard_library_alone() -> None:
    """It runs isolated, without site packages and without our own."""
    tree = ast.parse(Path(supervisor.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {a.name for node in imports if isinstance(node, ast.Import) for a in node.names}
    names |= {node.module or "." for node in imports if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
