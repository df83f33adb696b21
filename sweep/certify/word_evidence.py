"""How do the confirmed models do on each dev word?

The dev split is a sample of words, so a loss over it is uncertain however many seeds there are. The
words' own losses say how much; and words that also stand in train say little about new ones.
"""

import collections
import dataclasses

import numpy as np

from sweep.certify.confirm import Confirmation
from sweep.certify.confirm_plan import Job
from sweep.certify.study_data import StudyWords
from sweep.certify.weights import final_weights
from sweep.certify.word_uncertainty import mean_losses
from sweep.definition.records import StudyRecord
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.tasks.mlp.corpus import decode_words
from sweep.tasks.mlp.spelling import normalized
from sweep.tasks.mlp.trainer import MLP


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WordEvidence:
    """Losses of each training of a confirmation on each distinct dev word."""

    nll: dict[Job, np.ndarray]
    """Summed negative log-likelihood of each word, its repeats in dev included, nats, shape (W,)."""
    sizes: np.ndarray
    """Characters of each word with its end, its repeats included, shape (W,)."""
    in_train: np.ndarray
    """Whether the word also occurs in train, whatever its spelling, shape (W,)."""

    def of(self, candidate: int, phase: str, rounds: int) -> np.ndarray:
        """Return the first rounds of a candidate, shape (rounds, W)."""
        return np.array([self.nll[Job(candidate, phase, r)] for r in range(rounds)])

    def loss_on(self, nll: np.ndarray, words: np.ndarray) -> float:
        """Return the loss over some words, the mean over seeds, nats per character."""
        return float(mean_losses(nll, self.sizes, words).mean())


def gather_word_evidence(
    study: StudyRecord, confirmation: Confirmation, study_words: StudyWords, database: Database
) -> WordEvidence | None:
    """Evaluate the stored states of a confirmation word by word; None where a state is gone.

    Raises:
        DataError: If the words are gone or changed, or weights are not finite.
    """
    data = study_words.corpus
    checkpoints = Checkpoints(database.files / confirmation.name)
    counts = collections.Counter(decode_words(data.dev, data.vocabulary))
    words, repeats = list(counts), np.array(list(counts.values()))
    nll = {}
    for job, trial in confirmation.trials.items():
        if trial.dev_loss is None:
            continue
        state = final_weights(checkpoints, trial)
        if state is None:
            return None
        config = MLP.make_config(study.config_values(trial))
        nll[job] = MLP.word_losses(config, data, state, words) * repeats
    return WordEvidence(
        nll=nll,
        sizes=np.array([len(word) + 1 for word in words]) * repeats,
        in_train=np.array([normalized(word) in study_words.in_train for word in words]),
    )
