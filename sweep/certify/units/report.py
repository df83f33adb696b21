"""Extend a verdict with results on the dev units.

They are the uncertainty of the certified loss, the order of the candidates on units that do not occur in
train, and the uncertainty of the lead of the best over the second best.
"""

import dataclasses
from collections.abc import Iterator

from sweep.certify.confirm_plan import Candidate, Job
from sweep.certify.ensemble.record import Ensemble
from sweep.certify.stored_confirmation import Confirmation
from sweep.certify.study_data import StudyData
from sweep.certify.units.certainty import BOOTSTRAP_SEED, Certainty, certainty
from sweep.certify.units.evidence import UnitEvidence, gather_unit_evidence
from sweep.certify.units.uncertainty import over_units
from sweep.certify.verdict import Verdict, certificate_of
from sweep.definition.records import StudyRecord
from sweep.metric import MINIMIZE, as_loss
from sweep.storage.database import Database


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnitReport:
    """Losses in the metric's unit, averaged over seeds."""

    unit: str
    """Name of a unit."""
    unseen: dict[int, float]
    """Trial -> its loss on the distinct dev units that do not occur in train."""
    n_unseen: int
    n_units: int
    """Number of distinct dev units that do not occur in train, and of all."""
    certified: Certainty | None
    certified_unseen: float | None
    certified_seen: float | None
    """The certified loss on dev units that do not, and that do, occur in train."""
    lead: tuple[float, float, float] | None
    """Lead of the best mean over the second best, and its 95 % interval over units."""
    ensemble: Ensemble | None = None
    """The ensemble of the certified seeds; None if the trainer cannot combine models."""
    direction: str = MINIMIZE
    """Direction of the metric."""

    def _unseen_loss(self, trial: int) -> float:
        return as_loss(self.direction, self.unseen[trial])

    def sentences(self) -> Iterator[str]:
        """Yield the lines to print."""
        if self.certified is not None:
            yield from (f"  {line}" for line in self.certified.sentences(self.unit))
        if self.certified_unseen is not None and self.certified_seen is not None:
            yield (
                f"  on the {self.n_unseen:,} of {self.n_units:,} distinct dev {self.unit}s that do not occur "
                f"in train {self.certified_unseen:.4f}, on the others {self.certified_seen:.4f}"
            )
        if self.ensemble is not None:
            yield self.ensemble.sentence(self.unit)
        if self.lead is not None:
            lead, low, high = self.lead
            yield f"lead over the second: {lead:.4f}, 95 % over {self.unit}s {low:+.4f} to {high:+.4f}"
        by_mean, by_unseen = list(self.unseen), sorted(self.unseen, key=self._unseen_loss)
        if len(by_mean) > 1:
            same = "the same" if by_mean == by_unseen else f"trials {', '.join(map(str, by_unseen))}"
            yield f"order on dev {self.unit}s that do not occur in train: {same}"


def report_units(
    study: StudyRecord, database: Database, confirmation: Confirmation, verdict: Verdict, data: StudyData
) -> UnitReport | None:
    """Return the results on the dev units.

    Args:
        study: The confirmed study.
        database: Database that stores the trained states.
        confirmation: The trainings.
        verdict: The verdict on them.
        data: The data of the study.

    Returns:
        None if the trainer holds out no units, a state is missing, or no round is finished.

    Raises:
        DataError: If the data are missing or changed, or weights are not finite.
    """
    if verdict.rounds == 0:
        return None
    members = _members(confirmation, verdict)
    evidence = gather_unit_evidence(study, confirmation, data, database, members=members)
    if evidence is None:
        return None
    seeds = tuple(confirmation.trials[job].seed for job in members)
    report = _report(confirmation, verdict, evidence)
    return dataclasses.replace(report, ensemble=_ensemble(seeds, evidence))


def _members(confirmation: Confirmation, verdict: Verdict) -> list[Job]:
    """Return the certified trainings of a finished confirmation; none if the seed makes no difference."""
    if certificate_of(confirmation, verdict) is None or verdict.chosen is None or verdict.is_deterministic:
        return []
    return _with_value(confirmation, verdict.chosen)


def _with_value(confirmation: Confirmation, chosen: Candidate) -> list[Job]:
    certifying = confirmation.certifying(chosen)
    return [job for job, trial in certifying.items() if trial.dev_loss is not None]


def _ensemble(seeds: tuple[int, ...], evidence: UnitEvidence) -> Ensemble | None:
    if evidence.ensemble is None:
        return None
    _, low, high = over_units(evidence.ensemble[None], evidence.sizes, seed=BOOTSTRAP_SEED)
    value = float(evidence.ensemble.sum() / evidence.sizes.sum())
    return Ensemble(seeds=seeds, value=value, low=float(low), high=float(high))


def _report(confirmation: Confirmation, verdict: Verdict, evidence: UnitEvidence) -> UnitReport:
    unseen, seen = ~evidence.in_train, evidence.in_train
    standing = {candidate.trial for candidate in verdict.standing}
    by_mean = [trial for trial in verdict.rows["trial"] if trial in standing]
    rounds = {trial: evidence.of(Job(trial, "choice", r) for r in range(verdict.rounds)) for trial in by_mean}
    chosen, certified = verdict.chosen, None
    if chosen is not None and verdict.certified:
        certified = evidence.of(_with_value(confirmation, chosen))
    both = bool(seen.any() and unseen.any())
    lead = None
    if len(by_mean) > 1:
        lower, higher = by_mean[:2] if verdict.direction == MINIMIZE else by_mean[1::-1]
        difference = rounds[higher] - rounds[lower]
        _, low, high = over_units(difference, evidence.sizes, seed=BOOTSTRAP_SEED)
        mean = difference.sum() / (len(difference) * evidence.sizes.sum())
        lead = (float(mean), float(low), float(high))
    return UnitReport(
        unit=evidence.unit,
        unseen={t: evidence.loss_on(losses, unseen) for t, losses in rounds.items()} if unseen.any() else {},
        n_unseen=int(unseen.sum()),
        n_units=len(unseen),
        certified=certainty(certified, evidence.sizes) if certified is not None else None,
        certified_unseen=evidence.loss_on(certified, unseen) if certified is not None and both else None,
        certified_seen=evidence.loss_on(certified, seen) if certified is not None and both else None,
        lead=lead,
        direction=verdict.direction,
    )
