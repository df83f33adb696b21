"""Where do segments run on a cluster?

As tasks of Ray, which finds a machine with room for each. The trainer and its data are put into Ray's
object store once, and fetched once by each worker process, which trains every segment that Ray
sends it. A machine that is lost takes nothing along but the segments in training there: these are
submitted again, and no trial is to blame. A worker that dies alone is a death of its trial, as in
any pool.

Ray sends Python objects as pickles, so whoever can reach a cluster can run code on it; keep it
closed to others (its tokens, a network of its own).

References:
    https://docs.ray.io/en/latest/ray-core/fault-tolerance.html
"""

import contextlib
import dataclasses
import itertools
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import ray
from ray import exceptions

from sweep import __version__
from sweep.errors import MachineError
from sweep.search.pool import PoolRequest, SegmentOutcome, describe, train_job
from sweep.task.protocol import AnyTask, Segment, SegmentJob

LOOK_S = 5.0
"""How often the cluster is asked how large it is, seconds."""

HEAD_PATIENCE_S = 30.0
"""How long the head may not listen, as it is started again, seconds; after 60 Ray gives up."""

KNOCK_S = 5.0
"""How long a cluster may take to answer at all, seconds."""

_LOST = (exceptions.NodeDiedError, exceptions.ObjectLostError)
"""What ends a task whose machine is gone, or its result with it."""

_DIED = (exceptions.WorkerCrashedError, exceptions.OutOfMemoryError)
"""What ends a task whose process is gone."""


@dataclasses.dataclass(slots=True)
class _Sent:
    """A job in the hands of Ray."""

    job: SegmentJob
    result: Any
    ticket: int
    """Of this attempt: a job that is submitted again has another one."""


class RayPool:
    """Tasks on a cluster of Ray, as many at a time as it has room for."""

    def __init__(self, asked: PoolRequest) -> None:
        """Connect, and hand over what every worker needs.

        Raises:
            MachineError: If there is no cluster at the address, or no room for a single segment in it.
        """
        device = asked.devices[0]
        self.devices: tuple[str, ...] = (device,)
        self._connection = contextlib.ExitStack()
        self._connection.enter_context(_connected(asked.address))
        self._resources, self._workers, self._at_most = asked.resources, asked.workers, asked.at_most
        self._sent: dict[int, _Sent] = {}
        self._tickets = itertools.count()
        self._head = asked.address or ray.get_runtime_context().gcs_address
        self._room, self._looked, self._heard = 0, -math.inf, time.monotonic()
        try:
            self._look()
            self._refuse_no_room()
            with _ray_errors():
                self._shared = [ray.put((asked.task, asked.data, asked.engine, device, __version__))]
                self._clock = ray.remote(num_cpus=0, max_restarts=-1)(_Clock).remote()
        except BaseException:
            self.close()
            raise
        self._train = ray.remote(num_cpus=asked.resources.cpus, num_gpus=asked.resources.gpus, max_retries=0)(
            _train
        )

    @property
    def places(self) -> int:
        """Return for how many jobs there is room now; machines come and go."""
        self._look()
        return min(self._workers or self._room, self._at_most)

    def free(self) -> int:
        """Return the number of empty places."""
        return max(0, self.places - len(self._sent))

    def next_device(self) -> str:
        """Return the kind of device; Ray says to each task which one it is."""
        return self.devices[0]

    def submit(self, job: SegmentJob) -> None:
        """Hand the job to Ray."""
        ticket = next(self._tickets)
        with _ray_errors():
            result = self._train.remote(self._shared, self._clock, ticket, job)
        self._sent[job.trial] = _Sent(job, result, ticket)

    def wait(self, timeout: float) -> list[SegmentOutcome]:
        """Return what ended; what was lost with its machine is submitted again."""
        if not self._sent:
            return []
        of_result = {sent.result: sent for sent in self._sent.values()}
        with _ray_errors():
            ended, waiting = ray.wait(list(of_result), num_returns=1, timeout=timeout)
            if ended and waiting:
                more, _ = ray.wait(waiting, num_returns=len(waiting), timeout=0)
                ended += more
        found = [self._take(of_result[result]) for result in ended]
        return [outcome for outcome in found if outcome is not None]

    def elapsed(self, trial: int) -> float:
        """Return for how many seconds the trial's job has run; waiting and a worker's start do not count."""
        sent = self._sent[trial]
        try:
            return float(ray.get(self._clock.running_for.remote(sent.ticket), timeout=1))
        except exceptions.RayError:  # it is being started again elsewhere
            return 0.0

    def kill(self, trial: int) -> None:
        """End the trial's task, and its process."""
        self._cancel(self._sent.pop(trial))

    def close(self) -> None:
        """End all tasks and leave the cluster; a cluster that was started here ends."""
        for sent in self._sent.values():
            self._cancel(sent)
        self._sent.clear()
        self._connection.close()

    def _take(self, sent: _Sent) -> SegmentOutcome | None:
        """Return what became of a job; None where it must be done again."""
        del self._sent[sent.job.trial]
        try:
            result = ray.get(sent.result)
        except _LOST:
            self.submit(sent.job)
            return None
        except _DIED:
            return SegmentOutcome(trial=sent.job.trial)
        except exceptions.RayTaskError as error:
            fault = error.cause if isinstance(error.cause, Exception) else error
            raise MachineError(f"a Ray worker cannot start: {describe(fault)}") from None
        except exceptions.RayError as error:
            raise MachineError(f"Ray cannot train: {describe(error)}") from error
        if isinstance(result, Segment):
            return SegmentOutcome(trial=sent.job.trial, segment=result)
        return SegmentOutcome(trial=sent.job.trial, fault=result)

    def _cancel(self, sent: _Sent) -> None:
        with contextlib.suppress(exceptions.RayError, ConnectionError):
            ray.cancel(sent.result, force=True)

    def _look(self) -> None:
        """Count for how many segments the cluster has room, now and then.

        Raises:
            MachineError: If its head does not listen any more. Ray would end this process for that.
        """
        now = time.monotonic()
        if now < self._looked + LOOK_S:
            return
        self._looked = now
        try:
            _knock(self._head)
        except MachineError as error:
            if now > self._heard + HEAD_PATIENCE_S:
                raise MachineError(f"{error}; run again, what ended is stored") from error
            return
        self._heard = now
        with _ray_errors():
            machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        self._room = sum(self._resources.places_on(m.get("CPU", 0), m.get("GPU", 0)) for m in machines)

    def _refuse_no_room(self) -> None:
        if self._workers is None and not self._room:
            asked = f"cpus = {self._resources.cpus:g}, gpus = {self._resources.gpus:g}"
            raise MachineError(
                f"no machine of the Ray cluster has room for a segment ([resources]: {asked}); "
                "give --workers N if machines will join"
            )


