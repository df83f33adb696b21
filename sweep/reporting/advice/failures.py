"""Find the trials that ended without a value, what they have in common, and their cost.

For each kind of bad end, find the condition on one hyperparameter that best separates these trials from all
others. It is reported only if chance would hardly produce one as good.
"""

import bisect
import dataclasses
import math
from collections.abc import Iterator, Sequence

from sweep.definition.dimension import is_number
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.reporting.advice.bounds import log_ways
from sweep.reporting.advice.configurations import Configuration
from sweep.values import Params, Value

BAD_ENDS = ("diverged", "timeout", "failed")
"""Unwanted states; pruned trials were stopped on purpose."""

CHANCE = 0.05


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A condition on one hyperparameter."""

    name: str
    relation: str
    """``>=``, ``<=`` or ``=``."""
    value: Value
    bad: int
    """Bad trials that meet it."""
    others: int
    """Other finished trials that meet it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BadEnd:
    """Trials that ended in one bad way."""

    state: str
    count: int
    others: int
    """All other finished trials."""
    cut: Cut | None
    """What they have in common."""
    reason: str
    """Of the first of them."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """All bad ends, with the wall time that they took."""

    ends: list[BadEnd]
    seconds: float
    all_seconds: float
    """Of all finished trials."""


def find_failures(study: StudyRecord, ranked: Sequence[Configuration]) -> Failures | None:
    """Return the bad ends of a study, if there are any."""
    finished = [trial for trial in study.trials if trial.is_finished]
    ends = [_bad_end(state, finished) for state in BAD_ENDS if any(t.state == state for t in finished)]
    if not ends:
        return None
    return Failures(
        ends=ends,
        seconds=sum(_wall_seconds(trial) for trial in finished if trial.state in BAD_ENDS),
        all_seconds=sum(map(_wall_seconds, finished)),
    )


def _bad_end(state: str, finished: Sequence[TrialRecord]) -> BadEnd:
    bad = [trial for trial in finished if trial.state == state]
    others = [trial for trial in finished if trial.state != state]
    return BadEnd(
        state=state,
        count=len(bad),
        others=len(others),
        cut=best_cut([t.params for t in bad], [t.params for t in others]),
        reason=bad[0].reason or "",
    )


def best_cut(bad: Sequence[Params], others: Sequence[Params]) -> Cut | None:
    """Return the cut that parts bad trials from others best, or None where chance finds one as good.

    Best is the largest difference of the two shares that meet it (Youden's J). As good by chance:
    the hypergeometric probability that so many bad ones meet it, times the number of cuts tried
    (Bonferroni), is above ``CHANCE``.
    """
    cuts = list(_cuts(bad, others))
    if not cuts or not others:
        return None
    best = max(cuts, key=lambda cut: cut.bad / len(bad) - cut.others / len(others))
    chance = hypergeometric_tail(best.bad, len(bad), best.bad + best.others, len(bad) + len(others))
    return best if chance * len(cuts) <= CHANCE else None


def hypergeometric_tail(hits: int, bad: int, drawn: int, total: int) -> float:
    """Return the chance that ``drawn`` of ``total`` trials hold ``hits`` or more of the ``bad`` ones.

    Examples:
        >>> round(hypergeometric_tail(2, 2, 2, 4) * 6, 9)
        1.0
    """
    possible = range(max(hits, drawn - (total - bad)), min(bad, drawn) + 1)
    return sum(
        math.exp(log_ways(bad, k) + log_ways(total - bad, drawn - k) - log_ways(total, drawn))
        for k in possible
    )


def _cuts(bad: Sequence[Params], others: Sequence[Params]) -> Iterator[Cut]:
    for name in dict.fromkeys(name for params in bad for name in params):
        ours = [params[name] for params in bad if name in params]
        theirs = [params[name] for params in others if name in params]
        if all(map(is_number, [*ours, *theirs])):
            yield from _cuts_of_numbers(name, sorted(ours), sorted(theirs))
        else:
            for value in dict.fromkeys(ours):
                yield Cut(
                    name=name, relation="=", value=value, bad=ours.count(value), others=theirs.count(value)
                )


def _cuts_of_numbers(name: str, ours: list[float], theirs: list[float]) -> Iterator[Cut]:
    for value in dict.fromkeys(ours):
        above = [len(values) - bisect.bisect_left(values, value) for values in (ours, theirs)]
        below = [bisect.bisect_right(values, value) for values in (ours, theirs)]
        yield Cut(name=name, relation=">=", value=value, bad=above[0], others=above[1])
        yield Cut(name=name, relation="<=", value=value, bad=below[0], others=below[1])


def _wall_seconds(trial: TrialRecord) -> float:
    """Return how long a trial held its worker; a segment that diverged is not among the stored ones."""
    if trial.started and trial.ended:
        return max(trial.train_seconds, (trial.ended - trial.started).total_seconds())
    return trial.train_seconds
