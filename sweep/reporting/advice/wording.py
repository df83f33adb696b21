"""How does a finding read? Numbers come in, sentences go out: what is so, then what to do."""

from collections.abc import Sequence

from sweep.reporting.advice.baselines import AgainstBaselines, Known
from sweep.reporting.advice.bounds import AtBound
from sweep.reporting.advice.budgets import LongerBudget
from sweep.reporting.advice.failures import BadEnd, Failures
from sweep.reporting.advice.gains import ExpectedGain, RecentGain
from sweep.reporting.advice.new_words import OnNewWords
from sweep.reporting.advice.rates import OutsideBand
from sweep.reporting.advice.repeats import Repeats
from sweep.reporting.advice.seeds import NotToldApart
from sweep.reporting.printable import printable
from sweep.reporting.table.columns import cell, short_count
from sweep.reporting.wrapping import wrap

WIDTH = 80

HARDLY = 0.002
"""Nats per character below which a gain is lost in the luck of seeds."""

_COUNTS = ("one character", "two characters", "three characters", "four characters", "five characters")


def say_baselines(found: AgainstBaselines) -> str:
    """Say how the best stands to counting, and to the known configuration."""
    counting = (
        f"counting {_COUNTS[found.context_length - 1]} reaches {found.count_table:.4f} without training "
        f"(uniform {found.uniform:.4f})"
    )
    if found.not_better == found.configurations:
        return (
            f"No configuration beats a count table: {counting}, the best of {found.configurations} "
            f"configurations {found.best:.4f}. Train longer, or look for a learning rate with "
            f"`sweep lr-find {found.study}`."
        )
    gain = f"{found.count_table - found.best:.4f} better"
    text = f"{_capital(counting)}; the best configuration is {gain}"
    some = f", and {found.not_better} of {found.configurations} are no better" if found.not_better else ""
    return f"{text}{some}.{_say_known(found.known, found.best)}"


def _say_known(known: Known | None, best: float) -> str:
    if known is None:
        return ""
    name = "the notebook's configuration" if known.is_notebook else "the known configuration"
    trial = f"trial {known.trial}" + (f" (mean of {known.seeds} seeds)" if known.seeds > 1 else "")
    if known.is_best:
        return f" Nothing found beats {name}, {trial}."
    return f" {_capital(name)}, {trial}, is {known.dev_loss - best:.4f} above it."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


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
        return f"{text}{_say_worth(found.gain)}"
    if found.gain == 0:
        text = f"The last {found.last} of {found.trials} trials found nothing better"
    else:
        text = f"The last {found.last} of {found.trials} trials lowered the best by {found.gain:.4f}"
    return f"{text}{_say_worth(found.gain)}"


def _say_worth(gain: float) -> str:
    if gain < HARDLY:
        return ": more of the same will hardly help; widen the space."
    return ": more trials are worth their time, with a larger --trials."


def say_new_words(found: OnNewWords) -> str:
    """Return how much the loss of the best configuration's first trial owes to words that occur in train."""
    noted = found.noted
    seen = noted.dev_words - noted.new_words
    dedupe = '"normalized"' if found.has_look_alikes else "true"
    return (
        f"{seen:,} of {noted.dev_words:,} dev words also occur in train: trial {noted.trial} has "
        f"{noted.seen_loss:.4f} on them and {noted.new_loss:.4f} on the others, together "
        f"{found.dev_loss:.4f}; dedupe = {dedupe} in [data] leaves repeats out."
    )


def say_budgets(found: LongerBudget) -> str:
    """Say which smaller budget was ahead at equal examples."""
    return (
        f"After {short_count(found.examples)} examples trial {found.rival} stood at {found.rival_loss:.4f} "
        f"and the best, trial {found.trial}, at {found.loss:.4f}, but they went on to "
        f"{short_count(found.rival_budget)} and {short_count(found.budget)}: trial {found.rival}'s "
        "configuration may deserve the larger budget too."
    )


def say_rates(found: OutsideBand) -> str:
    """Say where the learning rate lies beside the band."""
    side = "below" if found.learning_rate < found.low else "above"
    text = (
        f"learning_rate {found.learning_rate:.3g} of trial {found.trial}, the best, lies {side} the range "
        f"test's {found.low:.3g} to {found.high:.3g} ({found.what})"
    )
    if found.is_searched:
        return f"{text}: run `sweep lr-find {found.study}` again, for what is best now."
    return f"{text}: search learning_rate over these."


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
