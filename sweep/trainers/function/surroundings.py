"""Restore the process's global state after each trial, and redirect the trial's output."""

import contextlib
import ctypes
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import Iterator, Mapping
from typing import Any

_STREAMS = (1, 2)
"""Descriptors of stdout and stderr."""


class Surroundings:
    """A snapshot of the working folder, environment, signal handlers, logging and ``sys.path``."""

    def __init__(self) -> None:
        self._cwd = os.getcwd()
        self._environment = dict(os.environ)
        self._path, self._argv = list(sys.path), list(sys.argv)
        self._signals = {number: signal.getsignal(number) for number in signal.valid_signals()}
        self._loggers = {logger: _logger_state(logger) for logger in _loggers()}
        self._disabled = logging.root.manager.disable

    @contextlib.contextmanager
    def kept(self, environment: Mapping[str, str]) -> Iterator[None]:
        """Add variables to the environment inside the context, and restore everything at its end."""
        os.environ.update(environment)
        try:
            yield
        finally:
            self.restore()

    def restore(self) -> None:
        """Restore the state of the snapshot."""
        os.chdir(self._cwd)
        for name in os.environ.keys() - self._environment.keys():
            del os.environ[name]
        os.environ.update(self._environment)
        sys.path[:], sys.argv[:] = self._path, self._argv
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        for number, handler in self._signals.items():
            if handler is not None and signal.getsignal(number) != handler:  # None: not installed by Python
                signal.signal(number, handler)
        self._restore_logging()

    def _restore_logging(self) -> None:
        logging.disable(self._disabled)
        for logger in _loggers():
            level, propagate, disabled, handlers, filters = self._loggers.get(logger, _NEW_LOGGER)
            logger.setLevel(level)
            logger.propagate, logger.disabled = propagate, disabled
            logger.handlers[:], logger.filters[:] = handlers, filters


_LoggerState = tuple[int, bool, bool, tuple[Any, ...], tuple[Any, ...]]

_NEW_LOGGER: _LoggerState = (logging.NOTSET, True, False, (), ())
"""The state of an unchanged logger."""


def _loggers() -> list[logging.Logger]:
    known = logging.root.manager.loggerDict.values()
    return [logging.root, *(logger for logger in known if isinstance(logger, logging.Logger))]


def _logger_state(logger: logging.Logger) -> _LoggerState:
    return logger.level, logger.propagate, logger.disabled, tuple(logger.handlers), tuple(logger.filters)


@contextlib.contextmanager
def output_to(stdout: int, stderr: int) -> Iterator[None]:
    """Redirect the output of Python, C code and children to two descriptors, then discard it; closes both."""
    _switch(stdout, stderr)
    os.close(stdout)
    os.close(stderr)
    try:
        yield
    finally:
        _flush()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        _switch(nowhere, nowhere)
        os.close(nowhere)


def _switch(*targets: int) -> None:
    for stream, target in zip(_STREAMS, targets, strict=True):
        os.dup2(target, stream)


def _flush() -> None:
    """Flush the buffers of Python and C; errors of streams without a reader are ignored."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(Exception):
            stream.flush()  # type: ignore[union-attr]  # the error of None is suppressed too
    ctypes.CDLL(None).fflush(None)


def memory_in_use() -> int:
    """Return this process's memory in use, in bytes, after garbage collection."""
    gc.collect()
    with contextlib.suppress(OSError), open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
