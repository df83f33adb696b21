"""Write a running program's output, reports and copies of its checkpoint to its trial's folder."""

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
    """The files of one run of a program, written while it runs and completed by ``close``."""

    def __init__(
        self,
        folder: TrialFolder,
        *,
        secrets: Sequence[str] = (),
        on_output: tuple[Callable[[bytes], object] | None, Callable[[bytes], object] | None] = (None, None),
        keeps_checkpoint: bool = False,
        earlier: Sequence[Report] = (),
    ) -> None:
        """Create the files.

        Args:
            folder: The trial's folder, which exists.
            secrets: Values to mask in the output.
            on_output: Called in a thread with each chunk of stdout, and of stderr.
            keeps_checkpoint: Whether complete copies of the checkpoint folder are kept.
            earlier: Reports of the attempt that this one resumes, by increasing step.

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

    @property
    def silent_s(self) -> float:
        """Seconds since the program last printed, reported or continued."""
        return time.monotonic() - self._heard

    def hear(self) -> None:
        """Reset the seconds of silence."""
        self._heard = time.monotonic()

    def _heard_by(self, reader: Callable[[bytes], object] | None) -> Callable[[bytes], object]:
        def take(chunk: bytes) -> None:
            self.hear()
            if reader is not None:
                reader(chunk)

        return take

    @property
    def descriptors(self) -> tuple[int, int]:
        """The descriptors for the program's stdout and stderr; valid until ``begin``."""
        return self._stdout.fd, self._stderr.fd

    def begin(self) -> None:
        """Start reading the output, once the program has the descriptors."""
        self._stdout.begin()
        self._stderr.begin()

    def add(self, report: Report) -> list[Report]:
        """Store a report.

        Returns:
            The report; the first one is preceded by the earlier attempt's reports before its step.
        """
        self.hear()
        assert report.step is not None, "reports are numbered by now"
        return self._keep([*self._take_earlier(report.step), report])

    def rest(self) -> list[Report]:
        """Store and return the earlier attempt's reports, if the program ended without its own report."""
        return self._keep(self._take_earlier(math.inf))

    def _keep(self, reports: list[Report]) -> list[Report]:
        for report in reports:
            self._log.add(report)
        return reports

    def _take_earlier(self, step: float) -> list[Report]:
        """Return the earlier attempt's reports before a step, once."""
        before = [report for report in self._earlier if report.step is not None and report.step < step]
        self._earlier = []
        return before

    def look(self) -> None:
        """Copy the checkpoint if it is complete; called often while the program runs."""
        if self._snapshots is not None and time.monotonic() - self._looked > QUIET_S:
            self._looked = time.monotonic()
            self._snapshots.take()

    def close(self, *, was_killed: bool) -> None:
        """Complete all files after the program's end. Later calls do nothing.

        Args:
            was_killed: Whether the program may have been ended while it wrote a checkpoint.

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
        """Read the rest of the output; reports may still follow. Later calls do nothing."""
        outputs, self._outputs = self._outputs, []
        with contextlib.ExitStack() as stack:
            for output in outputs:
                stack.callback(output.close)

    def last_line(self) -> str:
        """Return the last line of stderr, or else of stdout; empty without output."""
        return next(iter(self._folder.tail(1)), "")
