"""Which failed trials are trained again, and what is said of them."""

import dataclasses

import pytest

from sweep.definition.dimension import Range
from sweep.definition.space import Space
from sweep.definition.spec import StudySpec
from sweep.errors import NotFoundError
from sweep.reporting.retries import failed_trials, retry_hint, with_retries
from tests.support.made_advice import changed
from tests.support.study_evidence import made_study, made_trial

SPACE = Space({"learning_rate": Range(0, 9)})


def trials(*states: str, rates: tuple[float, ...] = ()):
    """Trials with these states; the configuration of each is its number, or as given."""
    given = rates or tuple(range(len(states)))
    return [
        made_trial(n, 2.0 if state == "complete" else None, state=state, params={"learning_rate": given[n]})
        for n, state in enumerate(states)
    ]


def numbers(study) -> list[int]:
    return [trial.number for trial in failed_trials(study)]


def test_failed_trials_are_retried_until_one_ends_otherwise():
    """A trial in training counts as a retry; one that failed again does not."""
    assert numbers(made_study(*trials("failed", "complete", "failed"))) == [0, 2]
    assert numbers(made_study(*trials("failed", "failed", "running", rates=(0.1, 0.2, 0.1)))) == [1]
    assert numbers(made_study(*trials("failed", "failed", rates=(0.1, 0.1)))) == [1]


def test_each_missing_replicate_is_retried():
    """Three of a configuration are asked for: one is complete, so two are missing."""
    study = made_study(*trials("failed", "complete", "failed", "failed", rates=(0.1,) * 4))
    assert numbers(changed(study, replicates=3)) == [2, 3]


SPEC = StudySpec(name="made", objectives=("dev_loss",), data={}, fixed={}, space=SPACE, trials=3)


def test_each_failed_configuration_is_retried():
    assert with_retries(SPEC, made_study(*trials("failed", "complete"))).retried == {0: {"learning_rate": 0}}
    with pytest.raises(NotFoundError, match="no trial of study 'made' failed"):
        with_retries(SPEC, made_study(*trials("complete")))


@pytest.mark.parametrize("state", ["running", "waiting"])
def test_interrupted_retries_are_resumed_by_the_same_command(state):
    """None is left to begin, but one is not finished."""
    failed, begun = trials("failed", state, rates=(0.1, 0.1))
    study = made_study(failed, dataclasses.replace(begun, labels={"retries": 0}))
    assert with_retries(SPEC, study).retried == {}
    assert study.trials_in_all == 3


def test_the_hint_names_failures_of_earlier_versions():
    """A failure of the present version is that of the program as it is."""
    study = made_study(*trials("failed", "failed"))
    assert retry_hint(study) == ""
    first = {"why": None}
    assert retry_hint(dataclasses.replace(study, code=(first,))) == ""
    mended = dataclasses.replace(study, code=(first, {"why": "typo"}))
    assert retry_hint(mended).startswith(
        "2 trials failed with earlier versions of the program; `sweep run made"
    )
