"""What do the dev words add to a verdict?

How far the certified loss may be off, whether the order of the candidates is the same on words that do
not stand in train, and how sure the difference of the two best is.
"""

import dataclasses
from collections.abc import Iterator

from sweep.certify.certainty import BOOTSTRAP_SEED, Certainty, certainty
from sweep.certify.confirm import Confirmation
from sweep.certify.confirmation import Verdict
from sweep.certify.study_data import StudyWords
from sweep.certify.word_evidence import WordEvidence, gather_word_evidence
from sweep.certify.word_uncertainty import over_words
from sweep.definition.records import StudyRecord
from sweep.storage.database import Database


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WordReport:
    """Losses in nats per character, means over seeds."""

    unseen: dict[int, float]
    """Trial -> its loss on the distinct dev words that do not stand in train."""
    n_unseen: int
    n_words: int
    """Distinct dev words that do not stand in train, and all."""
    certified: Certainty | None
    certified_unseen: float | None
    certified_seen: float | None
    """The certified loss on dev words that do not, and that do, stand in train."""
    lead: tuple[float, float, float] | None
    """Loss of the second best mean less the best, and its 95 % interval over words."""

    def sentences(self) -> Iterator[str]:
        """Yield what is worth saying."""
        if self.certified is not None:
            yield from (f"  {line}" for line in self.certified.sentences())
        if self.certified_unseen is not None and self.certified_seen is not None:
            yield (
                f"  on the {self.n_unseen:,} of {self.n_words:,} distinct dev words that do not stand in "
                f"train {self.certified_unseen:.4f}, on the others {self.certified_seen:.4f}"
            )
        if self.lead is not None:
            lead, low, high = self.lead
            yield f"lead over the second: {lead:.4f}, 95 % over words {low:+.4f} to {high:+.4f}"
        by_mean, by_unseen = list(self.unseen), sorted(self.unseen, key=self.unseen.__getitem__)
        if len(by_mean) > 1:
            same = "the same" if by_mean == by_unseen else f"trials {', '.join(map(str, by_unseen))}"
            yield f"order on dev words that do not stand in train: {same}"


def report_words(
    study: StudyRecord, database: Database, confirmation: Confirmation, verdict: Verdict, words: StudyWords
) -> WordReport | None:
    """Return what the dev words say, or None where a state is gone or nothing is finished.

    Args:
        study: The study that is confirmed.
        database: Where the trained states are kept.
        confirmation: The trainings.
        verdict: What they show.
        words: The words that the study was run on.

    Raises:
        DataError: If the words are gone or changed, or weights are not finite.
    """
    if verdict.rounds == 0:
        return None
    evidence = gather_word_evidence(study, confirmation, words, database)
    return None if evidence is None else _report(verdict, evidence)


def _report(verdict: Verdict, evidence: WordEvidence) -> WordReport:
    unseen, seen = ~evidence.in_train, evidence.in_train
    standing = {candidate.trial for candidate in verdict.standing}
    by_mean = [int(trial) for trial in verdict.rows["trial"] if trial in standing]
    rounds = {trial: evidence.of(trial, "choice", verdict.rounds) for trial in by_mean}
    chosen, certified = verdict.chosen, None
    if chosen is not None and verdict.certified:
        certified = evidence.of(chosen.trial, "certify", len(verdict.certified))
    both = bool(seen.any() and unseen.any())
    lead = None
    if len(by_mean) > 1:
        nll = rounds[by_mean[1]] - rounds[by_mean[0]]
        _, low, high = over_words(nll, evidence.sizes, seed=BOOTSTRAP_SEED)
        lead = (float(nll.sum() / (len(nll) * evidence.sizes.sum())), float(low), float(high))
    return WordReport(
        unseen={t: evidence.loss_on(nll, unseen) for t, nll in rounds.items()} if unseen.any() else {},
        n_unseen=int(unseen.sum()),
        n_words=len(unseen),
        certified=certainty(certified, evidence.sizes) if certified is not None else None,
        certified_unseen=evidence.loss_on(certified, unseen) if certified is not None and both else None,
        certified_seen=evidence.loss_on(certified, seen) if certified is not None and both else None,
        lead=lead,
    )
