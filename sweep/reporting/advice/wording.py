"""Turn findings into sentences: first the finding, then what to do."""

from collections.abc import Sequence

from sweep.definition.notes import NotReproducible
from sweep.reporting.advice.bounds import AtBound
from sweep.reporting.advice.failures import BadEnd, Failures
from sweep.reporting.advice.gains import ExpectedGain, RecentGain
from sweep.reporting.advice.program import ChangedCode
from sweep.reporting.advice.repeats import Repeats
from sweep.reporting.advice.seeds import NotToldApart
from sweep.reporting.printable import printable
from sweep.reporting.table.columns import cell
from sweep.reporting.wrapping import wrap

WIDTH = 80


def say_bounds(found: Sequence[AtBound]) -> str:
    """Say which bounds hold the best back."""
    return " ".join(map(_say_bound, found))


def _say_bound(hit: AtBound) -> str:
    edge, bound = hit.edge, cell(hit.name, hit.edge.bound)
    many = f"{hit.name}: {hit.count} of the best {hit.top}"
    if edge.is_choice:
        extreme = "largest" if edge.is_upper else "smallest"
        return f"{many} take the {extreme} choice, {bound}; add a {extreme[:-2].rstrip('e')}er one."
    end, verb = ("upper", "raise") if edge.is_upper else ("lower", "lower")
    if edge.limit == edge.bound:
        return f"{many} take the {end} bound, {bound}; {verb} it."
    scale = " (log scale)" if edge.log else ""
    return f"{many} lie within 5 % of the {end} bound {bound}{scale}; {verb} it."


def say_seeds(found: NotToldApart) -> str:
    """Say that the order of the first ranks is open, and what decides."""
    decides = f"`sweep confirm {found.study}` decides"
    ranks = f"Ranks 1 {'and' if found.ranks == 2 else 'to'} {found.ranks}"
    if found.spread is None:
        return (
            f"{ranks} lie within {found.margin:g} of the first, on one seed each, and seeds alone "
            f"differ by as much: {decides}."
        )
    return (
        f"{ranks} lie within {found.margin:.4f} of the first, two standard errors of a difference "
        f"(spread {found.spread:.4f} between seeds, the first has {found.seeds}): {decides}."
    )


def say_failures(found: Failures) -> str:
    """Say what ended badly, what it has in common, and what it cost."""
    texts = [_say_bad_end(end) for end in found.ends]
    share = found.seconds / found.all_seconds if found.all_seconds else 0
    if share >= 0.01:
        texts.append(f"That took {found.seconds:,.0f} s, {share:.0%} of all trials' time.")
    return " ".join(texts)


_ENDED = {"diverged": "diverged", "timeout": "ran into trial_timeout", "failed": "failed"}


_CUTS = {
    ">=": ("{name} of {value} or more", "search below that"),
    "<=": ("{name} of {value} or less", "search above that"),
    "=": ("{name} = {value}", "leave that choice out"),
}
"""Relation -> how it reads, and what to do."""


def _say_bad_end(end: BadEnd) -> str:
    text = f"{end.count} of {end.count + end.others} trials {_ENDED[end.state]}"
    if end.cut is None:
        return f"{text}, the first with: {end.reason}." if end.state == "failed" else f"{text}."
    pattern, remedy = _CUTS[end.cut.relation]
    condition = pattern.format(name=end.cut.name, value=cell(end.cut.name, end.cut.value))
    have = "All have" if end.cut.bad == end.count else f"{end.cut.bad} have"
    others = f"{end.cut.others or 'none'} of the {end.others} others"
    return f"{text}. {have} {condition}, and {others}: {remedy}."


def say_gains(found: ExpectedGain | RecentGain) -> str:
    """Say what more trials may gain."""
    if isinstance(found, ExpectedGain):
        text = (
            f"{found.more} more configurations are expected to gain at most {found.gain:.4f} "
            f"(the {found.draws} taken as independent draws)"
        )
        return f"{text}{_say_worth(found)}"
    if found.gain == 0:
        text = f"The last {found.last} of {found.trials} trials found nothing better"
    else:
        moved = "raised" if found.is_raised else "lowered"
        text = f"The last {found.last} of {found.trials} trials {moved} the best by {found.gain:.4f}"
    return f"{text}{_say_worth(found)}"


def _say_worth(found: ExpectedGain | RecentGain) -> str:
    if found.gain < found.negligible or not found.gain:
        return ": more of the same will hardly help; widen the space."
    return ": more trials are worth their time, with a larger --trials."


def say_changed_code(found: ChangedCode) -> str:
    """Say which trials a changed program trained, and why it was changed."""
    parts = [
        f"{'trial' if len(trials) == 1 else 'trials'} {', '.join(map(str, trials[:8]))}"
        f"{f' and {len(trials) - 8} more' if len(trials) > 8 else ''} ({printable(why)})"
        for why, trials in found.trials.items()
    ]
    return f"A changed program trained {'; '.join(parts)}: their values may not compare with the others."


def say_not_reproducible(found: NotReproducible) -> str:
    """Say that a value did not come again."""
    return f"{found.sentence[0].upper()}{found.sentence[1:]}."


def say_repeats(found: Repeats) -> str:
    """Say how many proposals were repeats."""
    text = (
        f"{found.repeats} of {found.trials} trials repeat an earlier configuration and serve as its "
        "replicates"
    )
    if found.possible is None:
        return f"{text}: sampler {found.sampler} returns to the same place."
    if found.tried >= found.possible:
        return f"{text}: all {found.possible:,} configurations of this space have been tried."
    left = found.possible - found.tried
    return (
        f"{text}, while {left:,} of {found.possible:,} configurations are untried: sampler {found.sampler} "
        "returns to the same ones; more trials, or another sampler, reach the rest."
    )


def block(sentences: Sequence[str], *, limit: int | None, more: str, width: int = WIDTH) -> str:
    """Return the sentences as a list for a terminal, "" where there are none.

    Args:
        sentences: Most important first.
        limit: Show so many at most; None shows all.
        more: Where the others are shown.
        width: Columns at most.
    """
    if not sentences:
        return ""
    shown = (wrap(printable(sentence), width, first="* ", then="  ") for sentence in sentences[:limit])
    left = len(sentences[limit:]) if limit is not None else 0
    return "\n".join(["Advice", *shown, *([f"  and {left} more: {more}"] if left else [])])
