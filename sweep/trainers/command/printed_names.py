"""Sample the output of a command, to explain why a metric was not found."""

import re
from collections.abc import Collection

from sweep.spelling import did_you_mean
from sweep.trainers.command.line_rule import ANY_NAME, names_metric
from sweep.trainers.command.mappings import mapping_figures

_SAMPLE = 1 << 16
"""Bytes that are kept of the beginning and of the end, each."""

_MOST_NAMES = 20

_ENDS = re.compile(r"[\r\n\x08]+")


class PrintedNames:
    """Counts lines, and keeps a sample of the output until every metric has been found."""

    def __init__(self, metrics: Collection[str], read: re.Pattern[str] | None = None) -> None:
        """Initialize; ``read`` is the user's own pattern, if there is one."""
        self.n_lines = 0
        self._read = read
        self._missing = set(metrics)
        self._head = b""
        self._tail = b""
        self._ambiguous: dict[str, bytes] = {}

    def add(self, block: bytes) -> None:
        """Add output in whole lines, without colours."""
        self.n_lines += block.count(b"\n")
        if not self._missing:
            return
        room = _SAMPLE - len(self._head)
        self._head += block[:room]
        self._tail = (self._tail + block[max(room, 0) :][-_SAMPLE:])[-_SAMPLE:]

    def note_found(self, name: str) -> None:
        """Record that a metric has a figure."""
        self._missing.discard(name)

    def note_ambiguous(self, name: str, line: bytes) -> None:
        """Record a line in which a metric has several figures."""
        self._ambiguous.setdefault(name, line[:200])

    def missing(self, name: str) -> str:
        """Return the reason, in one line, why a metric has no figure."""
        if line := self._ambiguous.get(name):
            text = line.decode("utf-8", "replace").strip()
            return f"{name!r} has several figures in one line, {text!r}; use a longer name, or the key read"
        if self._head.strip() and self._read is not None:
            pattern = self._read.pattern
            return f"no line has a number where read, {pattern!r}, looks for {name!r}; {self._sample()}"
        if found := next((line for line in self._lines() if names_metric(name, line)), ""):
            text = found.strip()[:200]
            return (
                f"no number can be read after {name!r} in {text!r}; print it like 1234.5, or use the key read"
            )
        names = self._names()
        shown = ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")
        if not self._head.strip():
            return f"it printed nothing, so {name!r} is missing"
        lines = f"none of its {self.n_lines:,} lines names {name!r}"
        return f"{lines}; {did_you_mean(name, names, '{} ')}it printed: {shown}" if names else lines

    def _sample(self) -> str:
        """Return the last line that is not blank, as an example."""
        line = next(line for line in reversed(self._lines()) if line.strip())
        return f"the last line is {line.strip()[:200]!r}"

    def _lines(self) -> list[str]:
        return _ENDS.split((self._head + b"\n" + self._tail).decode("utf-8", "replace"))

    def _names(self) -> list[str]:
        """Return names that look like metrics, in order of first appearance."""
        names: dict[str, None] = {}
        for line in self._lines():
            mapping = mapping_figures(line.strip())
            found = mapping if mapping is not None else (match["name"] for match in ANY_NAME.finditer(line))
            names.update(dict.fromkeys(found))
        return list(names)
