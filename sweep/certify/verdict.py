"""Turn a stored confirmation into ranked rows and a few summary numbers.

``reporting.text`` prints them; ``units`` adds the uncertainty over the dev units.
"""

import dataclasses
import math
import statistics
from collections.abc import Sequence

import numpy as np

from sweep.certify.choice import choice_losses, comparison_alpha, last_standing, make_choice
from sweep.certify.confirm_plan import Candidate, Job
from sweep.certify.notebook import verdict_html, verdict_line
from sweep.certify.provenance import Certificate
from sweep.certify.statistics.power import detectable
from sweep.certify.statistics.resampling import Resampled, corrected_interval
from sweep.certify.statistics.selection import Choice, Intervals, mcb_intervals, tied_set
from sweep.certify.stored_confirmation import Confirmation, load_confirmation
from sweep.definition.ranking import Rows, column_of, shown_values
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.metric import MINIMIZE, as_loss
from sweep.storage.database import Reader
from sweep.values import Json

MEASURES = (
    *("mean", "sd", "n", "diff", "ci_low", "ci_high", "tied", "search_loss", "optimism"),
    *("certified_mean", "certified_sd", "certified_n"),
)
"""Columns of a confirmation's rows between the hyperparameters and the seconds."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Verdict:
    """The result of a confirmation so far."""

    rows: Rows
    """One row per candidate, best mean first; the columns are ``confirmation_columns``."""
    chosen: Candidate | None
    """The chosen candidate; None before the choice, or if all candidates were excluded."""
    choice: Choice | None
    standing: tuple[Candidate, ...]
    """The candidates that the choice was made from."""
    certified: tuple[float, ...]
    """Value of the chosen candidate on each certifying seed so far, in the metric's unit."""
    lost: tuple[TrialRecord, ...] = ()
    """Its certifying trainings that ended without a value; ``certified`` leaves them out."""
    rounds: int
    """Number of rounds that all of ``standing`` have finished."""
    smallest_difference: float | None
    """Difference that this many seeds detect with 80 % power, for the best two candidates."""
    seeds_to_decide: int | None
    """Seeds needed to separate the best two, if the observed difference is true; None if unknown."""
    direction: str = MINIMIZE
    """Direction of the metric."""
    resplit: tuple[float, ...] = ()
    """Value of the chosen candidate on each finished cut of train and dev, in the metric's unit."""
    resampled: Resampled | None = None
    """Their mean and interval; None before all cuts are finished, or if one has no value."""
    is_deterministic: bool = False
    """Whether the seed made no difference: each candidate has a single value and no spread."""

    @property
    def certified_mean(self) -> float | None:
        """Mean over the certifying seeds."""
        return statistics.fmean(self.certified) if self.certified else None

    @property
    def certified_sd(self) -> float | None:
        """Sample standard deviation over the certifying seeds; None if the seed makes no difference."""
        is_known = len(self.certified) > 1 and not self.is_deterministic
        return statistics.stdev(self.certified) if is_known else None

    @property
    def optimism(self) -> float | None:
        """How much better the configuration was in the search than its certified mean."""
        mean = self.certified_mean
        if mean is None or self.chosen is None:
            return None
        return as_loss(self.direction, mean - self.chosen.search_loss)

    @property
    def is_empty(self) -> bool:
        """Whether no training has ended yet, so that a table would be empty."""
        return not any(self.rows["n"]) and self.rows["reason"] == [None] * len(self.rows)

    @property
    def tied(self) -> tuple[int, ...]:
        """Trial numbers of the candidates that are statistically tied with the best."""
        return tuple(row["trial"] for row in self.rows.records if row["tied"])

    def __repr__(self) -> str:
        return verdict_line(self)

    def _repr_html_(self) -> str:
        return verdict_html(self)


