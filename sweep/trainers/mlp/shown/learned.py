"""Compute what the best model has learned: embedding, weak spots, sampled words."""

import functools
from typing import TYPE_CHECKING

import numpy as np

from sweep.reporting.contributions import load_object
from sweep.reporting.evidence import Evidence, nothing_without_data
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.learning_rate.range_curve import RangeCurve
from sweep.trainers.mlp.shown.lr_finder_page import read_lr_finder_csv
from sweep.trainers.mlp.shown.note_kinds import LearnedModel
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.corpus import Corpus, decode_words
from sweep.trainers.mlp.words.spelling import normalized

if TYPE_CHECKING:
    from sweep.trainers.mlp.inspection import Inspection

SAMPLED_WORDS = 20

_NOTES = "sweep.trainers.mlp.shown.notes"
"""Loads torch."""


class Learned:
    """The best model; ``evidence.more(Learned)`` creates it once.

    Every property raises ``NothingToShowError`` if the weights, the words or the range test are not
    available.
    """

    def __init__(self, evidence: Evidence) -> None:
        """Set the evidence; nothing is read yet."""
        self._evidence = evidence

    @property
    def _config(self) -> TrainConfig:
        return MLP.make_config(self._evidence.study.config_values(self._evidence.winner))

    @functools.cached_property
    def noted(self) -> LearnedModel | None:
        """The note about its weights, stored when the run ended; None if the weights must be read.

        Raises:
            NothingToShowError: If the words have changed since then.
        """
        noted = self._evidence.study.note(LearnedModel)
        if noted is None or not noted.is_of(self._evidence.winner):
            return None
        self._evidence.check_data()
        return noted

    @functools.cached_property
    def embedding(self) -> np.ndarray:
        """The embedding of each symbol, shape (V, D)."""
        from sweep.trainers.mlp.shown import trained_model

        config = self._config
        with nothing_without_data():
            return trained_model.embedding(config, self._evidence.data, self._evidence.weights)

    @functools.cached_property
    def inspection(self) -> "Inspection":
        """The losses by position and by character; evaluates every dev example."""
        from sweep.trainers.mlp.shown import trained_model

        config = self._config
        with nothing_without_data():
            return trained_model.inspection(config, self._evidence.data, self._evidence.weights)

    @functools.cached_property
    def sampled_words(self) -> list[tuple[str, bool]]:
        """Words sampled from the best model, each with whether it occurs in the training words."""
        if self.noted is not None:
            return list(zip(self.noted.words, self.noted.known, strict=True))
        return sample(self._config, self._evidence.data, self._evidence.weights)

    def note(self) -> LearnedModel:
        """Return what the report shows of the weights, so that the next one needs neither them nor torch."""
        note_learned = load_object(f"{_NOTES}:note_learned")
        evidence = self._evidence
        with nothing_without_data():
            arguments = (evidence.study, evidence.data, evidence.winner, evidence.weights)
            noted: LearnedModel = note_learned(*arguments)
        return noted

    @functools.cached_property
    def range_test(self) -> RangeCurve:
        """The learning rate finder's curve, from its table beside the report."""
        return read_lr_finder_csv(self._evidence.folder / "lr_finder.csv")


def sample(config: TrainConfig, data: Corpus, weights: bytes) -> list[tuple[str, bool]]:
    """Return words sampled from trained weights, each with whether it occurs in the training words."""
    from sweep.trainers.mlp.shown import trained_model

    trained = training_words(data)
    words = trained_model.sampled_words(config, data, weights, SAMPLED_WORDS, seed=0)
    return [(word, normalized(word) in trained) for word in words]


def training_words(data: Corpus) -> frozenset[str]:
    """Return the distinct training words, ``normalized``."""
    return frozenset(map(normalized, decode_words(data.train, data.vocabulary)))
