"""Control a host from the worker: begin a trial, receive its reports, end it, replace the process.

The worker never imports the user's code, and checks everything that the host sends.
"""

import contextlib
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sweep.trainers.function.process import HostProcess, describe_exit
from sweep.trainers.function.target import Target
from sweep.trainers.program.process.supervised import Exit
from sweep.trainers.program.reports import Ended, Report, parse_report
from sweep.values import Json, Params

_EXIT_S = 1.5
"""Seconds to wait for the exit of a process whose channel is closed."""

_SLICE_S = 0.5
"""Seconds of silence after which to check for an exit: children may keep the channel open after it."""

_MOST_GROWTH = 1.5
"""Growth of memory, relative to the end of the first trial, at which a process is replaced."""


_LONGEST_FAULT = 1_000
"""Longest fault that is stored, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStart:
    """The input of a function's trial."""

    parameters: Params
    """The active parameters by name, fixed and searched."""
    searched: Sequence[str]
    """The names of the searched parameters."""
    seed: int
    dir: str
    """The trial's folder."""
    checkpoint: str
    """The folder of the trial's checkpoint."""
    device: str = "cpu"
    cpus: int = 1
    resumed: bool = False
    until: int | None = None
    """The first step at which the trial waits for ``go_on``; None means never."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of this trial only."""
    length: int = 1
    """The trial's last step; only a task class needs it."""
    since: int = 0
    """Step of the state in the trial's folder from which a task class resumes; 0 without one."""

    def message(self, metrics: Sequence[str]) -> dict[str, Json]:
        """Return the message to the host."""
        others = ("until", "environment", "length", "since")
        config = {name: value for name, value in asdict(self).items() if name not in others}
        begin = {"until": self.until, "environment": dict(self.environment), "metrics": list(metrics)}
        segments = {"length": self.length, "since": self.since}
        return {"begin": {"config": config, "segments": segments, **begin}}


