"""Where the winner is bad: labels, shares and order by hand."""

import numpy as np
import pytest

from sweep.reporting.evidence import Evidence
from sweep.trainers.mlp.inspection import Inspection, MeanLosses
from sweep.trainers.mlp.shown.learned import Learned
from sweep.trainers.mlp.shown.weak_spots import MAX_BARS, loss_by_character, loss_by_position
from tests.support.study_evidence import made_study, made_trial


class TestWeakSpots:
    @pytest.fixture
    def found(self, corpus):
        size = corpus.vocabulary_size
        count = np.ones(size, np.int64)
        count[0], count[1] = 8, 0
        mean = np.linspace(1, 2, size)
        mean[1] = np.nan
        found = Evidence(made_study(made_trial(0, 2.5)))
        found.data = corpus
        by_position = MeanLosses(mean=np.array([3.0, 1.0]), count=np.array([2, 4]))
        by_character = MeanLosses(mean=mean, count=count)
        found.more(Learned).inspection = Inspection(
            embedding=np.zeros((size, 2)), by_position=by_position, by_character=by_character
        )
        return found

    def test_places_count_from_one_and_shares_are_of_the_whole_loss(self, found):
        spots = loss_by_position(found)
        assert (spots.labels, spots.mean, spots.count) == (["1", "2"], [3, 1], [2, 4])
        assert spots.share == [0.6, 0.4]

    def test_characters_come_hardest_first_without_those_that_never_come(self, found, corpus):
        spots = loss_by_character(found)
        assert spots.labels[0] == corpus.vocabulary[-1]
        assert spots.labels[-1] == "end"
        assert corpus.vocabulary[1] not in spots.labels
        assert sum(spots.share) == pytest.approx(1, abs=1e-4)
        assert len(spots.labels) <= MAX_BARS