@contextlib.contextmanager
def _connected(address: str | None) -> Iterator[None]:
    """Be connected to a cluster: the one at the address, else at ``RAY_ADDRESS``, else one of our own."""
    if ray.is_initialized():  # by the program that called us, which will end it
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what matters comes back as an exception
    with _signals_kept(), _stderr_kept():
        _connect(address)
    try:
        with _stdout_kept():
            yield
    finally:
        with _signals_kept():
            ray.shutdown()


def _connect(address: str | None) -> None:
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    _knock(address)
    local = {"include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address, log_to_driver=False, logging_level="CRITICAL", **local)
    except ConnectionError as error:
        raise MachineError(f"the Ray cluster at {address} cannot be reached: {describe(error)}") from error
    except (RuntimeError, ValueError, OSError, exceptions.RayError) as error:
        raise MachineError(f"Ray does not start: {describe(error)}") from error


def _knock(address: str) -> None:
    """Refuse an address where nobody listens; Ray would try for a quarter of an hour."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), KNOCK_S).close()
    except (OSError, OverflowError) as error:
        raise MachineError(f"no Ray cluster listens at {address}: {describe(error)}") from error


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """Undo that Ray takes over SIGTERM, which asks a driver to store what runs."""
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
def _stdout_kept() -> Iterator[None]:
    """Keep what Ray reports of dead machines off stdout, where only results belong; no option does."""
    worker: Any = ray._private.worker
    printer = worker.print_to_stdstream
    worker.print_to_stdstream = lambda *_, **__: None
    try:
        yield
    finally:
        worker.print_to_stdstream = printer


@contextlib.contextmanager
def _stderr_kept() -> Iterator[None]:
    """Keep what Ray's core writes while it connects off stderr; what matters comes as an exception."""
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
def _ray_errors() -> Iterator[None]:
    """Turn what goes wrong with the cluster itself into one line."""
    try:
        yield
    except (exceptions.RayError, ConnectionError) as error:
        raise MachineError(
            f"the Ray cluster does not answer: {describe(error)}; run again, what ended is stored"
        ) from error


# What follows runs on the cluster.


class _Clock:
    """Since when attempts have been training, as told by those who train."""

    def __init__(self) -> None:
        self._began: dict[int, float] = {}

    def begin(self, ticket: int) -> None:
        self._began[ticket] = time.monotonic()

    def running_for(self, ticket: int) -> float:
        return time.monotonic() - self._began[ticket] if ticket in self._began else 0.0


_prepared: tuple[bytes, tuple[AnyTask, Any, str, str]] | None = None
"""What this process is prepared for: an object in the store, and what it holds."""


def _train(shared: list[Any], clock: Any, ticket: int, job: SegmentJob) -> Segment | str:
    """Train a job; a fault in training comes back as one line, one before it as an exception."""
    trainer = _prepare(shared[0])
    clock.begin.remote(ticket)
    try:
        return train_job(*trainer, job)
    except Exception as fault:  # noqa: BLE001  the driver says it
        return describe(fault)


def _prepare(reference: Any) -> tuple[AnyTask, Any, str, str]:
    """Make this process ready to train, once."""
    global _prepared  # noqa: PLW0603  a process is prepared once, and tasks find it here
    key = reference.binary()
    if _prepared is None or _prepared[0] != key:
        task, data, engine, device, version = ray.get(reference)
        if version != __version__:
            raise MachineError(f"{os.uname().nodename} has sweep {__version__}, the driver {version}")
        task.prepare_worker(data, engine=engine, device=device)
        _prepared = key, (task, data, engine, device)
    return _prepared[1]
