"""Decide a confirmation: which candidate its finished trainings choose, and what is trained next.

Both depend only on the plan and the stored losses, so a killed confirmation resumes with the same decisions.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from sweep.certify.confirm_plan import Candidate, ConfirmPlan, Job, Losses
from sweep.certify.statistics.explosions import explosion_bound
from sweep.certify.statistics.racing import FIRST_ROUNDS, RaceState, race
from sweep.certify.statistics.selection import Choice, choose
from sweep.metric import MINIMIZE


def next_jobs(plan: ConfirmPlan, losses: Losses) -> list[Job]:
    """Return the next jobs, in order; empty if the confirmation is finished."""
    jobs = [job for job in _choice_jobs(plan, losses) if job not in losses]
    if jobs:
        return jobs
    chosen = chosen_candidate(plan, losses)
    if chosen is None:
        return []
    rounds = [Job(chosen.trial, "certify", number) for number in range(plan.settings.certify)]
    rounds += [Job(chosen.trial, "resplit", number) for number in range(plan.settings.resplit)]
    return [job for job in rounds if job not in losses]


def chosen_candidate(plan: ConfirmPlan, losses: Losses) -> Candidate | None:
    """Return the candidate that the finished rounds select, or None if all were excluded."""
    standing = last_standing(plan, losses)
    return standing[make_choice(plan, losses, standing).index] if standing else None


def make_choice(
    plan: ConfirmPlan, losses: Losses, standing: Sequence[Candidate], direction: str = MINIMIZE
) -> Choice:
    """Return the choice among candidates with equal numbers of rounds; see ``selection.choose``."""
    if len(standing) == 1:
        return Choice(0, 0, "the only remaining candidate")
    block = np.array([choice_losses(plan, losses, candidate) for candidate in standing])
    costs = np.array([candidate.seconds for candidate in standing])
    alpha = comparison_alpha(plan, len(standing))
    return choose(block, costs, delta=plan.settings.delta, alpha=alpha, direction=direction)


def comparison_alpha(plan: ConfirmPlan, standing: int) -> float:
    """Return the error probability for comparing the remaining candidates.

    A race spends half of the plan's ``alpha`` on elimination. The other half covers the comparison of all
    candidates; the remaining ones get their share of it.
    """
    if plan.settings.method == "fixed" or standing < 2:
        return plan.settings.alpha
    return plan.settings.alpha / 2 * (standing - 1) / (len(plan.candidates) - 1)


def last_standing(plan: ConfirmPlan, losses: Losses) -> list[Candidate]:
    """Return the candidates with a loss in every round so far that the race, if any, did not eliminate."""
    sound = sound_candidates(plan, losses)
    if plan.settings.method == "fixed" or len(sound) < 2:
        return sound
    alive = race_state(plan, losses).alive
    return [candidate for candidate in sound if candidate.trial in alive]


def race_state(plan: ConfirmPlan, losses: Losses) -> RaceState:
    """Return the state of the race between the sound candidates."""
    rounds = {c.trial: choice_losses(plan, losses, c) for c in sound_candidates(plan, losses)}
    asked = plan.settings
    return race(rounds, most_rounds=asked.seeds, delta=asked.delta, alpha=asked.alpha / 2)


def sound_candidates(plan: ConfirmPlan, losses: Losses) -> list[Candidate]:
    """Return the candidates without a failed or exploded round; if all exploded, all that did not fail."""
    complete = _complete_candidates(plan, losses)
    out = {job.candidate for job in exploded_jobs(plan, losses) if job.phase == "choice"}
    return [candidate for candidate in complete if candidate.trial not in out] or complete


def exploded_jobs(plan: ConfirmPlan, losses: Losses) -> dict[Job, float]:
    """Return the losses of the plan's exploded trainings, once all candidates have their first rounds."""
    complete = _complete_candidates(plan, losses)
    rounds = {candidate.trial: choice_losses(plan, losses, candidate) for candidate in complete}
    if not rounds or min(map(len, rounds.values())) < _first_rounds(plan):
        return {}
    bound = explosion_bound(itertools.chain(*rounds.values()), plan.settings.delta)
    jobs = [Job(trial, "choice", number) for trial, found in rounds.items() for number in range(len(found))]
    jobs += [Job(trial, "certify", number) for trial in rounds for number in range(plan.settings.certify)]
    return {job: loss for job in jobs if (loss := losses.get(job)) is not None and loss > bound}


def _complete_candidates(plan: ConfirmPlan, losses: Losses) -> list[Candidate]:
    """Return the candidates without a failed round."""
    without = {job.candidate for job, loss in losses.items() if loss is None and job.phase == "choice"}
    return [candidate for candidate in plan.candidates if candidate.trial not in without]


def _first_rounds(plan: ConfirmPlan) -> int:
    """Return the rounds that every candidate gets before the first comparison."""
    return plan.settings.seeds if plan.settings.method == "fixed" else FIRST_ROUNDS


def choice_losses(plan: ConfirmPlan, losses: Losses, candidate: Candidate) -> list[float]:
    """Return a candidate's losses in the rounds of the choice, up to the first missing round."""
    found: list[float] = []
    for number in range(plan.settings.seeds):
        loss = losses.get(Job(candidate.trial, "choice", number))
        if loss is None:
            break
        found.append(loss)
    return found


def _choice_jobs(plan: ConfirmPlan, losses: Losses) -> list[Job]:
    """Return the jobs of the choice that are certain to be needed, round by round."""
    jobs = _rounds(sound_candidates(plan, losses), range(_first_rounds(plan)))
    if any(job not in losses for job in jobs):
        return jobs
    standing = last_standing(plan, losses)
    if plan.settings.method == "fixed" or len(standing) < 2:
        return jobs
    done = min(len(choice_losses(plan, losses, candidate)) for candidate in standing)
    return jobs + _rounds(standing, range(done, min(done + 1, plan.settings.seeds)))


def _rounds(candidates: Sequence[Candidate], numbers: Sequence[int]) -> list[Job]:
    return [Job(candidate.trial, "choice", number) for number in numbers for candidate in candidates]
