"""Describe an error of the user's code in one line: type, message, and the line in the user's file."""

import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any, NamedTuple

from sweep.trainers.program.own_files import is_own

_LONGEST = 500
"""Longest message that is shown, in characters."""


class RefusedError(Exception):
    """The user's function or its result breaks a rule; the message is the whole line."""


class Fault(NamedTuple):
    """An error of the user's code."""

    text: str
    where: str
    """``file:line``, relative to the study's folder if the file is below it; empty if unknown."""
    trace: str
    """The traceback from the user's first line on."""

    @property
    def line(self) -> str:
        """Text and location in one line."""
        return f"{self.text} ({self.where})" if self.where else self.text


def fault_of(error: BaseException, folder: Path, default: Callable[..., Any] | None = None) -> Fault:
    """Return the description of an error.

    Args:
        error: The caught exception.
        folder: The study's folder; paths of files below it are relative to it.
        default: The function whose location is used if the traceback has no line of the user's code.
    """
    text = _one_line(error)
    if not isinstance(error, RefusedError):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return Fault(text, _place(error, folder, default) or place_of(default, folder), _trace(error, default))


def place_of(function: Callable[..., Any] | None, folder: Path) -> str:
    """Return the ``file:line`` at which a function begins; empty if unknown."""
    code = getattr(function, "__code__", None)
    return _shown(code.co_filename, code.co_firstlineno, folder) if isinstance(code, CodeType) else ""


def _one_line(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  the user's own __str__
        text = "str() of the error failed"
    text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _place(error: BaseException, folder: Path, function: Callable[..., Any] | None) -> str:
    if isinstance(error, SyntaxError) and error.filename and is_own(error.filename):
        return _shown(error.filename, error.lineno or 0, folder)
    own = [
        (frame.tb_frame.f_code.co_filename, frame.tb_lineno)
        for frame in _frames(error.__traceback__)
        if _is_users(frame, function)
    ]
    return _shown(*own[-1], folder) if own else ""


def _is_users(frame: TracebackType, function: Callable[..., Any] | None) -> bool:
    """Return whether a frame is in one of the user's files, or in the notebook cell of the function."""
    file = frame.tb_frame.f_code.co_filename
    code = getattr(function, "__code__", None)
    return is_own(file) or (isinstance(code, CodeType) and file == code.co_filename)


def _shown(file: str, line: int, folder: Path) -> str:
    if file.startswith("<"):  # the cell's or script's own name was lost in transit
        return f"line {line} of its cell or script"
    path = Path(file)
    return f"{path.relative_to(folder) if path.is_relative_to(folder) else path}:{line}"


def _frames(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _trace(error: BaseException, function: Callable[..., Any] | None) -> str:
    """Return the traceback without sweep's frames before the first one of the user's code."""
    if isinstance(error, RefusedError):
        return f"{error}\n"
    frames = _frames(error.__traceback__)
    first = next((frame for frame in frames if _is_users(frame, function)), error.__traceback__)
    try:
        return "".join(traceback.format_exception(type(error), error, first))
    except Exception:  # noqa: BLE001  the user's own __str__ or __repr__, or no memory
        return f"{type(error).__name__}: formatting its traceback failed\n"


def write_trace(fault: Fault) -> None:
    """Write a traceback to the process's stderr, even if the user replaced ``sys.stderr``."""
    sys.stdout.flush()
    sys.stderr.flush()
    with open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False) as stderr:
        stderr.write(fault.trace)
