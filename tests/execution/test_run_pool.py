"""A run's first worker starts before the study is read, and works for the driver after the last trial."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sweep.errors import StudyConflictError
from sweep.execution.how import How
from sweep.execution.run import Ran, running
from sweep.storage.study_store import open_study
from tests.support.sweep_command import workers
from tests.support.toy_runs import Watcher, database_in, toy_study
from tests.support.toy_task import TOY

LINUX = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads children from /proc")


def process_id() -> int:
    return os.getpid()


def fail_in(process: int) -> str:
    """Fail in every process but one."""
    if os.getpid() != process:
        raise ValueError("not here")
    return "here"


def end_unless(process: int) -> str:
    """End every process but one."""
    if os.getpid() != process:
        os._exit(9)
    return "here"


def run(folder: Path, watcher: Watcher | None = None) -> contextlib.AbstractContextManager[Ran]:
    watcher = watcher or Watcher()
    how = How(workers=2, observe=watcher, should_stop=watcher.should_stop)
    return running(TOY, toy_study(trials=3), database_in(folder), how)


def test_a_call_after_the_last_trial_is_made_in_a_worker(tmp_path: Path) -> None:
    """The worker is a process of its own; it ends with the run."""
    with run(tmp_path) as ran:
        assert len(ran.summary.study.complete_trials()) == 3
        other = ran.call(process_id)
        assert other != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(other, 0)


@pytest.mark.parametrize("conduct", [fail_in, end_unless])
def test_a_call_that_a_worker_cannot_make_is_made_here(tmp_path: Path, conduct: Callable[[int], str]) -> None:
    """A fault costs time only; one that is the function's own is raised here."""
    with run(tmp_path) as ran:
        assert ran.call(conduct, os.getpid()) == "here"
        with pytest.raises(ZeroDivisionError):
            ran.call(divmod, 1, 0)


def test_a_call_that_cannot_be_sent_is_made_here(tmp_path: Path) -> None:
    """A function without a name cannot be."""
    with run(tmp_path) as ran:
        assert ran.call(lambda: 7) == 7


def test_a_call_after_a_stop_is_made_here(tmp_path: Path) -> None:
    """No worker is left."""
    with run(tmp_path, Watcher(stop_after=1)) as ran:
        assert ran.summary.stopped_by == "signal"
        assert ran.call(process_id) == os.getpid()


@LINUX
def test_a_refused_study_leaves_no_worker(tmp_path: Path) -> None:
    """The first one had been started by then."""
    storage = database_in(tmp_path).open_for_writing()
    spec = toy_study(trials=3, seed=7)
    open_study(storage, spec, TOY, TOY.load_data(spec.data))
    with pytest.raises(StudyConflictError), run(tmp_path):
        raise AssertionError("it is another study")
    assert workers(os.getpid()) == []
