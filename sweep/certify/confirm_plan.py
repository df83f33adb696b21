"""Plan a confirmation. The plan is fixed before the first training and stored with its results.

The candidates are trained again on seeds that no search uses. In the *choice* phase, all candidates train on
the same seeds, round by round. In the *certify* phase, the chosen one trains on further seeds, so that the
quoted loss took no part in any choice. In the *resplit* phase, if there is one, it trains on other cuts of
train and dev.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np

from sweep.certify.statistics.racing import FIRST_ROUNDS, RaceState, race
from sweep.certify.statistics.selection import ALPHA, Choice, choose
from sweep.definition.records import TrialRecord
from sweep.definition.seeds import part_seed
from sweep.errors import ConfigError
from sweep.metric import MINIMIZE, as_loss
from sweep.task import AnyTask, Defined
from sweep.values import Json

PHASES = {
    "choice": ("choice", "confirm"),
    "certify": ("certify", "certify"),
    "resplit": ("certify", "resplit"),
}
"""Phase -> the part that its seeds belong to (``seeds.PARTS``), and what they are derived from."""

FEWEST_CUTS = 10
"""Cuts of train and dev from which an interval is made; the variance of fewer is too uncertain."""


class Job(NamedTuple):
    """One training of a confirmation."""

    candidate: int
    """Number of the candidate's trial in the search."""
    phase: str
    """One of ``PHASES``."""
    round: int
    """Round, from 0; all candidates have the same seed in a round of a phase."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A configuration to confirm."""

    trial: int
    """Lowest number among its replicates."""
    estimate: float
    """Mean value, estimated over its replicates and neighbours, in the metric's unit."""
    search_loss: float
    """Mean value over its replicates in the search, in the metric's unit."""
    seconds: float
    """Mean seconds of one training in the search."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmSettings:
    """A user's settings for a confirmation.

    Raises:
        ConfigError: If a value breaks its rule.
    """

    top: int = 5
    """Number of candidates."""
    seeds: int = 5
    """Rounds for each candidate; a race without a winner ends after as many."""
    certify: int = 5
    """Further rounds for the chosen candidate."""
    method: str = "fixed"
    """``fixed``, or ``race``, which may eliminate candidates early."""
    delta: float
    """Smallest difference that matters, in the metric's unit; see ``difference_that_matters``."""
    alpha: float = ALPHA
    """Probability of any error in all comparisons of one procedure."""
    resplit: int = 0
    """Cuts of train and dev that the chosen candidate is trained on besides; 0 for none."""

    def __post_init__(self) -> None:
        fewest = FIRST_ROUNDS if self.method == "race" else 2
        rules = (
            (self.top >= 1, "--top must be 1 or more", self.top),
            (self.seeds >= fewest, f"--seeds must be {fewest} or more with method {self.method}", self.seeds),
            (self.certify >= 2, "--certify must be 2 or more, because one seed has no spread", self.certify),
            (0 < self.delta < math.inf, "--delta must be above 0", self.delta),
            (
                self.resplit == 0 or self.resplit >= FEWEST_CUTS,
                f"--resplit must be {FEWEST_CUTS} or more, because fewer cuts have no reliable spread",
                self.resplit,
            ),
            (0 < self.alpha < 0.5, "--alpha must be above 0 and below 0.5", self.alpha),
        )
        for holds, rule, value in rules:
            if not holds:
                raise ConfigError(f"{rule}, got {value}")


def difference_that_matters(task: AnyTask, asked: float | None) -> float:
    """Return the difference that the user set, or else the trainer's.

    Raises:
        ConfigError: If neither sets one.
    """
    delta = task.metric.matters if asked is None else asked
    if delta is None:
        raise ConfigError(
            f"trainer {task.name} does not set the smallest {task.metric.label} difference that matters; "
            f"set one with --delta{_or_key(task)}"
        )
    return delta


def _or_key(task: AnyTask) -> str:
    return ", or set the key `matters` in the file of a new study" if isinstance(task, Defined) else ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPlan:
    """All decisions that are made before the first training."""

    made: str
    """Time of the plan, UTC, ISO 8601."""
    fingerprint: str
    """Fingerprint of the study; the seeds are derived from it."""
    trials_seen: int
    """Number of complete trials when the candidates were chosen."""
    candidates: tuple[Candidate, ...]
    """Candidates, best estimate first."""
    settings: ConfirmSettings
    dev_to_train: float | None = None
    """Units of dev over those of train; None if train and dev are not cut again."""

    @property
    def expected_seconds(self) -> float:
        """Seconds of training on one worker, if every round runs and the costliest candidate is chosen."""
        costs = [candidate.seconds for candidate in self.candidates]
        further = self.settings.certify + self.settings.resplit
        return self.settings.seeds * sum(costs) + further * max(costs)

    def to_dict(self) -> dict[str, Json]:
        """Return the plan as plain values for JSON."""
        plain = {**dataclasses.asdict(self), "candidates": [dataclasses.asdict(c) for c in self.candidates]}
        if not self.settings.resplit:  # as plans of releases that could not cut again
            del plain["dev_to_train"], plain["settings"]["resplit"]
        return plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Json]) -> Self:
        """Build a plan from plain values.

        Raises:
            TypeError: If a field is missing or unknown.
        """
        candidates = tuple(Candidate(**candidate) for candidate in values["candidates"])
        settings = ConfirmSettings(**values["settings"])
        return cls(**{**values, "candidates": candidates, "settings": settings})


Losses = Mapping[Job, float | None]
"""Value of each finished job as a loss; None if it has none (diverged, failed)."""


def finished_losses(trials: Mapping[Job, TrialRecord], direction: str) -> Losses:
    """Return the losses of the finished trainings among some.

    Args:
        trials: The trainings so far.
        direction: Direction of the metric.
    """
    ended = {job: trial.dev_loss for job, trial in trials.items() if trial.is_finished}
    return {job: None if value is None else as_loss(direction, value) for job, value in ended.items()}


def round_seed(fingerprint: str, phase: str, number: int, bound: int) -> int:
    """Return the seed of all candidates in a round, below ``bound``; no search uses it.

    Examples:
        >>> round_seed("5f", "choice", 0, 3 * 2**32) >= 2**32
        True
    """
    part, name = PHASES[phase]
    return part_seed(bound, part, fingerprint, name, number)


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
    """Return the candidates without a failed round."""
    without = {job.candidate for job, loss in losses.items() if loss is None and job.phase == "choice"}
    return [candidate for candidate in plan.candidates if candidate.trial not in without]


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
    first = plan.settings.seeds if plan.settings.method == "fixed" else FIRST_ROUNDS
    jobs = _rounds(sound_candidates(plan, losses), range(first))
    if any(job not in losses for job in jobs):
        return jobs
    standing = last_standing(plan, losses)
    if plan.settings.method == "fixed" or len(standing) < 2:
        return jobs
    done = len(choice_losses(plan, losses, standing[0]))
    return jobs + _rounds(standing, range(done, min(done + 1, plan.settings.seeds)))


def _rounds(candidates: Sequence[Candidate], numbers: Sequence[int]) -> list[Job]:
    return [Job(candidate.trial, "choice", number) for number in numbers for candidate in candidates]
