"""A place for segments on this machine: a process that is replaced if it dies, and the jobs that it has.

If a process dies, the jobs that it had are lost, and at most one of them can be to blame. They are
trained again one at a time; a job during which the process dies again, with nothing beside it, is
reported as a death. ``local_pool`` shares jobs out among such workers.
"""

import dataclasses
import itertools
import math
import time
from collections.abc import Callable
from typing import Any

from sweep.errors import MachineError
from sweep.execution.pools.messages import (
    Answer,
    Began,
    Call,
    CannotStart,
    Drop,
    Ended,
    Leave,
    Message,
    Progress,
    Ready,
    Returned,
)
from sweep.execution.pools.pool import SegmentOutcome
from sweep.execution.pools.worker_process import WorkerProcess
from sweep.task import SegmentJob

MAX_FAILED_STARTS = 3
"""Processes of one worker that may die in a row before they are ready; no trial is to blame for these."""

START_LIMIT_S = 300.0
"""Seconds after which a process that has a job and is not ready counts as hanging."""


@dataclasses.dataclass(slots=True)
class _Sent:
    """A job that a process has."""

    job: SegmentJob
    since: float
    """Infinite until a process that runs programs begins it: it may be ending another trial's."""


class LocalWorker:
    """A process, which is replaced if it dies, and the jobs that it has or will get.

    A process knows a job by a ticket in place of its trial's number. So an answer to a job that was
    dropped is never taken for that of a later job of the same trial.
    """

    def __init__(
        self, start: Callable[[], WorkerProcess], device: str, places: int, *, has_programs: bool
    ) -> None:
        self.device, self.places, self._has_programs = device, places, has_programs
        self._start = start
        self._sent: dict[int, _Sent] = {}
        self._unsent: list[SegmentJob] = []
        self._suspects: set[int] = set()
        """Trials of which one at a time is trained, as a process died that had several."""
        self._tickets = itertools.count()
        self._failed_starts = 0
        self.process, self._ready_at = start(), math.inf

    def free(self) -> int:
        """Return the number of empty places."""
        return self.places - len(self._sent) - len(self._unsent)

    def submit(self, job: SegmentJob) -> None:
        """Hand a job to the process, now or as soon as it may have it."""
        if not self._sent and not self.process.is_alive():  # it died idle, which is no trial's fault
            self._take_end()
        self._unsent.append(job)
        self._send()

    def elapsed(self, trial: int) -> float:
        """Return for how many seconds a trial's job has run; a process's start does not count."""
        since = (sent.since for sent in self._sent.values() if sent.job.trial == trial)
        return max(0.0, time.monotonic() - max(next(since, math.inf), self._ready_at))

    def drop(self, trial: int) -> None:
        """Forget a trial's job; kill the process if it has no other, since it may hang and not hear.

        A process that runs programs hears, since it does not train itself: it ends the program.
        """
        self._unsent = [job for job in self._unsent if job.trial != trial]
        self._suspects.discard(trial)
        for ticket in [ticket for ticket, sent in self._sent.items() if sent.job.trial == trial]:
            del self._sent[ticket]
            if self._has_programs:
                self.process.send(Leave(trial))
            elif self.places == 1:
                self._replace()
            else:
                self.process.send(Drop(ticket))
        self._send()

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
        """Have the process call a function if it is ready and has nothing else to do; return whether so."""
        is_idle = self._ready_at < math.inf and not self._sent and not self._unsent
        if is_idle and self.process.is_alive():
            self.process.send(Call(function, arguments))
            return True
        return False

    def take(self, message: Message) -> SegmentOutcome | None:
        """Return the outcome that a message of the process means, if it means one."""
        outcome = self._understand(message)
        self._send()
        return outcome

    def refuse_slow_start(self) -> None:
        """End the run if a process that has a job is not ready in time.

        Raises:
            MachineError: If the limit is over.
        """
        waited = time.monotonic() - self.process.started_at
        if self._sent and self._ready_at == math.inf and waited > START_LIMIT_S:
            raise _cannot_start(f"it was not ready after {START_LIMIT_S:g} s")

    def _send(self) -> None:
        """Send the jobs that wait; suspects one by one, with nothing beside them."""
        if any(sent.job.trial in self._suspects for sent in self._sent.values()):
            return
        suspects = [job for job in self._unsent if job.trial in self._suspects]
        if suspects and self._sent:
            return
        for job in suspects[:1] or list(self._unsent):
            self._unsent.remove(job)
            ticket = next(self._tickets)
            self._sent[ticket] = _Sent(job, math.inf if self._has_programs else time.monotonic())
            self.process.send(dataclasses.replace(job, trial=ticket))

    def _understand(self, message: Message) -> SegmentOutcome | None:
        match message:
            case Ready():
                self._ready_at, self._failed_starts = time.monotonic(), 0
                return None
            case Began(ticket):
                if ticket in self._sent:
                    self._sent[ticket].since = time.monotonic()
                return None
            case Answer():
                return self._take_answer(message)
            case Progress(ticket, reported):
                sent = self._sent.get(ticket)
                return SegmentOutcome(trial=sent.job.trial, reported=reported) if sent else None
            case Ended():
                return self._take_end()
            case Returned():  # to a call that was given up
                return None
            case CannotStart(fault):
                raise _cannot_start(fault)

    def _take_answer(self, answer: Answer) -> SegmentOutcome | None:
        sent = self._sent.pop(answer.ticket, None)
        if sent is None:  # dropped in the meantime
            return None
        self._suspects.discard(sent.job.trial)
        return SegmentOutcome(
            trial=sent.job.trial, segment=answer.segment, fault=answer.fault, has_died=answer.has_died
        )

    def _take_end(self) -> SegmentOutcome | None:
        """Replace the process; report the job that it died of, or find it out by trying one at a time."""
        lost, was_ready = [sent.job for sent in self._sent.values()], self._ready_at < math.inf
        self._sent.clear()
        if not was_ready:
            self._count_failed_start()
        self._replace()
        if was_ready:
            self._suspects.update(job.trial for job in lost)
            if len(lost) == 1:
                return SegmentOutcome(trial=lost[0].trial)
        self._unsent = lost + self._unsent
        return None

    def _count_failed_start(self) -> None:
        self._failed_starts += 1
        if self._failed_starts == MAX_FAILED_STARTS:
            code = self.process.end()
            died = f"{MAX_FAILED_STARTS} died before they were ready, the last with exit code {code}"
            raise _cannot_start(died)

    def _replace(self) -> None:
        self.process.end()
        self.process, self._ready_at = self._start(), math.inf


def _cannot_start(why: str) -> MachineError:
    return MachineError(f"a worker process cannot start: {why}; `sweep doctor` checks this machine")
