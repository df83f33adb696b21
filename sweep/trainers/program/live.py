"""Train a trial with a running program until a step, and continue later."""

import dataclasses
import math
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import safetensors.numpy

from sweep.errors import SweepError
from sweep.execution.pools.pool import DiedError
from sweep.metric import Metric
from sweep.spelling import did_you_mean
from sweep.task import Segment
from sweep.trainers.program.process.environment import mask
from sweep.trainers.program.program import Launch, Program
from sweep.trainers.program.reports import Ended, Report

POLL_S = 0.5
"""Longest wait for the program's next report before the clock is checked, in seconds."""

_STATE = "state"
"""Name of a task class's state among the stored tensors."""

VALUE = "value"
"""Name by which a report may call the study's metric."""


class ProgramFailedError(SweepError):
    """A user's program failed; the message is the reason."""

    key = "program-failed"


class _Taken(NamedTuple):
    """A report that contains the metric."""

    step: int
    value: float
    picked: float
    """The trial's value if it ended here: this value, or the best one so far."""


class LiveTrial:
    """The program of one trial, and its reports."""

    def __init__(
        self,
        program: Program,
        launch: Launch,
        metric: Metric,
        *,
        bounded: Collection[str] = (),
    ) -> None:
        """Initialize with a program that was just started.

        Args:
            program: The training program.
            launch: Its input; ``close`` closes the lock of its folder.
            metric: The study's metric.
            bounded: Other figures that the program must report.
        """
        self.trial, self.program = launch.trial, program
        self._metric, self._lock = metric, launch.attempt.lock
        self._budget: str = launch.definition.get("budget", "")
        self._closing = threading.Lock()
        self._bounded, self._secrets, self._folder = bounded, launch.secrets(), launch.folder
        self._figures: dict[str, float] = {}
        """The last value of each other figure."""
        self._reports: list[_Taken] = []
        """The reports that contain the metric."""
        self._ended: Ended | None = None

    def close(self, *, pruned: bool = False) -> None:
        """End the program; raises errors from writing its files."""
        try:
            self.program.stop(pruned=pruned)
        finally:
            with self._closing:
                lock, self._lock = self._lock, -1
            if lock >= 0:
                os.close(lock)

    def train(
        self,
        since: int,
        until: int,
        *,
        is_end: bool,
        is_pruned: bool,
        report: Callable[[int, float], None],
    ) -> Segment:
        """Wait until the program reaches a step or exits.

        Args:
            since: The step at which the segment begins; 0 for the first one.
            until: The step.
            is_end: Whether ``until`` is the trial's last step; the program then runs until it exits.
            is_pruned: Whether trials are compared at steps, which requires the last step to be ``until``.
            report: Called with step and value of each report.

        Raises:
            ProgramFailedError: If the program fails, or ends without a value.
            DiedError: If the program was killed.
        """
        started = time.perf_counter()
        while self._ended is None and (is_end or self._last_step < until):
            self._take(self.program.next(POLL_S), report)
        if self._ended is not None and self._ended.fault is not None:
            fault = mask(self._ended.fault, self._secrets)
            raise (DiedError if self._ended.was_killed else ProgramFailedError)(fault)
        value = self._result(until, is_pruned=is_pruned) if is_end else self._value_at(until, is_pruned)
        if is_end:
            self._check_figures()
        last = math.inf if is_end else until
        new = [taken for taken in self._reports if (taken.step > since or not since) and taken.step <= last]
        segment = _segment(value, new, time.perf_counter() - started)
        state = self._folder.take_state()
        stored = segment.state if state is None else stored_state(state)
        return dataclasses.replace(segment, state=stored, figures=dict(self._figures))

    @property
    def _last_step(self) -> int:
        return self._reports[-1].step if self._reports else 0

    def _check_figures(self) -> None:
        missing = [name for name in self._bounded if name not in self._figures]
        if missing:
            hint = did_you_mean(missing[0], self._figures, "; {}")
            raise ProgramFailedError(
                f"feasible bounds {', '.join(missing)}, but the program reported no finite value for it{hint}"
            )

    def _take(self, event: Report | Ended | None, report: Callable[[int, float], None]) -> None:
        if event is not None and event.values is not None:
            own = (self._metric.name, VALUE)
            others = {name: value for name, value in event.values.items() if name not in own}
            self._figures |= {name: value for name, value in others.items() if math.isfinite(value)}
        if isinstance(event, Ended):
            self._ended = event
        elif event is not None and (value := self._metric_in(event.values)) is not None:
            step = event.step if event.step is not None else len(self._reports) + 1
            picked = value if event.best is None else event.best
            self._reports.append(_Taken(step, value, picked))
            report(step, value)

    def _metric_in(self, values: Mapping[str, float]) -> float | None:
        return values.get(self._metric.name, values.get(VALUE))

    def _value_at(self, step: int, is_pruned: bool) -> float:
        """Return the value picked at a step: by the reports up to it, else by the first, else the result."""
        if not self._reports:
            return self._result(step, is_pruned=is_pruned)
        before = [taken for taken in self._reports if taken.step <= step]
        return (before[-1] if before else self._reports[0]).picked

    def _result(self, length: int, *, is_pruned: bool) -> float:
        """Return the trial's value after the program's end."""
        assert self._ended is not None, "only an ended program has a result"
        if is_pruned and not self._reports:
            raise ProgramFailedError(
                f"it reported no {self._metric.name} while it trained, which a pruner compares; call "
                'report(value, step), or set pruner = "none"'
            )
        if is_pruned and self._last_step != length:
            raise ProgramFailedError(
                f"its last step is {self._last_step:,}, but {self._budget} is {length:,}; a pruner compares "
                "trials at fractions of their length, so both must be equal"
            )
        if self._ended.values is not None:
            returned = self._metric_in(self._ended.values)
            if returned is None:
                given = ", ".join(self._ended.values) or "nothing"
                raise ProgramFailedError(f"its result lacks {self._metric.name!r}; it contains {given}")
            return returned
        if not self._reports:
            raise ProgramFailedError(f"it ended without a report of {self._metric.name}")
        return self._reports[-1].picked


def stored_state(state: bytes) -> bytes:
    """Return the state of a task class as it is stored, a safetensors file.

    Examples:
        >>> state_of(stored_state(b"weights"))
        b'weights'
    """
    return safetensors.numpy.save({_STATE: np.frombuffer(state, np.uint8)})


def state_of(stored: bytes | None) -> bytes | None:
    """Return the state of a task class from what is stored; None if another program left it, or nothing."""
    tensors = {} if stored is None else safetensors.numpy.load(stored)
    return tensors[_STATE].tobytes() if _STATE in tensors else None


def _segment(value: float, new: Sequence[_Taken], seconds: float) -> Segment:
    with np.errstate(over="ignore"):  # a report that float32 cannot hold is infinite on the curve
        losses = np.array([taken.value for taken in new], np.float32)
    return Segment(
        state=safetensors.numpy.save({"value": np.array([value], np.float64)}),
        dev_loss=value,
        losses=losses,
        steps=np.array([taken.step for taken in new], np.int64),
        seconds=seconds,
    )
