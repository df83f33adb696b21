r"""Find a metric in a line of output: name, separator, figure.

    Epoch 3/10 - loss: 0.31 - val_loss: 0.21 - val_acc: 0.94
    step 250: train loss 1.9654, val loss 2.0123
    │ val_acc │ 0.94 │

The name must not be part of a longer name: ``loss`` is neither in ``val_loss``, ``val/loss``, ``eval-loss``
nor ``--loss=1``, and neither in ``valid's loss`` (LightGBM) nor ``best loss``. The separator is ``:``, ``=``,
``->``, a table's bar, dots, or blanks. After blanks alone, a whole number must not be followed by a word, as
in ``saw loss 3 times``. A name with several figures in one line is ambiguous and ignored; of ``87.5 (76.5)``,
the first counts. A line that is JSON or a dict is read as such, with dotted names (``mappings``).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sweep.trainers.command.figures import FIGURE, Figure, matched_figure
from sweep.trainers.command.mappings import mapping_figures

_BEFORE = r"(?<![\w.\-/@?&#%+~\\$])(?<!'s )(?<![Bb]est )(?<!BEST )"
"""Lookbehind for characters that must not precede a name."""

_FREE = re.compile(_BEFORE)

_OPENED = {'"': '"', "'": "'", "`": "`", ")": "(", "]": "[", "**": "**"}
"""Closing mark of a name -> opening mark."""

_BETWEEN = r"(?P<separator>\s*(?:->|=>|[:=|│┃║→]|\.{3,})\s*|\s+)"

_COUNTED = re.compile(r"\s+[^\W\d_]")
"""Matches the word after a whole number that makes it a count, if only blanks precede the number."""

_ANY_BETWEEN = r"(?:\s*[:=│┃|]\s*|\s+(?=[-+]?[0-9]*\.[0-9]))"
"""Matches what is between any name and its figure; after blanks alone, only a figure with decimals counts."""

ANY_NAME = re.compile(rf"{_BEFORE}[\"']?(?P<name>[^\W\d][\w./@-]*)[\"']?{_ANY_BETWEEN}{FIGURE}")
"""Matches any name with a figure that may be a metric."""


@dataclass(frozen=True, slots=True)
class Found:
    """The metrics in a line."""

    step: int | None = None
    figures: dict[str, Figure] = field(default_factory=dict)
    twice: frozenset[str] = frozenset()
    """Metrics that have several figures in the line; all are ignored."""


LineRule = Callable[[str], Found]


def named_rule(names: Sequence[str], step: str | None) -> LineRule:
    """Return a rule that finds metrics, and a step, by name."""
    metrics = {name: re.compile(f"{_closed(name)}{_BETWEEN}{FIGURE}") for name in names}
    of_step = step_pattern(step) if step else None

    def rule(line: str) -> Found:
        mapping = mapping_figures(line)
        if mapping is not None:
            figures = {name: mapping[name] for name in names if name in mapping}
            return Found(_whole(mapping.get(step or "")), figures)
        found = {name: _occurrences(pattern, line) for name, pattern in metrics.items()}
        steps = filter(_stands_alone, of_step.finditer(line)) if of_step else iter(())
        step_match = next(steps, None)
        return Found(
            int(step_match["step"]) if step_match else None,
            {name: figures[0] for name, figures in found.items() if len(figures) == 1},
            frozenset(name for name, figures in found.items() if len(figures) > 1),
        )

    return rule


def pattern_rule(pattern: re.Pattern[str], metric: str) -> LineRule:
    """Return a rule for the key ``read``, a pattern with the group ``value`` and perhaps ``step``."""

    def rule(line: str) -> Found:
        match = pattern.search(line)
        groups = match.groupdict() if match else {}
        value, step = _number(groups.get("value")), groups.get("step")
        figures = {} if value is None else {metric: Figure(value, False)}
        return Found(int(step) if step and _is_whole(step) else None, figures)

    return rule


def names_metric(name: str, line: str) -> bool:
    """Return whether a line has a metric's name before a separator, whatever comes after it."""
    pattern = re.compile(f"{_closed(name)}{_BETWEEN}")
    return any(_stands_alone(match) for match in pattern.finditer(line))


def step_pattern(step: str) -> re.Pattern[str]:
    """Return a pattern for a step's name and a whole number: ``Epoch 3/10``, ``step=3``, ``[epoch 003]``."""
    return re.compile(
        rf"{_closed(step)}\s*[:=#|│]?\s*[\[(\"']?\s*(?P<step>[0-9]{{1,18}})(?:\.0*)?"
        r"(?!\s?%|[\w.]|[,:][0-9]|-\w)"
    )


def _closed(name: str) -> str:
    """Return a pattern for a name and the closing mark of quotation marks or brackets around it."""
    words = r"\s+".join(re.escape(word) for word in name.split())
    return rf"(?P<name>{words})(?P<close>[\"'`)\]]|\*\*)?"


def _stands_alone(match: re.Match[str]) -> bool:
    """Return whether a name is not part of a longer one, and its opening mark matches its closing mark.

    The pattern omits this check, because a pattern that begins with plain text is searched for quickly.
    """
    opened = _OPENED[match["close"]] if match["close"] else ""
    start = match.start() - len(opened)
    return start >= 0 and match.string.startswith(opened, start) and bool(_FREE.match(match.string, start))


def _occurrences(pattern: re.Pattern[str], line: str) -> list[Figure]:
    return [
        matched_figure(match)
        for match in pattern.finditer(line)
        if _stands_alone(match) and not _is_count(match)
    ]


def _is_count(match: re.Match[str]) -> bool:
    is_bare = match["separator"].isspace() and match["number"].isdecimal()
    return is_bare and _COUNTED.match(match.string, match.end()) is not None


def _whole(figure: Figure | None) -> int | None:
    return int(figure.value) if figure and figure.value.is_integer() else None


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
