"""What the seeds leave open, and what more trials may bring."""

import dataclasses
import itertools
import math
import statistics

import pytest

from sweep.reporting.advice.seeds import pooled_spread
from sweep.reporting.further_trials.expected_best import draws, expected_best, quantile_of_best
from tests.support.made_advice import RATE, changed, find, say, searched
from tests.support.study_evidence import made_study, made_trial


def replicated(*pools, **changes):
    """A study with one configuration for each list of losses."""
    losses = [(0.1 + k / 100, loss) for k, pool in enumerate(pools) for loss in pool]
    trials = [made_trial(n, loss, params={"learning_rate": rate}) for n, (rate, loss) in enumerate(losses)]
    return changed(made_study(*trials, space=RATE), **changes)


def test_ranks_within_two_standard_errors_are_open():
    """Each pair is 0.02 apart: sd 0.02/sqrt(2), two standard errors 2 * sd * sqrt(1/2 + 1/2) = 0.0283."""
    study = replicated([2.00, 2.02], [2.02, 2.04], [2.028, 2.048], [2.04, 2.06])
    found = find("seeds", study)
    assert found.ranks == 3
    assert found.spread == pytest.approx(0.02 / math.sqrt(2))
    assert found.margin == pytest.approx(2 * 0.02 / math.sqrt(2))
    assert say("seeds", study) == (
        "Ranks 1 to 3 are within 0.0283 of the first, which is no more than seeds explain (spread 0.0141 "
        "between seeds, 2 of them for the first): `sweep confirm made` decides."
    )


def test_a_seed_that_exploded_does_not_widen_the_margin_of_the_others():
    """The fifth configuration exploded once; the first four are as without it."""
    pools = [2.00, 2.02], [2.02, 2.04], [2.028, 2.048], [2.04, 2.06]
    assert find("seeds", replicated(*pools, [2.0, 2.7e10])) == find("seeds", replicated(*pools))


def test_a_clear_winner_is_no_news():
    assert find("seeds", replicated([2.00, 2.001], [2.1, 2.101])) is None
    assert find("seeds", replicated([2.00], [2.1])) is None
    assert find("seeds", replicated([2.00])) is None
    assert find("seeds", made_study()) is None


def test_without_replicates_the_usual_spread_stands_in():
    assert say("seeds", replicated([2.000], [2.009], [2.02])) == (
        "Ranks 1 and 2 are within 0.01 of the first, on one seed each, and another seed alone can change a "
        "value by that much: `sweep confirm made` decides."
    )


def test_a_planned_confirmation_needs_no_advice_until_there_are_more_trials():
    """Its plan says on how many complete trials it was made."""
    study = replicated([2.000], [2.009])
    assert find("seeds", dataclasses.replace(study, plans=({"trials_seen": 2},))) is None
    assert find("seeds", dataclasses.replace(study, plans=({"trials_seen": 1},))) is not None


def test_spreads_are_pooled_by_degrees_of_freedom():
    """Variances 0.01 on two degrees of freedom and 0.04 on one: sqrt((0.02 + 0.04) / 3)."""
    from sweep.reporting.advice.configurations import ranked_configurations

    study = replicated([1.9, 2.0, 2.1], [3.0, 3.0 + 0.2 * math.sqrt(2)], [4.0])
    assert pooled_spread(ranked_configurations(study)) == pytest.approx(math.sqrt(0.06 / 3))


LOSSES = [2.5, 2.1, 2.9, 2.3, 2.3, 3.2]


@pytest.mark.parametrize("k", range(1, 7))
def test_expected_best_is_the_mean_over_all_sets(k):
    """Enumerated: every set of k of six losses."""
    lowest = sorted(min(chosen) for chosen in itertools.combinations(LOSSES, k))
    assert expected_best(LOSSES, k) == pytest.approx(statistics.fmean(lowest))
    for quantile in (0.1, 0.5, 0.9, 1.0):
        reached = lowest[math.ceil(quantile * len(lowest)) - 1]
        assert quantile_of_best(LOSSES, k, quantile) == reached


def test_draws_are_what_the_sampler_proposed():
    """The listed one is left out, replicates are one draw, a pruned one counts as the worst."""
    rates = [{"learning_rate": rate} for rate in (0.1, 0.2, 0.2, 0.3, 0.4)]
    losses = [1.0, 2.0, 2.2, 2.5, None]
    trials = [made_trial(k, loss, params=p) for k, (p, loss) in enumerate(zip(rates, losses, strict=True))]
    study = changed(made_study(*trials, made_trial(5, state="running"), space=RATE), trial=[rates[0]])
    assert draws(study) == pytest.approx([2.1, 2.5, 2.5])
    assert draws(made_study(made_trial(0))) == []


def series(losses, sampler):
    return replicated(*[[loss] for loss in losses], sampler=sampler)


def test_blind_draws_bound_the_gain_of_ten_more():
    """Losses 0, 1, …, 19 in any order: the lowest of ten is 10/11 on average (negative hypergeometric)."""
    losses = [float(k) for k in range(20)]
    found = find("gains", series(losses, "random"))
    assert (found.gain, found.draws) == (pytest.approx(10 / 11), 20)
    assert say("gains", series(losses, "qmc")) == (
        "10 more configurations are expected to gain at most 0.9091, estimated from the 20 so far: "
        "more trials are worthwhile; raise --trials."
    )
    assert find("gains", series(losses[:19], "random")) is None


def test_a_learning_sampler_is_judged_by_its_last_quarter():
    falling = [3.0 - 0.01 * k for k in range(20)]
    assert say("gains", series(falling, "tpe")) == (
        "The last 5 of 20 trials lowered the best by 0.0500: more trials are worthwhile; raise --trials."
    )
    assert say("gains", series(falling[::-1], "gp")) == (
        "The last 5 of 20 trials found nothing better: more trials may not help; widen the space."
    )
    assert find("gains", series(falling, "grid")) is None


def test_a_lucky_seed_is_no_gain():
    """Twelve configurations on two seeds: the last three have a mean of 2.05 and one seed at 1.9."""
    study = replicated(*[[2.0, 2.0]] * 9, *[[1.9, 2.2]] * 3, sampler="tpe")
    found = find("gains", study)
    assert (found.last, found.trials, found.gain) == (6, 24, 0.0)
    better = replicated(*[[2.0, 2.0]] * 9, *[[1.9, 2.0]] * 3, sampler="tpe")
    assert find("gains", better).gain == pytest.approx(0.05)


def test_few_trials_say_nothing_of_more():
    assert find("gains", searched([{"learning_rate": 0.1}])) is None
