"""Compute the steps at which a trial is split into segments.

A trial is cut at the rungs, 10, 30 and 90 % of its budget, where trials are compared, and at its end. Long
stretches between rungs are cut further, so that little is lost when a machine dies; such cuts are not rungs
and do not change results.
"""

from typing import NamedTuple

DECISION_RUNGS = (10, 30, 90)
"""Per cent of a trial's budget at which pruners compare trials."""

MAX_SEGMENT_STEPS = 25_000
"""Largest number of steps between two stored states."""


class Cut(NamedTuple):
    """The end of a segment."""

    step: int
    percent: int | None
    """The rung reached here, or None."""


def cuts(num_steps: int, shortest: int = 2) -> list[Cut]:
    """Return the ends of all segments of a trial, in order; the last is its end.

    Args:
        num_steps: The trial's budget.
        shortest: Number of steps below which a trial is one segment; see ``task.shortest_with_rungs``.

    Examples:
        >>> [tuple(cut) for cut in cuts(10)]
        [(1, 10), (3, 30), (9, 90), (10, 100)]
        >>> [tuple(cut) for cut in cuts(50_000)]
        [(5000, 10), (15000, 30), (30000, None), (45000, 90), (50000, 100)]
        >>> cuts(1_000, shortest=2_000)
        [Cut(step=1000, percent=100)]
    """
    if num_steps < shortest:
        return [Cut(num_steps, 100)]
    ends: list[Cut] = []
    before = 0
    for percent in (*DECISION_RUNGS, 100):
        step = num_steps * percent // 100
        if step == before or (step == num_steps and percent < 100):
            continue  # a short budget has fewer rungs
        pieces = -(-(step - before) // MAX_SEGMENT_STEPS)
        ends += [Cut(before + (step - before) * k // pieces, None) for k in range(1, pieces)]
        ends.append(Cut(step, percent))
        before = step
    return ends