def judge(study: StudyRecord, confirmation: Confirmation) -> Verdict:
    """Return the result of a confirmation, finished or not."""
    plan, losses = confirmation.plan, confirmation.losses
    standing = last_standing(plan, losses)
    rounds = min((len(choice_losses(plan, losses, c)) for c in standing), default=0)
    block = np.array([choice_losses(plan, losses, c)[:rounds] for c in standing])
    alpha = comparison_alpha(plan, len(standing))
    is_chosen = rounds >= 2 and not any(job.phase == "choice" for job in confirmation.remaining)
    choice = make_choice(plan, losses, standing, study.direction) if is_chosen and standing else None
    chosen = standing[choice.index] if choice else None
    deterministic = is_deterministic(confirmation)
    certifying = list(confirmation.certifying(chosen).values()) if chosen else []
    verdict = Verdict(
        is_deterministic=deterministic,
        rows=Rows((), []),
        chosen=chosen,
        choice=choice,
        standing=tuple(standing),
        certified=tuple(trial.dev_loss for trial in certifying if trial.dev_loss is not None),
        lost=tuple(trial for trial in certifying if trial.dev_loss is None),
        resplit=_resplit_values(confirmation, chosen),
        rounds=rounds,
        direction=study.direction,
        **(
            {"smallest_difference": None, "seeds_to_decide": None}
            if deterministic
            else detectable(block, alpha)
        ),
    )
    verdict = dataclasses.replace(verdict, resampled=_resampled(confirmation, verdict.resplit))
    rows = [_row(study, confirmation, candidate) for candidate in plan.candidates]
    _add_comparison(rows, standing, block, alpha, confirmation)
    _add_certificate(rows, verdict)
    if deterministic:
        rows = [{**row, **dict.fromkeys(_OVER_SEEDS)} for row in rows]
    return dataclasses.replace(verdict, rows=_ranked(study, confirmation, rows))


def _ranked(study: StudyRecord, confirmation: Confirmation, rows: list[dict[str, Json]]) -> Rows:
    """Return the candidates' rows, best mean first, those left out at the end."""
    rows.sort(key=lambda row: (row["reason"] is not None, _loss_of(row, confirmation), row["trial"]))
    for rank, row in enumerate(rows, start=1):
        row["rank"] = rank if row["mean"] is not None and row["reason"] is None else None
    columns = confirmation_columns(study)
    return Rows(tuple(columns), [{name: row.get(name) for name in columns} for row in rows])


_OVER_SEEDS = ("sd", "ci_low", "ci_high", "tied")
"""Columns that compare seeds; empty if the seed makes no difference."""

_SEEDS_TO_SHOW = 3
"""Number of equal outcomes that shows that the seed makes no difference; two may agree by chance."""


def is_deterministic(confirmation: Confirmation) -> bool:
    """Return whether the trainings of a confirmation show that the seed makes no difference.

    True if a candidate has trained on three seeds or more, and all trainings of each candidate have equal
    values, including those at rungs.
    """
    outcomes: dict[int, list[tuple[float | None, list[tuple[int, float]]]]] = {}
    for job, trial in confirmation.trials.items():
        if trial.is_finished and job.phase != "resplit":  # on other data
            reached = [(segment.step, segment.dev_loss) for segment in trial.segments]
            outcomes.setdefault(job.candidate, []).append((trial.dev_loss, reached))
    are_equal = all(each == found[0] for found in outcomes.values() for each in found)
    shown = any(len(found) >= _SEEDS_TO_SHOW and found[0][0] is not None for found in outcomes.values())
    return are_equal and shown


def _loss_of(row: dict[str, Json], confirmation: Confirmation) -> float:
    return math.inf if row["mean"] is None else confirmation.as_loss(row["mean"])


def certificate_of(confirmation: Confirmation, verdict: Verdict) -> Certificate | None:
    """Return the certificate of a confirmation, or None if it is not finished."""
    if confirmation.remaining or verdict.chosen is None or len(verdict.certified) < 2:
        return None
    trials = [t for t in confirmation.certifying(verdict.chosen).values() if t.dev_loss is not None]
    assert verdict.certified_mean is not None, "two or more seeds have a mean"
    assert verdict.optimism is not None, "a chosen candidate with a mean has an optimism"
    return Certificate(
        seeds=tuple(trial.seed for trial in trials),
        lost=len(verdict.lost),
        dev_losses=verdict.certified,
        mean=verdict.certified_mean,
        sd=verdict.certified_sd,
        optimism=verdict.optimism,
        candidates=len(confirmation.plan.candidates),
        rounds=verdict.rounds,
        engine=trials[0].engine,
        device=trials[0].device,
        deterministic=verdict.is_deterministic,
        confirmation=confirmation.number,
    )


