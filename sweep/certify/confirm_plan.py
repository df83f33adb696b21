"""Plan a confirmation. The plan is fixed before the first training and stored with its results.

The candidates are trained again on seeds that no search uses. In the *choice* phase, all candidates train on
the same seeds, round by round. In the *certify* phase, the chosen one trains on further seeds, so that the
quoted loss took no part in any choice. In the *resplit* phase, if there is one, it trains on other cuts of
train and dev.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import NamedTuple, Self

from sweep.certify.statistics.racing import FIRST_ROUNDS
from sweep.certify.statistics.selection import ALPHA
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.definition.seeds import part_seed
from sweep.errors import ConfigError, OptionError
from sweep.metric import as_loss
from sweep.storage.study_reader import no_complete_trial
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
                raise OptionError(f"{rule}, got {value}")


def difference_that_matters(task: AnyTask, study: StudyRecord, asked: float | None) -> float:
    """Return the difference that the user set, or else the trainer's, for the confirmation of a study.

    Raises:
        NotFoundError: If the study has no complete trial, so that nothing can be confirmed.
        ConfigError: If neither sets one.
    """
    if not study.complete_trials():
        raise no_complete_trial(study)
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
