"""What training code calls: report a value, and learn that its trial is to end.

Standard library only, because it runs inside the user's training. A function's host connects its own channel;
a script appends lines to the file that ``SWEEP_REPORT`` names; outside of any sweep nothing happens.
"""

from __future__ import annotations

import json
import numbers
import operator
import os
import threading
from collections.abc import Callable, Mapping

Send = Callable[[int, Mapping[str, float]], None]
"""Takes a step and the values by name; ``value`` is the study's metric."""

_LARGEST_STEP = 1 << 53
"""Whole numbers below it are exact in every language that reads JSON."""


class Pruned(BaseException):
    """The trial was pruned: free what it holds and return; what it returns is no result.

    A ``BaseException``, so that ``except Exception`` does not swallow it.
    """


class Stopped(BaseException):
    """The run is being stopped, or the trial's time is over: as ``Pruned``."""


def report(value: object, step: object = None, **others: object) -> None:
    """Report a value of the study's metric while the training runs.

    Outside of a sweep the call does nothing, so that the script runs as before.

    Args:
        value: A number, NumPy scalar, or array or tensor without dimensions.
        step: How far the training is, in the unit of the study's budget; steps rise strictly. By default
            the number of the report, counted from 1.
        others: Further figures by name.

    Raises:
        TypeError: If a value is no number, or the step is no whole number.
        ValueError: If the step does not rise.
        Pruned: If the trial was given up at this report.
        Stopped: If the run is being stopped.

    Examples:
        >>> report(0.25, step=1, accuracy=0.9)
    """
    reporter = _connected[-1] if _connected else _file_reporter()
    if reporter is not None:
        reporter.report(value, step, others)


def number(value: object, what: str) -> float:
    """Return what is one number as a float.

    Args:
        value: A number, NumPy scalar, or array or tensor without dimensions.
        what: What the value is called in messages.

    Raises:
        TypeError: If it is something else; a bool and a text are no numbers.
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
    """Checks the reports of one trial and sends them on, one at a time."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._last: int | None = None
        self._lock = threading.RLock()  # a signal's handler may report within a report
        self.mistake: Exception | None = None
        """The first report that was refused; it counts also if the training swallows the error."""

    def report(self, value: object, step: object, others: Mapping[str, object]) -> None:
        """Check a report and send it; the arguments are those of the function ``report``."""
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
    """Send this process's reports to a function's host; None is no host any more."""
    _connected[:] = [] if reporter is None else [reporter]


_connected: list[Reporter] = []
"""The reporter of the trial that a function's host runs in this process; at most one."""

_files: dict[str, Reporter] = {}
"""By the path of their file."""


def _file_reporter() -> Reporter | None:
    path = os.environ.get("SWEEP_REPORT")
    if not path:
        return None
    if path not in _files:
        _files[path] = Reporter(_appender(path))
    return _files[path]


def _appender(path: str) -> Send:
    """Return a function that appends reports to a file, each by one write, so that lines never mix."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.open(path, flags, 0o600)

    def append(step: int, values: Mapping[str, float]) -> None:
        os.write(file, json.dumps({"step": step, **values}).encode() + b"\n")

    return append


def _describe(value: object) -> str:
    """Return the kind of a value for a message."""
    shape = getattr(value, "shape", None)
    if value is None:
        return "None"
    if isinstance(value, bool | int | float | str):
        return f"the {type(value).__name__} {value!r:.60}"
    if isinstance(shape, tuple):
        return f"{type(value).__name__} of shape {tuple(shape)}"
    return f"an object of type {type(value).__name__}"
