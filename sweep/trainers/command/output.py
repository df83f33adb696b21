r"""Find metrics in the output of a command.

``MetricReader`` accepts the output in pieces of any size, and returns reports. It decodes and matches only
lines that contain a name it looks for, so other text costs a search in bytes. ``line_rule`` reads one line.

A carriage return, or backspaces, begin a new *frame* of the line, as in progress bars. Frames are read like
lines, but a frame that repeats the figures of the previous one is a redraw and ignored. Colours are removed.
"""

import json
import re
from collections.abc import Iterator, Sequence

from sweep.trainers.command.line_rule import Found, LineRule, named_rule, pattern_rule
from sweep.trainers.command.printed_names import PrintedNames
from sweep.trainers.program.reports import Report

_LONGEST_LINE = 1 << 20
"""Longest line or frame that is read, in bytes."""

_REDRAW = b"\x1f\n"
"""Ends of a frame that is followed by another on the same line; a newline alone ends a line."""

_COLOURS = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_FRAMES = re.compile(rb"\r(?!\n)|\x08+")
_CUT = re.compile(rb"[\w.+-]+$")
"""A number or a word at the end of an unfinished line, which may go on."""


class MetricReader:
    """Reads metrics from the output of one trial.

    Args:
        names: The metrics; the first is the study's metric.
        read: The pattern of the key ``read``, which finds the first metric.
        step: The name of the step, if lines have one. A step applies until the next one is printed.
        printed: The sample of what the trial prints, perhaps shared by the readers of its two streams.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        read: re.Pattern[str] | None = None,
        step: str | None = None,
        printed: PrintedNames | None = None,
    ) -> None:
        self._rule: LineRule = pattern_rule(read, names[0]) if read else named_rule(names, step)
        self._needles = [] if read else _needles([*names, *([step] if step else [])])
        self._printed = PrintedNames(names, read) if printed is None else printed
        self._pending = bytearray()
        self._is_too_long = False
        self._step: int | None = None
        self._last: Report | None = None
        self._is_new_line = True
        self._redraws = False
        """Whether what is unfinished is a frame, which is drawn at once, so that no number in it is cut."""
        self._is_percent: dict[str, bool] = {}

    def feed(self, chunk: bytes) -> list[Report]:
        """Return the reports in the lines and frames that a piece of output completes."""
        held, ends_frame = len(self._pending), self._pending.endswith(b"\r") and bool(chunk)
        last = max(
            chunk.rfind(b"\n"), chunk.rfind(b"\r", 0, len(chunk) - 1)
        )  # a newline may follow a last \r
        self._pending += chunk
        end = held + last + 1 if last >= 0 else held * ends_frame
        if not end:
            self._drop_if_too_long()
            return []
        block = bytes(self._pending[:end])
        del self._pending[:end]
        self._redraws = block.endswith(b"\r")
        if self._is_too_long:
            block, self._is_too_long = block[_first_end(block) :], False
        return list(self._reports(block))

    def idle(self) -> list[Report]:
        """Return the report in an unfinished line or frame, after the command has paused.

        If more of the line follows, its figures are not reported twice. A figure at the end of an unfinished
        line is left out: a program that writes in blocks may have cut it.
        """
        held = bytes(self._pending).rstrip(b"\r")
        if not (self._redraws or _FRAMES.search(self._pending)):
            held = _CUT.sub(b"", held)
        if not held:
            return []
        frame = _FRAMES.sub(_REDRAW, _COLOURS.sub(b"", held)).rpartition(b"\n")[2] + b"\n"
        report = self._report(frame[:-1]) if self._named_lines(frame) else None
        return [report] if report and self._is_news(report) else []

    def close(self) -> list[Report]:
        """Return the reports in an unfinished last line."""
        return self.feed(b"\n") if self._pending else []

    def missing(self, name: str) -> str:
        """Return the reason, in one line, why the output has no figure for a metric."""
        return self._printed.missing(name)

    def _drop_if_too_long(self) -> None:
        if self._is_too_long or len(self._pending) > _LONGEST_LINE:
            self._pending.clear()
            self._is_too_long = True

    def _reports(self, block: bytes) -> Iterator[Report]:
        if b"\x1b" in block:
            block = _COLOURS.sub(b"", block)
        self._printed.add(block)
        has_frames = b"\r" in block or b"\x08" in block
        if has_frames:
            block = _FRAMES.sub(_REDRAW, block)
        done = 0
        for start, end in self._named_lines(block):
            lines = block.count(b"\n", done, start)
            frames = block.count(_REDRAW, done, start) if has_frames else 0
            self._is_new_line |= lines > frames
            done = start
            report = self._report(block[start:end])
            if report and self._is_news(report):
                yield report
        rest = block.count(b"\n", done) - (block.count(_REDRAW, done) if has_frames else 0)
        self._is_new_line |= rest > 0

    def _is_news(self, report: Report) -> bool:
        """Return whether a report differs from the last one, and store it as the last one."""
        is_news = self._is_new_line or not _is_same(report, self._last)
        self._last, self._is_new_line = report, False
        return is_news

    def _named_lines(self, block: bytes) -> list[tuple[int, int]]:
        """Return the spans of the lines and frames that may name a metric or a step, in order."""
        if not self._needles:
            return list(_all_lines(block))
        return sorted({span for needle in self._needles for span in _lines_with(block, needle)})

    def _report(self, raw: bytes) -> Report | None:
        found = self._rule(raw.decode("utf-8", "replace").strip("\x1f\r \t"))
        self._step = self._step if found.step is None else found.step
        for name in found.twice:
            self._printed.note_ambiguous(name, raw)
        values = self._comparable(found)
        return Report(step=self._step, values=values) if values else None

    def _comparable(self, found: Found) -> dict[str, float]:
        """Return the figures, without those that are percentages in some lines only."""
        for name, figure in found.figures.items():
            self._printed.note_found(name)
            self._is_percent.setdefault(name, figure.is_percent)
        return {
            name: figure.value
            for name, figure in found.figures.items()
            if figure.is_percent == self._is_percent[name]
        }


def _needles(names: Sequence[str]) -> list[bytes]:
    """Return byte strings of which each line with one of the names contains one: its start, also as JSON."""
    parts = [next(filter(None, re.split(r"[\s.]", name)), name) for name in names]
    return list(dict.fromkeys([*(p.encode() for p in parts), *(json.dumps(p)[1:-1].encode() for p in parts)]))


def _lines_with(block: bytes, needle: bytes) -> Iterator[tuple[int, int]]:
    at = block.find(needle)
    while at >= 0:
        end = block.find(b"\n", at)
        yield block.rfind(b"\n", 0, at) + 1, end
        at = block.find(needle, end)


def _all_lines(block: bytes) -> Iterator[tuple[int, int]]:
    start = 0
    while (end := block.find(b"\n", start)) >= 0:
        yield start, end
        start = end + 1


def _first_end(block: bytes) -> int:
    """Return the position after the first end of a line or frame."""
    ends = [at for at in (block.find(b"\n"), block.find(b"\r")) if at >= 0]
    return min(ends) + 1


def _is_same(report: Report, other: Report | None) -> bool:
    return other is not None and (report.step, report.values) == (other.step, other.values)