def confirmed_choice(study: StudyRecord, reader: Reader) -> tuple[int | None, Certificate | None]:
    """Return the trial that a finished confirmation chose and its certificate, or (None, None)."""
    confirmation = load_confirmation(reader, study)
    if confirmation is None:
        return None, None
    verdict = judge(study, confirmation)
    certificate = certificate_of(confirmation, verdict)
    return (verdict.chosen.trial if certificate and verdict.chosen else None), certificate


def confirmation_columns(study: StudyRecord) -> list[str]:
    """Return the names of the columns, in order."""
    shown = study.task.shown
    searched = [column_of(name, study.task) for name in study.searched]
    others = [name for name in searched if name not in shown]
    return ["rank", "trial", *shown, *others, *MEASURES, "seconds", "losses", "seeds", "reason"]


def _row(study: StudyRecord, confirmation: Confirmation, candidate: Candidate) -> dict[str, Json]:
    trial = next(trial for trial in study.trials if trial.number == candidate.trial)
    losses = choice_losses(confirmation.plan, confirmation.losses, candidate)
    values = [confirmation.as_loss(loss) for loss in losses]
    rounds = [confirmation.trials[Job(candidate.trial, "choice", r)] for r in range(len(losses))]
    return {
        **shown_values(study, trial),
        "trial": candidate.trial,
        "mean": statistics.fmean(values) if values else None,
        "sd": statistics.stdev(values) if len(values) > 1 else None,
        "n": len(losses),
        "tied": None,
        "search_loss": candidate.search_loss,
        "seconds": statistics.fmean(r.train_seconds for r in rounds) if rounds else candidate.seconds,
        "losses": values,
        "seeds": [r.seed for r in rounds],
        "reason": confirmation.why_left_out(candidate),
    }


def _add_comparison(
    rows: list[dict[str, Json]],
    standing: Sequence[Candidate],
    block: np.ndarray,
    alpha: float,
    confirmation: Confirmation,
) -> None:
    """Compare the remaining candidates; intervals only if all candidates have equally many seeds."""
    if len(block) == 0 or block.shape[1] < 2:
        return
    stands = [c.trial for c in standing]
    tied = tied_set(block, alpha)
    intervals = mcb_intervals(block, alpha) if len({row["n"] for row in rows}) == 1 else None
    for row in rows:
        if row["trial"] not in stands:
            row["tied"] = False if row["n"] else None
            continue
        place = stands.index(row["trial"])
        row["tied"] = bool(tied[place])
        others = np.delete(block.mean(axis=1), place)
        if len(others):
            row["diff"] = confirmation.as_loss(float(block[place].mean() - others.min()))
            row.update(_interval(intervals, place, confirmation))


def _interval(intervals: Intervals | None, place: int, confirmation: Confirmation) -> dict[str, float]:
    if intervals is None:
        return {}
    ends = sorted(confirmation.as_loss(float(bound[place])) for bound in intervals)
    if not all(map(math.isfinite, ends)):
        return {}
    return {"ci_low": ends[0], "ci_high": ends[1]}


def _add_certificate(rows: list[dict[str, Json]], verdict: Verdict) -> None:
    for row in rows:
        if verdict.chosen is not None and row["trial"] == verdict.chosen.trial:
            row["optimism"] = verdict.optimism
            row["certified_mean"], row["certified_sd"] = verdict.certified_mean, verdict.certified_sd
            row["certified_n"] = len(verdict.certified)


def _resampled(confirmation: Confirmation, values: Sequence[float]) -> Resampled | None:
    plan = confirmation.plan
    if plan.dev_to_train is None or len(values) < plan.settings.resplit:
        return None
    return corrected_interval(values, plan.dev_to_train)


def _resplit_values(confirmation: Confirmation, chosen: Candidate | None) -> tuple[float, ...]:
    """Return the values of the chosen candidate on other cuts of train and dev, in order."""
    if chosen is None:
        return ()
    jobs = [Job(chosen.trial, "resplit", r) for r in range(confirmation.plan.settings.resplit)]
    found = [confirmation.losses.get(job) for job in jobs]
    return tuple(confirmation.as_loss(loss) for loss in found if loss is not None)
