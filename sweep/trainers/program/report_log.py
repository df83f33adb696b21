"""Write ``reports.jsonl`` of a trial, which can be read while the program runs."""

import json
import os

from sweep.trainers.program.folder import TrialFolder
from sweep.trainers.program.reports import Report, Thinned


class ReportLog:
    """Appends each report to the file; when there are too many, drops every second one."""

    def __init__(self, folder: TrialFolder) -> None:
        """Create the file; raises ``OSError`` if it cannot be created."""
        self._folder, self._thinned = folder, Thinned()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.fdopen(os.open(folder.reports, flags, 0o600), "wb", buffering=0)

    def add(self, report: Report) -> None:
        """Append a report."""
        line = json.dumps({"step": report.step, **report.values, "seconds": round(report.seconds, 3)})
        stride = self._thinned.stride
        is_kept = self._thinned.add(line)
        if self._thinned.stride != stride:
            self._file.seek(0)
            self._file.truncate()
            self._file.write("".join(f"{kept}\n" for kept in self._thinned.lines()).encode())
        elif is_kept:
            self._file.write(f"{line}\n".encode())

    def close(self) -> None:
        """Complete the file."""
        self._file.close()
        self._folder.write_reports(self._thinned)
