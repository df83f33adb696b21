"""Where, between what is done and what is written, can a process be killed?

Each window names a function of the product and a moment: before it, after it, or amid what it
writes. The process that runs the command wraps that function and strikes when it gets there; the
product itself knows nothing of it.
"""

import functools
import importlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.sweep_command import kill, workers

VICTIMS = ("driver", "worker", "both")


class Strike(NamedTuple):
    """A kill to come."""

    window: str
    victim: str
    """One of ``VICTIMS``."""
    nth: int = 1
    """How often the window is reached until then."""


_Wrapper = Callable[[Callable[..., Any], Callable[[], None]], Callable[..., Any]]


class Plan:
    """Where this process strikes, one after the other; what was hit is written down first."""

    def __init__(self, strikes: Sequence[Strike], marks: Path) -> None:
        self._strikes, self._marks = list(strikes), marks
        self._reached = 0

    def reach(self, window: str) -> None:
        """Strike if this is where and when the next strike is to be."""
        if not self._strikes or self._strikes[0].window != window:
            return
        self._reached += 1
        strike, trainers = self._strikes[0], workers(os.getpid())
        if self._reached < strike.nth or (strike.victim == "worker" and not trainers):
            return
        del self._strikes[0]
        self._reached = 0
        with self._marks.open("a") as marks:
            marks.write(f"{window}\t{strike.victim}\n")
        for pid in trainers if strike.victim != "driver" else ():
            kill(pid)
        if strike.victim != "worker":
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)  # whichever thread this is, nothing more is done


def before(function: Callable[..., Any], strike: Callable[[], None]) -> Callable[..., Any]:
    def wrapped(*args: Any, **options: Any) -> Any:
        strike()
        return function(*args, **options)

    return wrapped


def after(function: Callable[..., Any], strike: Callable[[], None]) -> Callable[..., Any]:
    def wrapped(*args: Any, **options: Any) -> Any:
        result = function(*args, **options)
        strike()
        return result

    return wrapped


def soon_after(function: Callable[..., Any], strike: Callable[[], None]) -> Callable[..., Any]:
    """Strike up to 0.2 s later, whatever the process does then."""

    def wrapped(*args: Any, **options: Any) -> Any:
        result = function(*args, **options)
        threading.Timer(random.uniform(0, 0.2), strike).start()  # noqa: S311  no secret
        return result

    return wrapped


def amid_commit(function: Callable[..., Any], strike: Callable[[], None]) -> Callable[..., Any]:
    """Strike while the commit of a transaction is being made, or up to 3 ms later."""

    def wrapped(*args: Any, **options: Any) -> Any:
        threading.Timer(random.uniform(0, 0.003), strike).start()  # noqa: S311  no secret
        return function(*args, **options)

    return wrapped


def amid_write(function: Callable[..., Any], strike: Callable[[], None]) -> Callable[..., Any]:
    """Let half of a file be written."""

    def wrapped(folder: Path, content: bytes, *args: Any) -> Any:
        half = function(folder, content[: len(content) // 2], *args)
        strike()
        half.unlink()
        return function(folder, content, *args)

    return wrapped


def when_pruned(function: Callable[..., Any], strike: Callable[[], None]) -> Callable[..., Any]:
    def wrapped(*args: Any, **options: Any) -> Any:
        end = function(*args, **options)
        if end is not None and end.state == "pruned":
            strike()
        return end

    return wrapped


PRUNE_WINDOW = "between prune decision and tell"

DRIVER_WINDOWS: dict[str, tuple[str, _Wrapper]] = {
    "after ask": ("sweep.storage.study_writer:StudyWriter.claim", before),
    "after claim": ("sweep.storage.study_writer:StudyWriter.claim", after),
    "in training": ("sweep.execution.pools.local_pool:LocalPool.submit", soon_after),
    "in a state's write": ("sweep.storage.files:_write_temporary", amid_write),
    "between write and rename": ("sweep.storage.files:_write_temporary", after),
    "between two renames": ("sweep.storage.files:os.replace", after),
    "between state and report": ("sweep.storage.checkpoints:Checkpoints.write_segment", after),
    "before a report's commit": ("sqlalchemy.engine.default:DefaultDialect.do_commit", before),
    "in a report's commit": ("sqlalchemy.engine.default:DefaultDialect.do_commit", amid_commit),
    PRUNE_WINDOW: ("sweep.execution.driver:Driver._judge", when_pruned),
    "before tell": ("sweep.storage.study_writer:StudyWriter.end", before),
    "after tell": ("sweep.execution.driver:Driver._leave", before),
    "in closing a trial's files": ("sweep.storage.checkpoints:_encode_curve", after),
}
"""In the process that drives a study: window -> function, and the moment at it."""

EXPORT_WINDOWS: dict[str, tuple[str, _Wrapper]] = {
    "in export: in the write": ("sweep.storage.files:_write_temporary", amid_write),
    "in export: before the rename": ("sweep.storage.files:_write_temporary", after),
    "in export: after the rename": ("sweep.storage.files:_push_folder", before),
}

PUBLISH_WINDOWS: dict[str, tuple[str, _Wrapper]] = {
    "after a run: before its figures are stored": ("sweep.reporting.publish:save_showcase", before),
    "after a run: in the commit of its figures": (
        "sqlalchemy.engine.default:DefaultDialect.do_commit",
        amid_commit,
    ),
    "after a run: its figures are stored": ("sweep.reporting.publish:save_showcase", after),
}
"""When all is trained, and what the dashboard shows is stored."""

REPORT_WINDOWS = {window.replace("export", "report"): place for window, place in EXPORT_WINDOWS.items()}

TEST_WINDOWS: dict[str, tuple[str, _Wrapper]] = {
    "in the test: before the record": ("sweep.certify.test_split.final_test:_record", before),
    "in the test: between the two records": ("sweep.certify.test_split.final_test:write_look", after),
    "in the test: evaluating": ("sweep.trainers.mlp.trainer:MlpTask.unit_losses", before),
    "in the test: evaluated": ("sweep.trainers.mlp.trainer:MlpTask.unit_losses", after),
}

CONFIRM_WINDOWS: dict[str, tuple[str, _Wrapper]] = {
    "in confirm: before the plan": ("sweep.certify.confirm:write_plan", before),
    "in confirm: after the plan": ("sweep.certify.confirm:write_plan", after),
    "in confirm: between choice and certificate": ("sweep.certify.confirm:_confirm_spec", before),
}

WINDOWS = DRIVER_WINDOWS | EXPORT_WINDOWS | REPORT_WINDOWS | PUBLISH_WINDOWS | TEST_WINDOWS | CONFIRM_WINDOWS


def install(strikes: Sequence[Strike], marks: Path) -> None:
    """Let this process strike at windows; each strike is written to ``marks`` as it falls."""
    plan = Plan(strikes, marks)
    for window in {strike.window for strike in strikes}:
        where, wrapper = WINDOWS[window]
        module, _, names = where.partition(":")
        owner: Any = importlib.import_module(module)
        *path, name = names.split(".")
        for step in path:
            owner = getattr(owner, step)
        setattr(owner, name, wrapper(getattr(owner, name), functools.partial(plan.reach, window)))
