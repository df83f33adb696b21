"""Define reports, and read a ``$SWEEP_REPORT`` file while a program writes it.

Each line of the file is one JSON object of numbers by name. ``step`` is optional and a whole number, the
other names are metrics; ``value`` is the study's metric. JSON has no numbers that are not finite, so ``NaN``,
``Infinity`` and ``-Infinity`` are accepted with and without quotation marks.

    {"step": 3, "value": 0.412, "accuracy": 0.87}
"""

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sweep.storage.files import open_plain
from sweep.values import Json

_CHUNK = 1 << 18
"""Most bytes per ``read``."""

_LONGEST_LINE = 1 << 16
"""Longest line, in bytes; longer ones are refused, so that a file without newlines cannot fill the memory."""

_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report of a running program."""

    step: int | None
    """The step; None if the program named none, in which case the reader counts from 1."""
    values: Mapping[str, float]
    """Metric name -> value; ``value`` is the study's metric."""
    seconds: float = 0.0
    """Seconds since the trial's start."""
    best: float | None = field(default=None, repr=False)
    """The best value of the study's metric so far, which the trial then has; None if the last one counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The end of a program."""

    values: Mapping[str, float] | None = None
    """The result of a function; None for a script."""
    fault: str | None = None
    """The reason of a failure, in one line; None after success."""
    was_killed: bool = False
    """Whether it was killed from outside, so that another attempt may succeed."""


def parse_report(line: bytes, seconds: float = 0.0) -> Report:
    """Parse one line of a report file.

    Args:
        line: One JSON object, without its newline.
        seconds: Seconds since the trial's start.

    Raises:
        ValueError: If the line breaks the format; the message is the rule.

    Examples:
        >>> parse_report(b'{"step": 3, "value": 0.5}')
        Report(step=3, values={'value': 0.5}, seconds=0.0)
    """
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("a report must be one JSON object on one line") from None
    if not isinstance(fields, dict):
        raise ValueError('a report must be a JSON object, such as {"step": 1, "value": 0.5}')
    step = _step(fields.pop("step", None))
    if not fields:
        raise ValueError("a report must have a value in addition to its step")
    return Report(
        step=step, values={name: _number(name, value) for name, value in fields.items()}, seconds=seconds
    )


def _step(value: Json) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # some languages have only floats
    if value is None or (type(value) is int and 0 <= value < 1 << 53):
        return value
    raise ValueError("step must be a whole number of at least 0")


def _number(name: str, value: Json) -> float:
    if type(value) in (int, float) or (isinstance(value, str) and value in _NOT_FINITE):
        try:
            return float(value)
        except OverflowError:
            pass
    raise ValueError(f"{name[:80]!r} must be a number")


class ReportFile:
    """Reads a report file while a program appends to it.

    Lines that break the format are counted and ignored. A file that was replaced or became shorter is read
    from its beginning.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        """Initialize with a path and a clock that returns the seconds since the trial's start."""
        self._path, self._clock = path, clock
        self._place = 0
        self._inode = 0
        self._begun = b""
        self._is_too_long = False
        self.refused = 0
        """Number of lines that broke the format."""
        self.first_mistake: str | None = None
        """The rule that the first refused line broke, and the line's beginning."""

    def read(self) -> list[Report]:
        """Return the next reports, none if no whole line was added; call repeatedly until it returns none.

        Raises:
            StorageError: If the path is not a regular file.
            OSError: If the file cannot be read.
        """
        more = self._more()  # before the begun line is used: _more discards it if the file was replaced
        *lines, self._begun = (self._begun + more).split(b"\n")
        if lines and self._is_too_long:
            self._is_too_long = False
            del lines[0]
        if len(self._begun) > _LONGEST_LINE:
            if not self._is_too_long:
                self._refuse(self._begun, f"a line must have at most {_LONGEST_LINE:,} bytes")
            self._is_too_long, self._begun = True, b""
        return self._parse(lines)

    def close(self) -> list[Report]:
        """Return all remaining reports; the last line of the complete file may lack a newline."""
        reports = []
        while True:
            before = self._place
            reports += self.read()
            if self._place == before:
                break
        last, self._begun = self._begun, b""
        return reports + self._parse([] if self._is_too_long else [last])

    def _more(self) -> bytes:
        """Return the added bytes, at most one chunk."""
        try:
            with open_plain(self._path) as file:
                status = os.fstat(file.fileno())
                if status.st_ino != self._inode or status.st_size < self._place:
                    self._inode, self._place, self._begun = status.st_ino, 0, b""
                file.seek(self._place)
                more = file.read(_CHUNK)
        except FileNotFoundError:
            return b""
        self._place += len(more)
        return more

    def _parse(self, lines: list[bytes]) -> list[Report]:
        reports, seconds = [], self._clock()
        for line in lines:
            if not line.strip():
                continue
            try:
                reports.append(parse_report(line, seconds))
            except ValueError as error:
                self._refuse(line, str(error))
        return reports

    def _refuse(self, line: bytes, rule: str) -> None:
        self.refused += 1
        if self.first_mistake is None:
            self.first_mistake = f"{rule}, got {line[:80].decode(errors='replace')!r}"


