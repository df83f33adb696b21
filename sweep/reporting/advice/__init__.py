"""What would a good colleague say about a study?

Each check is made in two steps, as a plot is: first the numbers, a pure function of the study
and its ranked configurations, then a sentence from these numbers alone. What a check needs
beyond the trials stands in the study's notes (``results.note_taking``), so reading advice
trains nothing and opens no other file.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from sweep.definition.records import StudyRecord
from sweep.reporting.advice import wording
from sweep.reporting.advice.baselines import find_baselines
from sweep.reporting.advice.bounds import find_bounds
from sweep.reporting.advice.budgets import find_budgets
from sweep.reporting.advice.configurations import Configuration, ranked_configurations
from sweep.reporting.advice.failures import find_failures
from sweep.reporting.advice.gains import find_gains
from sweep.reporting.advice.new_words import find_new_words
from sweep.reporting.advice.rates import find_rates
from sweep.reporting.advice.repeats import find_repeats
from sweep.reporting.advice.seeds import find_seeds

SHOWN = 6
"""Sentences that a table shows; `sweep table --advice` shows all."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How one piece of advice is made."""

    find: Callable[[StudyRecord, list[Configuration]], Any]
    """What was learned -> plain numbers, or None where there is nothing to say."""
    say: Callable[[Any], str]
    """Plain numbers -> sentence."""


CHECKS: dict[str, Check] = {
    "baselines": Check(find=find_baselines, say=wording.say_baselines),
    "failures": Check(find=find_failures, say=wording.say_failures),
    "bounds": Check(find=find_bounds, say=wording.say_bounds),
    "seeds": Check(find=find_seeds, say=wording.say_seeds),
    "gains": Check(find=find_gains, say=wording.say_gains),
    "new_words": Check(find=find_new_words, say=wording.say_new_words),
    "budgets": Check(find=find_budgets, say=wording.say_budgets),
    "rates": Check(find=find_rates, say=wording.say_rates),
    "repeats": Check(find=find_repeats, say=wording.say_repeats),
}
"""Name -> check, most important first. To add one, write two functions and one entry."""


def advise(study: StudyRecord) -> list[str]:
    """Return what there is to say, one text a check, most important first."""
    ranked = ranked_configurations(study)
    findings = [(check, check.find(study, ranked)) for check in CHECKS.values()]
    return [check.say(found) for check, found in findings if found is not None]


def format_advice(study: StudyRecord, *, everything: bool = False, width: int | None = None) -> str:
    """Return the block below a table, "" where there is nothing to say.

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
