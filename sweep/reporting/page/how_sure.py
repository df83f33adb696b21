"""Say in the headline how sure the result is: on how many seeds, against whom, and what is missing."""

from collections.abc import Sequence

from sweep.definition.records import StudyRecord
from sweep.reporting.advice.configurations import ranked_configurations
from sweep.reporting.advice.seeds import find_seeds
from sweep.reporting.evidence import Confirmed
from sweep.reporting.text.confirmation import newer_trials
from sweep.reporting.units import certified_label, words_of
from sweep.values import Params


def say_unconfirmed(study: StudyRecord, best: Params, *, is_uncertified: bool) -> list[str]:
    """Return how sure the first of the ranked table is.

    Args:
        study: As stored.
        best: Its row.
        is_uncertified: Whether a confirmation ended without a certificate.
    """
    return [_one_seed_or_more(study, best), _why_unconfirmed(study, is_uncertified=is_uncertified)]


def say_confirmed(study: StudyRecord, confirmed: Confirmed) -> list[str]:
    """Return how sure the certified winner is."""
    return [*_certified(study, confirmed), *_lost(confirmed), *_newer(study)]


def listed(parts: Sequence[str]) -> str:
    """Return ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _why_unconfirmed(study: StudyRecord, *, is_uncertified: bool) -> str:
    if is_uncertified:
        return "Its confirmation ended without a certificate: too few of its trainings have a value."
    return f"Not confirmed: `sweep confirm {study.name}` trains the best configurations on fresh seeds."


def _one_seed_or_more(study: StudyRecord, best: Params) -> str:
    """Return the number of seeds, and the ranks that other seeds might reorder."""
    label = study.metric.label
    if best["n"] > 1:
        seeds = f"The {label} is the mean over {best['n']} seeds, with a spread of {best['value_sd']:.4f}"
    else:
        seeds = "It was trained on one seed"
    open_ranks = find_seeds(study, ranked_configurations(study))
    if open_ranks is not None:
        ranks = f"{'and' if open_ranks.ranks == 2 else 'to'} {open_ranks.ranks}"
        seeds += (
            f"; ranks 1 {ranks} are within {open_ranks.margin:.3f} of the first, so their order may be luck"
        )
    return f"{seeds}."


def _certified(study: StudyRecord, confirmed: Confirmed) -> list[str]:
    words, found = words_of(study.metric), confirmed.certificate
    if confirmed.verdict.is_deterministic:
        return _deterministic(study, confirmed)
    seeds = (
        f"The {certified_label(study.metric)} is the mean over {len(found.seeds)} seeds that took no part in "
        f"search or choice, with a spread (standard deviation) of {found.sd:.4f}; in the search, its "
        f"{study.metric.label} was {abs(found.optimism):.4f} "
        f"{words['lower' if found.optimism >= 0 else 'higher']}."
    )
    if found.candidates == 1:
        return [f"It was the only candidate, trained on {found.rounds} fresh seeds.", seeds]
    compared = f"It was chosen among {found.candidates} candidates on {found.rounds} fresh seeds each"
    return [f"{compared}; {_others(confirmed)}.", seeds]


def _others(confirmed: Confirmed) -> str:
    """Return the candidates that are tied with the chosen one; if it is not the best, why it was chosen."""
    verdict = confirmed.verdict
    if confirmed.trial not in verdict.tied and verdict.choice is not None:
        return verdict.choice.reason
    tied = [str(trial) for trial in verdict.tied if trial != confirmed.trial]
    trials, are = ("trial", "is") if len(tied) == 1 else ("trials", "are")
    return f"{f'{trials} {listed(tied)} {are}' if tied else 'no other candidate is'} tied with it"


def _lost(confirmed: Confirmed) -> list[str]:
    """Return that certifying seeds have no value, if so."""
    lost, found = confirmed.certificate.lost, len(confirmed.certificate.seeds)
    if not lost:
        return []
    ended = f"On {lost} of {lost + found} certifying seeds it diverged or failed"
    return [f"{ended}; the mean leaves them out, so that it is too good."]


def _newer(study: StudyRecord) -> list[str]:
    newer = newer_trials(study)
    return [f"{newer}."] if newer else []


def _deterministic(study: StudyRecord, confirmed: Confirmed) -> list[str]:
    found = confirmed.certificate
    return [
        f"It was chosen among {found.candidates} candidate{'s' * (found.candidates != 1)}; the seed makes no "
        "difference, so each has one value.",
        f"Deterministic, so there is no interval over seeds: {len(found.seeds)} seeds that took no part in "
        f"search or choice gave the same {study.metric.label}.",
    ]