class HostedFunction:
    """A trial that a host runs."""

    def __init__(self, process: HostProcess) -> None:
        self._process = process
        self._lock = threading.Lock()
        self._ended: Ended | None = None
        self.is_waiting = False
        """Whether the trial waits at a rung for ``go_on`` or ``stop``."""
        self.is_reusable = False
        """Whether the process may run another trial."""
        self.exit: Exit | None = None
        """How the process ended with the trial; None if it still runs."""

    def next(self, timeout: float) -> Report | Ended | None:
        """Return the next report or the end; None if neither came within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            left = max(deadline - time.monotonic(), 0.0)
            with self._lock:
                event = self._ended or self._heard(min(left, _SLICE_S))
            if event is not None or not left:
                return event

    def go_on(self, until: int | None = None) -> None:
        """Continue a trial that waits.

        Args:
            until: The next step at which it waits; None means never.
        """
        with self._lock:
            if self.is_waiting:
                self.is_waiting = False
                self._send({"go_on": until})

    def stop(self, *, pruned: bool = False) -> None:
        """End a running trial and its process: SIGTERM, then SIGKILL after the grace period.

        Args:
            pruned: Whether to raise ``sweep.Pruned`` in a waiting trial, instead of ``sweep.Stopped``.
        """
        if self._ended is not None:
            return
        if self.is_waiting:
            with self._lock:
                self._process.tell("pruned" if pruned else "stopped")
        self.exit = self._process.stop()  # this also wakes a thread that waits in ``next``
        with self._lock:
            self._ended = Ended(fault="the trial was pruned" if pruned else "the trial was stopped")
            self._process.close()

    def _heard(self, timeout: float) -> Report | Ended | None:
        """Return the report or the end that arrives within ``timeout`` seconds, or None."""
        try:
            message = self._process.wire.receive(timeout)
            if message is not None:
                return self._understood(message)
        except EOFError:
            return self._die()
        except (ValueError, TypeError, KeyError, OverflowError):
            return self._fail("sent an invalid message on sweep's own channel")
        return None if self._process.exit() is None else self._die()

    def _send(self, message: Mapping[str, Json]) -> None:
        with contextlib.suppress(OSError):  # the process has ended; ``next`` returns why
            self._process.wire.send(message)

    def _understood(self, message: dict[str, Json]) -> Report | Ended:
        if "report" in message:
            self.is_waiting = message["waits"] is True
            return _report(message)
        memory = message["memory"]
        if type(memory) is not int:
            raise TypeError
        if "values" in message:
            self._judge(memory)
            self._ended = Ended(values=_figures(message["values"]))
        elif "fault" in message:
            self._ended = Ended(fault=" ".join(str(message["fault"])[:_LONGEST_FAULT].split()))
        else:  # SIGTERM came from outside
            self._ended = Ended(fault=f"the trial was {message['ended']}: its process got SIGTERM")
        return self._ended

    def _judge(self, memory: int) -> None:
        process = self._process
        process.first_memory = process.first_memory or memory
        self.is_reusable = memory < _MOST_GROWTH * process.first_memory

    def _die(self) -> Ended:
        """Return the end of a trial whose process exited or closed its channel."""
        ended = self._process.wait(_EXIT_S)
        if ended is None:
            return self._fail("closed sweep's own channel")
        return self._fail(describe_exit(ended), was_killed=ended.was_killed)

    def _fail(self, what: str, *, was_killed: bool = False) -> Ended:
        self.exit = self._process.stop()
        self._process.close()
        fault = f"the function's process {what}, without a result; see the trial's stderr"
        self._ended = Ended(fault=fault, was_killed=was_killed)
        return self._ended


class Host:
    """Runs the trials of one function, in one process while that is safe.

    A process is replaced after a trial that failed or was ended, and when its memory has grown to 1.5 times
    that after its first trial.
    """

    def __init__(
        self,
        target: str,
        *,
        metrics: Sequence[str],
        folder: Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        grace: float = 10.0,
        fresh: bool = False,
        parcel: bytes = b"",
    ) -> None:
        """Store the settings; ``begin`` starts a process.

        Args:
            target: ``module:name`` or ``path/file.py:name``; for a parcel, the function's name.
            metrics: The study's metrics, one or two.
            folder: The study file's folder, absolute.
            cwd: The working folder, absolute.
            env: The environment of the process; this process's by default.
            grace: Seconds between SIGTERM and SIGKILL.
            fresh: Whether to use a new process for each trial.
            parcel: The packed function, if it is in no file.
        """
        self._target = Target(target, folder, cwd, parcel)
        self._metrics, self._fresh, self._grace = metrics, fresh, grace
        self._env = dict(os.environ if env is None else env)
        self._process: HostProcess | None = None
        self._trial: HostedFunction | None = None

    def begin(
        self, start: TrialStart, *, stdout: int, stderr: int, held: Sequence[int] = ()
    ) -> HostedFunction:
        """Begin a trial; stop the previous one if it still runs.

        Args:
            start: The trial's input.
            stdout: A descriptor for the trial's stdout; the caller closes its own copy.
            stderr: The same for stderr. Children of the function may keep both open after its end.
            held: At most one descriptor, of a lock, which the process keeps open until the trial's end.

        Raises:
            MachineError: If the process cannot be started.
        """
        process = self._kept_process()
        if process is None:
            self.close()
            process = self._process = HostProcess(self._target, self._env, self._grace)
        with contextlib.suppress(OSError):  # it has ended; ``next`` returns why
            process.wire.send(start.message(self._metrics), [stdout, stderr, *held])
        self._trial = HostedFunction(process)
        return self._trial

    def close(self) -> None:
        """End the process, and the trial if it still runs."""
        if self._trial is not None:
            self._trial.stop()
        if self._process is not None:
            self._process.stop()
            self._process.close()
        self._trial = self._process = None

    def _kept_process(self) -> HostProcess | None:
        """Return the process of the last trial if it may run another."""
        is_kept = self._trial is not None and self._trial.is_reusable and not self._fresh
        return self._process if is_kept and self._process is not None and self._process.is_ready() else None


def _report(message: Mapping[str, Json]) -> Report:
    """Return a checked report, by the rules of the report file.

    Raises:
        ValueError: If the report breaks the format.
    """
    report, seconds = message["report"], message["seconds"]
    if type(seconds) is not float:
        raise TypeError
    return parse_report(report.encode(), seconds)


def _figures(values: Json) -> dict[str, float]:
    if not isinstance(values, dict) or any(type(value) is not float for value in values.values()):
        raise TypeError
    return values
