"""What a running program leaves in its trial's folder: its output, its reports, copies of its checkpoint."""

import contextlib
import json
from collections.abc import Callable, Sequence

from sweep.tasks.program.capture import Capture
from sweep.tasks.program.folder import TrialFolder
from sweep.tasks.program.reports import Report, Thinned
from sweep.tasks.program.snapshots import Snapshots


class RunFiles:
    """The files of one run of a program; written while it runs, complete once it is closed."""

    def __init__(
        self,
        folder: TrialFolder,
        *,
        secrets: Sequence[str] = (),
        on_output: tuple[Callable[[bytes], object] | None, Callable[[bytes], object] | None] = (None, None),
        keeps_checkpoint: bool = False,
    ) -> None:
        """Make the folder and begin to capture.

        Args:
            folder: The trial's.
            secrets: Values that are masked in the output.
            on_output: Called in a thread with each chunk of stdout, and of stderr.
            keeps_checkpoint: Whether whole copies of the checkpoint folder are kept.

        Raises:
            OSError: If the folder cannot be written.
        """
        folder.make()
        self._folder = folder
        self._stdout = Capture(folder.stdout, on_output[0], secrets)
        self._stderr = Capture(folder.stderr, on_output[1], secrets)
        self._thinned = Thinned()
        self._snapshots = Snapshots(folder.checkpoint) if keeps_checkpoint else None
        self._is_open = True
        self.n_reports = 0

    @property
    def descriptors(self) -> tuple[int, int]:
        """What the program writes its stdout and stderr to; valid until ``begin``."""
        return self._stdout.fd, self._stderr.fd

    def begin(self) -> None:
        """Begin to read the output; the program has the descriptors by now."""
        self._stdout.begin()
        self._stderr.begin()

    def add(self, report: Report) -> None:
        """Keep a report, and copy the checkpoint if it is whole."""
        self.n_reports += 1
        self._thinned.add(
            json.dumps({"step": report.step, **report.values, "seconds": round(report.seconds, 3)})
        )
        if self._snapshots is not None:
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
            stack.callback(self._folder.write_reports, self._thinned)
            stack.callback(self._stderr.close)
            stack.callback(self._stdout.close)
        if self._snapshots is not None and not was_killed:
            self._snapshots.take(has_ended=True)

    def last_line(self) -> str:
        """Return the last line of its errors, or else of its output; empty if it printed none."""
        return next(iter(self._folder.tail(1)), "")
