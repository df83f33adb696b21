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
    """Return the bounds of the space at which the best configurations are."""
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
    return f"{many} are within 5 % of the {end} bound {bound}{scale}; {verb} it."


def say_seeds(found: NotToldApart) -> str:
    """Return the ranks that other seeds might reorder, and the command that decides."""
    decides = f"`sweep confirm {found.study}` decides"
    ranks = f"Ranks 1 {'and' if found.ranks == 2 else 'to'} {found.ranks}"
    if found.spread is None:
        return (
            f"{ranks} are within {found.margin:g} of the first, on one seed each, and another seed alone can "
            f"change a value by that much: {decides}."
        )
    return (
        f"{ranks} are within {found.margin:.4f} of the first, which is no more than seeds explain (spread "
        f"{found.spread:.4f} between seeds, {found.seeds} of them for the first): {decides}."
    )


def say_failures(found: Failures) -> str:
    """Return the trials that ended badly, what they have in common, and their cost."""
    texts = [_say_bad_end(end) for end in found.ends]
    share = found.seconds / found.all_seconds if found.all_seconds else 0
    if share >= 0.01:
        texts.append(f"They took {found.seconds:,.0f} s, {share:.0%} of the time of all trials.")
    return " ".join(texts)


_ENDED = {"diverged": "diverged", "timeout": "reached trial_timeout", "failed": "failed"}


_CUTS = {
    ">=": ("{name} of {value} or more", "search below that"),
    "<=": ("{name} of {value} or less", "search above that"),
    "=": ("{name} = {value}", "leave that choice out"),
}
"""Relation -> its wording, and the advice."""


def _say_bad_end(end: BadEnd) -> str:
    text = f"{end.count} of {end.count + end.others} trials {_ENDED[end.state]}"
    if end.cut is None:
        return f"{text}, the first with: {end.reason}." if end.state == "failed" else f"{text}."
    pattern, remedy = _CUTS[end.cut.relation]
    condition = pattern.format(name=end.cut.name, value=cell(end.cut.name, end.cut.value))
    have = "All have" if end.cut.bad == end.count else f"{end.cut.bad} of them have"
    others = f"{end.cut.others or 'none'} of the {end.others} others"
    return f"{text}. {have} {condition}, but {others}: {remedy}."


def say_gains(found: ExpectedGain | RecentGain) -> str:
    """Return the gain that further trials may bring."""
    if isinstance(found, ExpectedGain):
        text = (
            f"{found.more} more configurations are expected to gain at most {found.gain:.4f}, estimated from "
            f"the {found.draws} so far"
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
        will = "will hardly" if isinstance(found, ExpectedGain) else "may not"
        return f": more trials {will} help; widen the space."
    return ": more trials are worthwhile; raise --trials."


def say_changed_code(found: ChangedCode) -> str:
    """Return the trials that a changed program trained, and the reason for the change."""
    parts = [
        f"{'trial' if len(trials) == 1 else 'trials'} {', '.join(map(str, trials[:8]))}"
        f"{f' and {len(trials) - 8} more' if len(trials) > 8 else ''} ({printable(why)})"
        for why, trials in found.trials.items()
    ]
    return (
        f"A changed program trained {'; '.join(parts)}: their values may not be comparable with the others."
    )


def say_not_reproducible(found: NotReproducible) -> str:
    """Return the sentence of the note: training again gave another value."""
    return f"{found.sentence[0].upper()}{found.sentence[1:]}."


def say_repeats(found: Repeats) -> str:
    """Return the number of repeated proposals."""
    text = (
        f"{found.repeats} of {found.trials} trials repeat an earlier configuration and serve as its "
        "replicates"
    )
    if found.possible is None:
        return f"{text}: sampler {found.sampler} proposes the same values again."
    if found.tried >= found.possible:
        return f"{text}: all {found.possible:,} configurations of this space have been tried."
    left = found.possible - found.tried
    return (
        f"{text}, while {left:,} of {found.possible:,} configurations are untried: sampler {found.sampler} "
        "proposes the same ones again; more trials, or another sampler, may reach the others."
    )


def block(sentences: Sequence[str], *, limit: int | None, more: str, width: int = WIDTH) -> str:
    """Return the sentences as a list for a terminal; empty if there are none.

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
