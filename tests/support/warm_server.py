"""A Python that has loaded the libraries already and forks itself into whatever is to be run.

``warm_python`` is its client. A request is one message: how a process is to be started, with its
descriptors. The answers are the process's number and, when it has ended, its status as ``waitpid`` has it.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import tempfile
import threading
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support import warm_python

REPOSITORY = Path(__file__).resolve().parents[2]
PRELOADED = (
    "tests.faults.faulty",
    "tests.faults.launcher",
    "tests.faults.machine",
    "sweep.dashboard.server",
    "sweep.cli.commands.run",
    "sweep.cli.progress",
    "sweep.api.training",
    "sweep.certify.confirm",
    "sweep.certify.test_split.final_test",
    "sweep.execution.pools.worker",
    "sweep.reporting.advice.checks",
    "sweep.reporting.text.confirmation",
    "sweep.reporting.note_taking",
    "sweep.reporting.page.report",
    "sweep.reporting.publish",
    "sweep.reporting.table.formats",
    "sweep.trainers.command.kind",
    "sweep.trainers.function.kind",
    "sweep.trainers.mlp.shown.exhibits",
    "sweep.trainers.mlp.training",
    "sweep.trainers.program.trainer",
)
LONGEST_REQUEST = 1 << 20
_SET_NAME = 15  # PR_SET_NAME of prctl


def main(address: str) -> None:
    """Serve until stdin ends, which is whoever started this process."""
    _load()
    asked = _serve(address)
    if asked is not None:  # in a forked process: its main thread goes on as that process, to its end
        _become(*asked)


def _load() -> None:
    """Import what commands and workers import, and load the compiled engine."""
    import torch

    from sweep.trainers.mlp.trainer import MLP
    from sweep.trainers.mlp.words.corpus import load_corpus

    threads = torch.get_num_threads()
    for name in PRELOADED:
        importlib.import_module(name)
    MLP.prepare_worker(load_corpus(REPOSITORY / "data/names.txt"), engine="fused", device="cpu")
    torch.set_num_threads(threads)
    gc.collect()
    gc.freeze()


def _serve(address: str) -> "_Asked | None":
    """Answer requests; return None at the end, and in each forked process what it is to become."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(address)
    listening.listen(64)
    woken, wakes = socket.socketpair()
    clients: dict[int, socket.socket] = {}
    with contextlib.ExitStack() as closed_last, selectors.DefaultSelector() as selector:
        for side in (woken, wakes):
            side.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        for file in (listening, woken, sys.stdin):
            selector.register(file, selectors.EVENT_READ)
        for file in (listening, woken, wakes):
            closed_last.callback(file.close)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            for key, _ in selector.select():
                if key.fileobj is sys.stdin:
                    return None
                if key.fileobj is woken:
                    woken.recv(4096)
                    _report_ended(clients)
                    continue
                client, _ = listening.accept()
                asked = _start(client, clients)
                if asked is not None:
                    for other in (client, *clients.values()):
                        other.close()
                    return asked


_Asked = tuple[dict[str, Any], list[int]]
"""A request and its descriptors, with the numbers that they have here."""


def _start(client: socket.socket, clients: dict[int, socket.socket]) -> _Asked | None:
    """Fork; return None in the server and the request in the new process."""
    message, descriptors, _, _ = socket.recv_fds(client, LONGEST_REQUEST, 64)
    if not message:
        client.close()
        return None
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        return json.loads(message), descriptors
    for descriptor in descriptors:
        os.close(descriptor)
    clients[pid] = client
    client.send(str(pid).encode())
    return None


def _report_ended(clients: dict[int, socket.socket]) -> None:
    """Send the status of each process that has ended to whoever asked for it, and forget it."""
    while clients:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with clients.pop(pid) as client:
            try:
                client.send(str(status).encode())
            except OSError:  # whoever asked has ended
                continue


def _place(wanted: dict[int, int]) -> None:
    """Give descriptors the numbers that they have in the asking process, and close all others."""
    above = max(wanted) + 1
    moved = {}
    for number, descriptor in wanted.items():
        while (copy := os.dup(descriptor)) < above:
            pass
        moved[number] = copy
    for number, copy in moved.items():
        os.dup2(copy, number)
    lowest = 0
    for number in sorted(wanted):
        if lowest < number:  # an empty range would be taken for an endless one
            os.closerange(lowest, number)
        lowest = number + 1
    os.closerange(lowest, os.sysconf("SC_OPEN_MAX") if lowest > 4096 else 4096)


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    """Be the process that was asked for: its session, folder, environment, streams and program."""
    _place(dict(zip(request["descriptors"], descriptors, strict=True)))
    _take_signals(request["ignored"])
    if request["session"]:
        os.setsid()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the import of sweep.cli would
    time.tzset()
    tempfile.tempdir = None
    ctypes.CDLL(None).prctl(_SET_NAME, request["name"].encode(), 0, 0, 0)
    sys.stdin, sys.stdout, sys.stderr = (_stream(number) for number in range(3))
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    warm_python.install()
    kind, *arguments = request["arguments"]
    what = "" if kind == "-" else arguments.pop(0)
    sys.argv = [kind, *arguments]
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    with _quick_end():
        if kind == "-m":
            sys.path.insert(0, os.getcwd())
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            sys.path.insert(0, "")
            code = what if kind == "-c" else compile(sys.stdin.buffer.read(), "<stdin>", "exec")
            exec(code, main.__dict__)  # noqa: S102  as ``python -c`` and ``python -`` do


def _take_signals(ignored: list[int]) -> None:
    """Ignore the signals that the asking process ignores; have the others as at an interpreter's start."""
    cannot = {signal.SIGKILL, signal.SIGSTOP}
    python_ignores = {signal.SIGPIPE, signal.SIGXFSZ}
    for number in signal.valid_signals() - cannot - python_ignores:
        signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
    if signal.SIGINT not in ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def _quick_end() -> Iterator[None]:
    """End as the interpreter does, but for taking all loaded modules apart, which takes half a second."""
    status: int | str | None = None
    try:
        yield
    except SystemExit as end:
        status = end.code
        if not (status is None or isinstance(status, int)):
            raise
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # the interpreter prints it, when it fails again at its end
        sys.exit(status)
    os._exit((status or 0) & 0xFF)


def _stream(number: int) -> io.TextIOWrapper:
    """Open a standard stream as the interpreter does at its start."""
    raw = open(number, "rb" if number == 0 else "wb", closefd=False)  # noqa: SIM115  as long as the process
    errors = "backslashreplace" if number == 2 else "strict"
    lines = number == 2 or (number == 1 and os.isatty(number))
    return io.TextIOWrapper(raw, encoding="utf-8", errors=errors, line_buffering=lines)


if __name__ == "__main__":
    main(sys.argv[1])
