"""What a running program leaves in its trial's folder: its output, its reports, copies of its checkpoint."""

import contextlib
import math
import time
from collections.abc import Callable, Sequence

from sweep.trainers.program.folder import TrialFolder
from sweep.trainers.program.process.capture import Capture
from sweep.trainers.program.report_log import ReportLog
from sweep.trainers.program.reports import Report
from sweep.trainers.program.snapshots import QUIET_S, Snapshots


class RunFiles:
    """The files of one run of a program; written while it runs, complete once it is closed."""

    def __init__(
        self,
        folder: TrialFolder,
        *,
        secrets: Sequence[str] = (),
        on_output: tuple[Callable[[bytes], object] | None, Callable[[bytes], object] | None] = (None, None),
        keeps_checkpoint: bool = False,
        earlier: Sequence[Report] = (),
    ) -> None:
        """Begin to capture.

        Args:
            folder: The trial's, made already.
            secrets: Values that are masked in the output.
            on_output: Called in a thread with each chunk of stdout, and of stderr.
            keeps_checkpoint: Whether whole copies of the checkpoint folder are kept.
            earlier: What the attempt reported that this one goes on from, by rising step.

        Raises:
            OSError: If the folder cannot be written.
        """
        self._folder = folder
        self._stdout = Capture(folder.stdout, self._heard_by(on_output[0]), secrets)
        self._stderr = Capture(folder.stderr, self._heard_by(on_output[1]), secrets)
        self._outputs = [self._stdout, self._stderr]
        self._log = ReportLog(folder)
        self._snapshots = Snapshots(folder.checkpoint) if keeps_checkpoint else None
        self._earlier = list(earlier)
        self._is_open = True
        self._looked = self._heard = time.monotonic()
        self.n_reports = 0

    @property
    def silent_s(self) -> float:
        """Seconds since the program printed or reported something, or went on."""
        return time.monotonic() - self._heard

    def hear(self) -> None:
        """Count the program as heard now."""
        self._heard = time.monotonic()

    def _heard_by(self, reader: Callable[[bytes], object] | None) -> Callable[[bytes], object]:
        def take(chunk: bytes) -> None:
            self.hear()
            if reader is not None:
                reader(chunk)

        return take

    @property
    def descriptors(self) -> tuple[int, int]:
        """What the program writes its stdout and stderr to; valid until ``begin``."""
        return self._stdout.fd, self._stderr.fd

    def begin(self) -> None:
        """Begin to read the output; the program has the descriptors by now."""
        self._stdout.begin()
        self._stderr.begin()

    def add(self, report: Report) -> list[Report]:
        """Keep a report.

        Returns:
            The report; before the first one those of the earlier attempt that it does not repeat.
        """
        self.hear()
        assert report.step is not None, "reports are numbered by now"
        return self._keep([*self._take_earlier(report.step), report])

    def rest(self) -> list[Report]:
        """Keep and return those of the earlier attempt, if the program ended without a report of its own."""
        return self._keep(self._take_earlier(math.inf))

    def _keep(self, reports: list[Report]) -> list[Report]:
        self.n_reports += len(reports)
        for report in reports:
            self._log.add(report)
        return reports

    def _take_earlier(self, step: float) -> list[Report]:
        """Return the earlier attempt's reports before a step, once."""
        before = [report for report in self._earlier if report.step is not None and report.step < step]
        self._earlier = []
        return before

    def look(self) -> None:
        """Copy the checkpoint if it is whole; called often while the program runs."""
        if self._snapshots is not None and time.monotonic() - self._looked > QUIET_S:
            self._looked = time.monotonic()
            self._snapshots.take()

    def close(self, *, was_killed: bool) -> None:
        """Complete all files; the program has ended. Later calls do nothing.

        Args:
            was_killed: Whether it may have been ended in the middle of writing a checkpoint.

        Raises:
            OSError: If a file cannot be written.
        """
        if not self._is_open:
            return
        self._is_open = False
        with contextlib.ExitStack() as stack:
            stack.callback(self._log.close)
            stack.callback(self.close_output)
        if self._snapshots is not None and not was_killed:
            self._snapshots.take(has_ended=True)

    def close_output(self) -> None:
        """Take the rest of the output; reports may still follow. Later calls do nothing."""
        outputs, self._outputs = self._outputs, []
        with contextlib.ExitStack() as stack:
            for output in outputs:
                stack.callback(output.close)

    def last_line(self) -> str:
        """Return the last line of its errors, or else of its output; empty if it printed none."""
        return next(iter(self._folder.tail(1)), "")
