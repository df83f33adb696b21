"""Read the output, report file and metric file of a running command into reports and one end."""

import dataclasses
import queue
import re
import signal
import threading
import time
from collections.abc import Iterable, Mapping

from sweep.errors import DataError
from sweep.execution.rungs import cuts
from sweep.spelling import did_you_mean
from sweep.trainers.command.metric_file import parse_metric_file, read_metric_file
from sweep.trainers.command.output import MetricReader
from sweep.trainers.command.printed_names import PrintedNames
from sweep.trainers.program.definition import metric_of
from sweep.trainers.program.live import VALUE
from sweep.trainers.program.process.supervised import Exit, Supervised
from sweep.trainers.program.program import Launch
from sweep.trainers.program.reports import Best, Ended, Pace, Report, ReportFile
from sweep.trainers.program.run_files import RunFiles
from sweep.values import Toml

_LOOK_S = 0.05
"""Seconds between two checks of the report file and of the command's end."""

_PAUSE_S = 0.3
"""Silence after which a line without an end is read."""


class RunningCommand:
    """One run of a command; a ``Program``.

    Metrics are read from ``$SWEEP_REPORT`` if it has lines, else from the metric file at the end if the study
    names one, else from the output.
    """

    def __init__(self, launch: Launch) -> None:
        """Prepare to capture output; call ``begin`` once the command runs."""
        definition = launch.definition
        self._metric: str = definition["metric"]
        self._started = time.monotonic()
        pattern = re.compile(definition["read"]) if "read" in definition else None
        names = self._names = [self._metric, *definition.get("feasible", {})]
        self._figures: dict[str, float] = {}
        """The last value of each figure except the metric."""
        self._names_printed = PrintedNames(names, pattern)
        self._readers = [
            MetricReader(names, read=pattern, step=definition.get("step"), printed=self._names_printed)
            for _ in range(2)
        ]
        self._bests = _bests(definition)
        """Whether values were reported, not printed -> the best of them; empty if the last one counts."""
        self._printed: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._reported = ReportFile(launch.folder.reported, self._clock)
        self._has_reported = False
        self._n_reports = 0
        """Number of reports with the metric."""
        self._metric_file = (
            parse_metric_file(definition["metric_file"]) if "metric_file" in definition else None
        )
        self._started_at = time.time()
        self._folder = launch.folder.path
        self._pace = Pace([cut.step for cut in cuts(launch.config.num_steps)])
        self._quiet_s = launch.quiet_s
        self._due: list[Report] = []
        self._ended: Ended | None = None
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self.files = RunFiles(
            launch.folder,
            secrets=launch.secrets(),
            on_output=(self._hear_stdout, self._hear_stderr),
            keeps_checkpoint=definition.get("checkpoint", False),
            earlier=launch.attempt.earlier,
        )

    def begin(self, supervised: Supervised, command: str) -> None:
        """Start reading the command's output."""
        self._supervised, self._command = supervised, command
        self.files.begin()

    def next(self, timeout: float) -> Report | Ended | None:
        """Return the next report or the end; None if none came within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while not self._due and self._ended is None:
            self._look()
            if time.monotonic() >= deadline:
                break
        return self._due.pop(0) if self._due else self._ended

    def go_on(self, until: int | None) -> None:
        """Do nothing: a command does not wait."""

    def stop(self, *, pruned: bool = False) -> None:
        """End the command and all processes that it started."""
        if self._ended is None:
            ended = self._supervised.stop()  # this also wakes a thread that waits in ``next``
            with self._lock:
                self._complete(ended)
                self._ended = Ended(fault="the trial was stopped")

    def _look(self) -> None:
        """Wait briefly, then collect new reports or the end of the command."""
        ended = self._supervised.wait(_LOOK_S)
        with self._lock:
            if self._ended is not None:
                return
            if ended is not None:
                self._end(ended)
                return
            self._collect()
            self.files.look()
            if self._quiet_s is not None and self.files.silent_s > self._quiet_s:
                self._complete(self._supervised.stop())
                self._ended = Ended(fault=f"it printed nothing for {self._quiet_s:g} s")

    def _clock(self) -> float:
        return time.monotonic() - self._started

    def _hear_stdout(self, chunk: bytes) -> None:
        with self._reading:
            self._hear(self._readers[0].feed(chunk))

    def _hear_stderr(self, chunk: bytes) -> None:
        with self._reading:
            self._hear(self._readers[1].feed(chunk))

    def _hear(self, reports: list[Report]) -> None:
        for report in reports:
            self._printed.put(Report(step=report.step, values=report.values, seconds=self._clock()))

    def _collect(self) -> None:
        """Collect the reports and the output since the last call."""
        reported = self._reported.read()
        self._has_reported = self._has_reported or bool(reported)
        self._take(reported)
        if self.files.silent_s > _PAUSE_S:
            with self._reading:  # a progress bar's frame may be unfinished
                for reader in self._readers:
                    self._hear(reader.idle())
        self._take_printed()

    def _take_printed(self) -> None:
        printed = []
        while not self._printed.empty():
            printed.append(self._printed.get())
        if not self._has_reported and self._metric_file is None:
            self._take(printed)

    def _take(self, reports: list[Report]) -> None:
        for report in reports:
            others = {name: v for name, v in report.values.items() if name not in (self._metric, VALUE)}
            self._figures |= others
            self._n_reports += len(others) < len(report.values)
            step = max(1, self._n_reports) if report.step is None else report.step
            *earlier, own = self.files.add(dataclasses.replace(report, step=step))
            for each in earlier:
                self._hand_on(each, self._bests)
            self._hand_on(own, [self._has_reported])

    def _hand_on(self, report: Report, sources: Iterable[bool]) -> None:
        """Hand on a report with the best value so far; one without the metric must not replace one with it.

        Args:
            report: A report with its step.
            sources: The bests that its value counts for; one of an earlier attempt counts for both.
        """
        value = report.values.get(self._metric, report.values.get(VALUE))
        if value is None:
            return
        if self._bests:
            for source in sources:
                self._bests[source].add(value)
            report = dataclasses.replace(report, best=self._bests[self._has_reported].value)
        self._due += self._pace.add(report)

    def _complete(self, ended: Exit) -> None:
        """Collect the remaining reports and output of an ended command, and complete the files.

        A checkpoint is complete if the command exited by itself, even if on request.
        """
        self.files.close_output()
        for reader in self._readers:
            self._hear(reader.close())
        late = self._reported.close()
        self._has_reported = self._has_reported or bool(late)
        self._take(late)
        self._take_printed()
        for report in self.files.rest():
            self._hand_on(report, self._bests)
        self._due += self._pace.close()
        if self._figures:
            self._due.append(Report(step=None, values=self._figures))
        self.files.close(was_killed=ended.code is None)

    def _end(self, ended: Exit) -> None:
        self._complete(ended)
        self._ended = self._outcome(ended)

    def _outcome(self, ended: Exit) -> Ended:
        if ended.code != 0:
            return Ended(fault=_described(ended, self.files.last_line()), was_killed=ended.was_killed)
        if self._has_reported or self._metric_file is None:
            return Ended(fault=None if self._n_reports else self._missing())
        try:
            values = read_metric_file(self._metric_file, self._folder, self._names, started=self._started_at)
        except DataError as error:
            return Ended(fault=f"exit 0, but {error}")
        return Ended(values=values)

    def _missing(self) -> str:
        reported = self._reported
        if self._has_reported:
            hint = did_you_mean(self._metric, self._figures, "{} ")
            names = ", ".join(self._figures)
            return f"exit 0, but no report names {self._metric!r} or 'value'; {hint}it reported: {names}"
        if reported.first_mistake is None:
            return f"exit 0, but {self._names_printed.missing(self._metric)}"
        ignored = f"lines of $SWEEP_REPORT that were ignored: {reported.refused:,}"
        return (
            f"exit 0, but {self._metric!r} is missing; {ignored}, the first because {reported.first_mistake}"
        )


def _bests(definition: Mapping[str, Toml]) -> dict[bool, Best]:
    """Return a best value for what is printed and one for what is reported, which replaces the former."""
    if definition.get("pick") != "best":
        return {}
    as_loss = metric_of(definition).as_loss
    return {False: Best(as_loss), True: Best(as_loss)}


def _described(ended: Exit, last_line: str) -> str:
    """Return how a command failed, in one line."""
    if ended.signal is not None:
        name = signal.Signals(ended.signal).name if ended.signal in signal.valid_signals() else ended.signal
        how = f"ended by {name}" + (" (out of memory?)" if ended.signal == signal.SIGKILL else "")
    elif ended.code is None:
        how = "its supervisor was killed"
    else:
        how = f"exit code {ended.code}"
    return f"{how}; {last_line.strip()[:300]}" if last_line.strip() else how