class Best:
    """The best finite value of a stream; while there is none, the last value."""

    def __init__(self, as_loss: Callable[[float], float]) -> None:
        """Take the function that turns a value into a loss, of which the lowest is best."""
        self._as_loss = as_loss
        self.value = math.nan

    def add(self, value: float) -> None:
        """Add a value."""
        is_better = math.isfinite(value) and self._as_loss(value) < self._as_loss(self.value)
        if is_better or not math.isfinite(self.value):
            self.value = value


class Pace:
    """Thins a stream of reports as it arrives.

    It passes on the last report of each period and the last report at or before each rung, and numbers
    reports without a step.
    """

    def __init__(self, rungs: Sequence[int] = (), period_s: float = 0.05) -> None:
        """Set the steps of the rungs, increasing, and the period in seconds."""
        self._rungs, self._period_s = list(rungs), period_s
        self._count = 0
        self._handed_s = -period_s
        self._held: Report | None = None

    def add(self, report: Report) -> list[Report]:
        """Add one report; return those that are due, perhaps including the new or the previous one."""
        self._count += 1
        if report.step is None:
            report = replace(report, step=self._count)
        assert report.step is not None
        due = []
        while self._rungs and self._rungs[0] < report.step:
            self._rungs.pop(0)
            due += self.close()  # at most for the first rung, because then nothing is held
        self._held = report
        at_rung = bool(self._rungs) and report.step == self._rungs[0]
        if at_rung or report.seconds - self._handed_s >= self._period_s:
            self._handed_s = report.seconds
            due += self.close()
        return due

    def close(self) -> list[Report]:
        """Return the held report, if there is one."""
        held, self._held = self._held, None
        return [] if held is None else [held]


class Thinned:
    """Keeps at most ``most`` lines of a stream, evenly: all, then every second, then every fourth ..."""

    def __init__(self, most: int = 10_000) -> None:
        """Set the largest number of kept lines, at least 2."""
        self.most = most
        self.stride = 1
        """Every how many lines one is kept, from the first."""
        self.seen = 0
        self._kept: list[str] = []
        self._last = ""

    def add(self, line: str) -> bool:
        """Add the next line; return whether it is kept for now."""
        self._last, is_kept = line, False
        if self.seen % self.stride == 0:
            if len(self._kept) == self.most - 1:  # one place is reserved for the last line
                self._kept, self.stride = self._kept[::2], self.stride * 2
            is_kept = self.seen % self.stride == 0
            if is_kept:
                self._kept.append(line)
        self.seen += 1
        return is_kept

    def lines(self) -> list[str]:
        """Return the kept lines in order; the last line that was added is always included."""
        is_last_kept = not self.seen or (self.seen - 1) % self.stride == 0
        return self._kept + ([] if is_last_kept else [self._last])
