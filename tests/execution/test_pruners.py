"""Pruners, against cases worked out by hand."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.definition.registries import PRUNERS

ROUND = {n: 2.0 + n / 100 for n in range(9)}  # trial n has loss 2.0n
LOSSES = st.dictionaries(st.integers(0, 30), st.floats(0, 10), min_size=1, max_size=20)


def kept(pruner: str, losses: dict[int, float]) -> list[int]:
    return [trial for trial in losses if not PRUNERS[pruner]({30: losses}, trial, 30)]


@pytest.mark.parametrize("pruner", PRUNERS)
@given(losses=LOSSES, others=LOSSES)
def test_decision_is_a_function_of_the_rung_alone(
    pruner: str, losses: dict[int, float], others: dict[int, float]
) -> None:
    """Asking changes nothing, asking again gives the same, and other rungs play no part."""
    rungs = {10: others, 30: losses}
    before = copy.deepcopy(rungs)
    for trial in losses:
        first = PRUNERS[pruner](rungs, trial, 30)
        assert isinstance(first, bool)
        assert PRUNERS[pruner](rungs, trial, 30) == first == PRUNERS[pruner]({30: losses}, trial, 30)
    assert rungs == before


@pytest.mark.parametrize("pruner", PRUNERS)
@given(losses=LOSSES)
def test_best_trial_is_never_given_up(pruner: str, losses: dict[int, float]) -> None:
    """Whatever the losses, the lowest goes on."""
    assert min(losses, key=losses.__getitem__) in kept(pruner, losses)


@pytest.mark.parametrize("pruner", ["none", "asha"])  # median compares each trial with other trials
@given(losses=LOSSES)
def test_better_trial_is_never_given_up_before_a_worse_one(pruner: str, losses: dict[int, float]) -> None:
    """Among the trials at a rung, those that are kept are the best ones."""
    survivors = kept(pruner, losses)
    worst_kept = max(losses[trial] for trial in survivors)
    assert all(losses[trial] > worst_kept for trial in losses if trial not in survivors)


@pytest.mark.parametrize("pruner", PRUNERS)
def test_trial_alone_at_a_rung_goes_on(pruner: str) -> None:
    """With nothing to compare with, nothing is given up."""
    assert kept(pruner, {0: 99.0}) == [0]


def test_none_keeps_everything() -> None:
    """Without a pruner the worst trial goes on."""
    assert kept("none", ROUND) == list(ROUND)


@pytest.mark.parametrize(("n", "survivors"), [(1, 1), (2, 1), (3, 1), (5, 1), (6, 2), (8, 2), (9, 3)])
def test_asha_keeps_the_best_third(n: int, survivors: int) -> None:
    """Of n trials max(1, n // 3) go on, the best ones."""
    assert kept("asha", {k: ROUND[k] for k in range(n)}) == list(range(survivors))


def test_asha_decides_with_what_has_arrived() -> None:
    """A trial that came third of three and best goes on; had it been second best it would not."""
    assert not PRUNERS["asha"]({10: {0: 2.4, 1: 2.3, 2: 2.2}}, 2, 10)
    assert PRUNERS["asha"]({10: {0: 2.4, 1: 2.3, 2: 2.35}}, 2, 10)


def test_asha_keeps_trials_that_are_equal() -> None:
    """A tie at the edge is not broken by the order of arrival."""
    assert kept("asha", dict.fromkeys(range(6), 2.5)) == list(range(6))


def test_median_waits_for_five_others() -> None:
    """With four others at the rung even the worst goes on, with five it does not."""
    assert kept("median", {k: ROUND[k] for k in range(5)}) == [0, 1, 2, 3, 4]
    assert 5 not in kept("median", {k: ROUND[k] for k in range(6)})


def test_median_gives_up_what_is_above_the_median_of_the_others() -> None:
    """Of 2.00 to 2.08 trial 4 stands at the others' median 2.04 (of 2.03 and 2.05) and goes on."""
    assert kept("median", ROUND) == [0, 1, 2, 3, 4]


def test_median_of_an_odd_number_of_others_is_the_middle_one() -> None:
    """The others of trial 5 are 2.0, 2.1, 2.2, 2.3, 2.4: above 2.2 is given up, 2.2 is not."""
    others = {k: 2.0 + k / 10 for k in range(5)}
    assert PRUNERS["median"]({10: {**others, 5: 2.2001}}, 5, 10)
    assert not PRUNERS["median"]({10: {**others, 5: others[2]}}, 5, 10)


def test_rungs_are_not_mixed() -> None:
    """Losses at 10 % say nothing about a trial at 90 %."""
    rungs = {10: dict.fromkeys(range(9), 1.0), 90: {9: 3.0}}
    for pruner in PRUNERS.values():
        assert not pruner(rungs, 9, 90)
