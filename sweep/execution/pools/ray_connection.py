"""Connect this process to a Ray cluster, and undo Ray's changes to the process.

Ray takes over a signal, prints to stdout, and waits long for a missing cluster; this module undoes that. Ray
sends Python objects as pickles, so anyone who can reach a cluster can run code on it: protect it with tokens
or a private network.

References:
    https://docs.ray.io/en/latest/ray-security/index.html
"""

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import ray
from ray import exceptions

from sweep.errors import MachineError
from sweep.execution.pools.pool import describe
from sweep.libraries import RAY, private_names

KNOCK_S = 5.0
"""Seconds within which a cluster must answer."""


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[str]:
    """Connect to a cluster at the address, else at ``RAY_ADDRESS``, else to a new local one.

    Yields an address for ``knock``.

    Raises:
        MachineError: If there is no cluster.
    """
    if ray.is_initialized():  # by the calling program, which will end it
        yield _head()
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # errors are raised as exceptions
    with _signals_kept(), _stderr_kept(), _files_private():
        address = _connect(address)
    try:
        with _stdout_kept():
            yield address if "://" in address else _head()
    finally:
        with _signals_kept():
            ray.shutdown()


def _connect(address: str | None) -> str:
    """Connect, and return the cluster's address."""
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    knock(address)
    local = {"include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address, log_to_driver=False, logging_level="CRITICAL", **local)
    except ConnectionError as error:
        raise MachineError(f"the Ray cluster at {address} cannot be reached: {_reason(error)}") from error
    except (RuntimeError, ValueError, OSError, exceptions.RayError) as error:
        raise MachineError(f"Ray does not start: {describe(error)}") from error
    return address


def _reason(error: Exception) -> str:
    """Return the first line of an error, and the second if the first only announces it."""
    first, *rest = [line.strip() for line in str(error).splitlines() if line.strip()] or [
        type(error).__name__
    ]
    return f"{first} {rest[0]}" if first.endswith(":") and rest else first


def _head() -> str:
    return str(ray.get_runtime_context().gcs_address)


def knock(address: str) -> None:
    """Refuse an address where nothing listens; Ray would retry for a quarter of an hour.

    Raises:
        MachineError: If nothing listens.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), KNOCK_S).close()
    except (OSError, OverflowError) as error:
        raise MachineError(f"no Ray cluster listens at {address}: {describe(error)}") from error


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """Restore the handler of SIGTERM, which makes a driver store its running trials."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _files_private() -> Iterator[None]:
    """Keep other users of the machine from reading the token that Ray may create."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextlib.contextmanager
def _stdout_kept() -> Iterator[None]:
    """Keep Ray's reports of dead machines off stdout, which is for results; Ray has no option for it."""
    with private_names(RAY):
        worker: Any = ray._private.worker
        printer = worker.print_to_stdstream
    worker.print_to_stdstream = lambda *_, **__: None
    try:
        yield
    finally:
        worker.print_to_stdstream = printer


@contextlib.contextmanager
def _stderr_kept() -> Iterator[None]:
    """Keep the output of Ray's core during connection off stderr; errors are raised as exceptions."""
    stderr = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    sys.stderr.flush()
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nothing)


@contextlib.contextmanager
def ray_errors() -> Iterator[None]:
    """Turn errors of the cluster itself into one line.

    Raises:
        MachineError: In place of Ray's error.
    """
    try:
        yield
    except (exceptions.RayError, ConnectionError) as error:
        raise MachineError(
            f"the Ray cluster does not answer: {describe(error)}; run the same command to resume"
        ) from error
