"""Who is confirmed: configurations by their estimated mean, not by their luckiest loss."""

import dataclasses

import pytest

from sweep.certify.contenders import rank_configurations
from sweep.definition.records import StudyRecord
from tests.support.toy_runs import run_toy, toy_study


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> StudyRecord:
    """Twelve trials of six configurations of the toy, two replicates each."""
    spec = toy_study(trials=12, replicates=2)
    return run_toy(tmp_path_factory.mktemp("toy"), spec).study


def test_replicates_are_one_configuration(searched: StudyRecord) -> None:
    """Each configuration once, under its first trial, with the mean of its losses and seconds."""
    ranked = rank_configurations(searched)
    assert sorted(candidate.trial for candidate in ranked) == [0, 2, 4, 6, 8, 10]
    for candidate in ranked:
        first, second = searched.trials[candidate.trial], searched.trials[candidate.trial + 1]
        assert first.params == second.params
        assert candidate.search_loss == pytest.approx((first.dev_loss + second.dev_loss) / 2)
        assert candidate.seconds == pytest.approx((first.train_seconds + second.train_seconds) / 2)
    assert [c.estimate for c in ranked] == sorted(c.estimate for c in ranked)


def test_a_lucky_loss_among_bad_neighbours_does_not_win(searched: StudyRecord) -> None:
    """One of 40 points in a bowl has a loss of pure luck far from its bottom: it is not ranked first."""
    base = searched.trials[0]
    trials = []
    for number in range(40):
        x = (number + 0.5) / 40
        lucky = -0.25 if number == 30 else 0.0
        noise = 0.01 * ((number * 7919) % 13 - 6) / 6
        loss = 2.0 + (x - 0.3) ** 2 + lucky + noise
        trials.append(dataclasses.replace(base, number=number, params={"x": x, "y": 5}, dev_loss=loss))
    study = dataclasses.replace(searched, trials=tuple(trials))
    assert study.complete_trials()[0].number == 30
    assert abs(rank_configurations(study)[0].trial - 11.5) <= 3


def test_it_is_the_same_again(searched: StudyRecord) -> None:
    """The ranking has no randomness of its own."""
    assert rank_configurations(searched) == rank_configurations(searched)
