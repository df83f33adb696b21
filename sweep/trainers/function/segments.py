"""Train with a task class: call ``train_segment`` from rung to rung with the state of the last call.

A task class takes no arguments and has ``train_segment(config, state, until)``; an object of one will do. The
state goes between this process and the worker through a file in the trial's folder.
"""

import inspect
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from sweep.client import Reporter, Segment
from sweep.trainers.function.config import Config
from sweep.trainers.function.faults import RefusedError
from sweep.trainers.function.results import as_values

METHOD = "train_segment"

STATE = "segment.state"
"""Name of the file in a trial's folder."""


class Line(Protocol):
    """The running trial, as far as a task class needs it."""

    until: int | None
    """Step of the next rung; None means the trial's end."""

    def send(self, step: int, values: Mapping[str, float], *, waits: bool) -> None:
        """Send a report; if it waits, return after the driver's decision, or raise the trial's end."""

    def connect(self, reporter: Reporter) -> None:
        """Send the user's reports to a reporter."""


def is_task(found: object) -> bool:
    """Return whether a target is a task class or such an object, rather than a function."""
    return inspect.isclass(found) or hasattr(found, METHOD)


def check_task(found: Any, name: str) -> None:
    """Refuse a class without ``train_segment``, or one that takes other arguments.

    Raises:
        RefusedError: If it is none.
    """
    method = getattr(found, METHOD, None)
    if not callable(method):
        raise RefusedError(
            f"{name} is a class without {METHOD}(config, state, until); see Segment in the docs"
        )
    _check_call(method, f"{name}.{METHOD}", [*([found] if inspect.isclass(found) else []), None, None, None])
    if inspect.isclass(found):
        _check_call(found, name, [])


def made(found: Any) -> Any:
    """Return an object of a task class; anything else unchanged."""
    return found() if inspect.isclass(found) and hasattr(found, METHOD) else found


def _check_call(called: Any, name: str, arguments: Sequence[object]) -> None:
    try:
        signature = inspect.signature(called)
        signature.bind(*arguments)
    except (TypeError, ValueError):
        wanted = "(config, state, until)" if arguments else "no arguments"
        raise RefusedError(f"{name} must take {wanted}") from None


class SegmentedTrial:
    """A trial of a task, from its last stored state to its end."""

    def __init__(
        self, task: Any, config: Config, line: Line, *, metrics: Sequence[str], length: int, since: int
    ) -> None:
        """Initialize; ``since`` is the step of the state in the trial's folder, 0 without one."""
        self._task, self._config, self._line, self._metrics = task, config, line, metrics
        self._length, self._since = length, since
        self._name = f"{type(task).__qualname__}.{METHOD}"
        self._file = config.dir / STATE
        self._held: Mapping[str, float] = {}
        """The figures that the task itself reported at the end of the segment."""

    def train(self) -> object:
        """Train to the end; return the last segment's value."""
        state = _read(self._file) if self._since else None
        while True:
            until = min(self._line.until or self._length, self._length)
            segment = self._next_segment(state, until)
            state, is_end = segment.state, until == self._length
            _write(self._file, state)
            values = {**self._held, **as_values(segment.value, self._metrics, self._name)}
            self._line.send(until, values, waits=not is_end)
            if is_end:
                return segment.value
            self._since = until

    def _next_segment(self, state: bytes | None, until: int) -> Segment:
        self._held = {}
        reporter = Reporter(self._hear_before(until), last=self._since or None)
        self._line.connect(reporter)
        segment = self._task.train_segment(self._config, state, until)
        if reporter.mistake:
            raise reporter.mistake
        if not isinstance(segment, Segment) or not isinstance(segment.state, bytes):
            got = (
                f"a state of type {type(segment.state).__name__}"
                if isinstance(segment, Segment)
                else repr(segment)
            )
            raise RefusedError(
                f"{self._name} must return sweep.Segment(state, value) with bytes, got {got:.80}"
            )
        return segment

    def _hear_before(self, until: int) -> Any:
        """Return what takes the task's reports; those at the segment's end go with its value."""

        def hear(step: int, values: Mapping[str, float]) -> None:
            if step > until:
                raise ValueError(f"step {step} was reported in a segment that ends at step {until}")
            if step == until:
                self._held = {name: value for name, value in values.items() if name != "value"}
            else:
                self._line.send(step, values, waits=False)

        return hear


def _read(file: Path) -> bytes:
    return file.read_bytes()


def _write(file: Path, state: bytes) -> None:
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(state)
