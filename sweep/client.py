"""Report values of the metric from training code, and stop the training when its trial ends.

This module uses the standard library only, because it runs inside the user's training. Inside ``sweep``'s
function host, reports go through the host's channel. In a script, they are appended to the file that
``SWEEP_REPORT`` names. Outside of a sweep, reports are ignored.
"""

from __future__ import annotations

import json
import numbers
import operator
import os
import threading
from collections.abc import Callable, Mapping

Send = Callable[[int, Mapping[str, float]], None]
"""Take a step and the values by name; ``value`` is the study's metric."""

_LARGEST_STEP = 1 << 53
"""JSON readers represent whole numbers below it exactly."""


class Pruned(BaseException):
    """The trial was pruned: free its resources and return; the return value is ignored.

    A ``BaseException``, so that ``except Exception`` does not swallow it.
    """


class Stopped(BaseException):
    """The run is being stopped, or the trial's time limit is reached; handle it like ``Pruned``."""


class Segment:
    """What ``train_segment`` of a task class returns.

    Examples:
        >>> Segment(b"weights", 0.25)
        Segment(state=7 bytes, value=0.25)
    """

    __slots__ = ("state", "value")

    def __init__(self, state: bytes, value: object) -> None:
        """Initialize.

        Args:
            state: Everything that the next segment needs; sweep stores it and never interprets it.
            value: The study's metric after the segment, or a dict with it and further figures.
        """
        self.state, self.value = state, value

    def __repr__(self) -> str:
        return f"Segment(state={len(self.state):,} bytes, value={self.value!r})"


def report(value: object, step: object = None, **others: object) -> None:
    """Report a value of the study's metric while the training runs.

    Outside of a sweep the call does nothing, so the same script also runs alone.

    Args:
        value: A number, NumPy scalar, or array or tensor without dimensions.
        step: Progress of the training, in the unit of the study's budget; must rise strictly. Defaults to
            the number of this report, counted from 1.
        others: Further figures by name.

    Raises:
        TypeError: If a value is not a number, or the step is not a whole number.
        ValueError: If the step does not rise.
        Pruned: If the pruner stopped the trial at this report.
        Stopped: If the run is being stopped.

    Examples:
        >>> report(0.25, step=1, accuracy=0.9)
    """
    reporter = _connected[-1] if _connected else _file_reporter()
    if reporter is not None:
        reporter.report(value, step, others)


def number(value: object, what: str) -> float:
    """Return a scalar as a float.

    Args:
        value: A number, NumPy scalar, or array or tensor without dimensions.
        what: Name of the value in messages.

    Raises:
        TypeError: If it is anything else, such as a bool or a string.
        ValueError: If it is a whole number beyond the range of floats.

    Examples:
        >>> number(3, "value")
        3.0
        >>> number(True, "value")
        Traceback (most recent call last):
        ...
        TypeError: value must be one number, got the bool True
    """
    plain = value
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        plain = value.item()
    if isinstance(plain, bool) or not isinstance(plain, numbers.Real):
        raise TypeError(f"{what} must be one number, got {_describe(value)}")
    try:
        return float(plain)
    except OverflowError:
        raise ValueError(f"{what} is beyond the range of floating-point numbers") from None


class Reporter:
    """Check the reports of one trial and send them, one at a time."""

    def __init__(self, send: Send, last: int | None = None) -> None:
        self._send = send
        self._last = last
        self._lock = threading.RLock()  # a signal handler may call report during a report
        self.mistake: Exception | None = None
        """The error of the first refused report; kept even if the training swallows the error."""

    def report(self, value: object, step: object, others: Mapping[str, object]) -> None:
        """Check a report and send it; same arguments as the function ``report``."""
        with self._lock:
            try:
                values = {"value": number(value, "value")}
                values.update((name, number(other, name)) for name, other in others.items())
                self._last = self._rising(step)
            except (TypeError, ValueError) as mistake:
                self.mistake = self.mistake or mistake
                raise
            self._send(self._last, values)

    def _rising(self, step: object) -> int:
        if step is None:
            return (self._last or 0) + 1
        try:
            whole = operator.index(step)  # type: ignore[arg-type]  # it raises TypeError itself
        except TypeError:
            whole = -1
        if isinstance(step, bool) or not 0 <= whole < _LARGEST_STEP:
            raise TypeError(f"step must be a whole number of at least 0, got {_describe(step)}")
        if self._last is not None and whole <= self._last:
            raise ValueError(f"step {whole} was reported after step {self._last}; steps must rise strictly")
        return whole


def connect(reporter: Reporter | None) -> None:
    """Send this process's reports to a function host; None disconnects it."""
    _connected[:] = [] if reporter is None else [reporter]


_connected: list[Reporter] = []
"""The reporter of the trial that a function host runs in this process; at most one."""

_files: dict[str, Reporter] = {}
"""Report file -> its reporter."""


def _file_reporter() -> Reporter | None:
    path = os.environ.get("SWEEP_REPORT")
    if not path:
        return None
    if path not in _files:
        _files[path] = Reporter(_appender(path))
    return _files[path]


def _appender(path: str) -> Send:
    """Return a function that appends each report to a file in a single write, so lines never interleave."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.open(path, flags, 0o600)

    def append(step: int, values: Mapping[str, float]) -> None:
        os.write(file, json.dumps({"step": step, **values}).encode() + b"\n")

    return append


def _describe(value: object) -> str:
    """Describe a value for a message."""
    shape = getattr(value, "shape", None)
    if value is None:
        return "None"
    if isinstance(value, bool | int | float | str):
        return f"the {type(value).__name__} {value!r:.60}"
    if isinstance(shape, tuple):
        return f"{type(value).__name__} of shape {tuple(shape)}"
    return f"an object of type {type(value).__name__}"
