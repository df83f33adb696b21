"""Give advice on a study, one check after the other.

Each check is made in two steps, as a plot is: first the numbers, a pure function of the study
and its ranked configurations, then a sentence from these numbers alone. What a check needs
beyond the trials is stored in the study's notes (``reporting.note_taking``), so giving advice
trains nothing and opens no other file. A trainer may contribute further checks.
"""

from sweep.definition.identity import is_ablation
from sweep.definition.records import StudyRecord
from sweep.reporting.advice import wording
from sweep.reporting.advice.bounds import find_bounds
from sweep.reporting.advice.configurations import ranked_configurations
from sweep.reporting.advice.failures import find_failures
from sweep.reporting.advice.gains import find_gains
from sweep.reporting.advice.program import find_changed_code, find_not_reproducible
from sweep.reporting.advice.repeats import find_repeats
from sweep.reporting.advice.seeds import find_seeds
from sweep.reporting.contributions import Check, contributions_of, merged

SHOWN = 6
"""Sentences that a table shows; `sweep table --advice` shows all."""


CHECKS: dict[str, Check] = {
    "changed-code": Check(find=find_changed_code, say=wording.say_changed_code),
    "not-reproducible": Check(find=find_not_reproducible, say=wording.say_not_reproducible),
    "failures": Check(find=find_failures, say=wording.say_failures),
    "bounds": Check(find=find_bounds, say=wording.say_bounds),
    "seeds": Check(find=find_seeds, say=wording.say_seeds, in_headline=True),
    "gains": Check(find=find_gains, say=wording.say_gains),
    "repeats": Check(find=find_repeats, say=wording.say_repeats),
}
"""Name -> check of every study, most important first. To add one, write two functions and one entry."""


_OF_TRAININGS = ("changed-code", "not-reproducible", "failures")
"""Checks of trainings, whatever chose their configurations."""


def checks_of(study: StudyRecord) -> dict[str, Check]:
    """Return the checks of a study, most important first, with those that its trainer contributes.

    Nothing was searched in an ablation, so only the checks of its trainings apply.
    """
    if is_ablation(study.identity):
        return {name: CHECKS[name] for name in _OF_TRAININGS}
    return merged(CHECKS, contributions_of(study).checks)


def advise(study: StudyRecord, *, below_headline: bool = False) -> list[str]:
    """Return the advice, one text for each check with a finding, most important first.

    Args:
        study: As stored.
        below_headline: Leave out what the headline of the report states.
    """
    ranked = ranked_configurations(study)
    checks = [c for c in checks_of(study).values() if not (below_headline and c.in_headline)]
    findings = [(check, check.find(study, ranked)) for check in checks]
    return [check.say(found) for check, found in findings if found is not None]


def format_advice(study: StudyRecord, *, everything: bool = False, width: int | None = None) -> str:
    """Return the advice as the block below a table; empty if there is none.

    Args:
        study: As stored.
        everything: Show all sentences, not the first ``SHOWN``.
        width: Columns of the terminal; None for a pipe. Lines are never longer than 80.
    """
    return wording.block(
        advise(study),
        limit=None if everything else SHOWN,
        more=f"sweep table {study.name} --advice",
        width=min(width or wording.WIDTH, wording.WIDTH),
    )
