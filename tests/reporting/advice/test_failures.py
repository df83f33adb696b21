"""What do bad ends have in common? Chances by hand."""

import datetime
import math
from fractions import Fraction

import pytest

from sweep.definition.dimension import Choices, Range
from sweep.reporting.advice.failures import best_cut, hypergeometric_tail
from tests.support.made_advice import RATE, find, say, searched
from tests.support.study_evidence import START, made_study, made_trial


def rates(*values, **more):
    return [{"learning_rate": value, **more} for value in values]


def study_of(bad_params, state="diverged", reason="diverged: why", good=20):
    fine = [made_trial(k, 2.5, params=p) for k, p in enumerate(rates(*[0.01 * (k + 1) for k in range(good)]))]
    bad = [made_trial(good + k, state=state, reason=reason, params=p) for k, p in enumerate(bad_params)]
    return made_study(*fine, *bad, space=RATE)


def test_the_knob_that_explains_divergence_is_named():
    """Five of 25 diverged, all at 0.8 or above, and no other trial there."""
    study = study_of(rates(0.9, 0.8, 0.85, 0.95, 1.0))
    assert say("failures", study) == (
        "5 of 25 trials diverged. All have learning_rate of 0.8 or more, but none of the 20 others: search "
        "below that. They took 10 s, 20% of the time of all trials."
    )


@pytest.mark.parametrize(
    ("bad", "others", "cut"),
    [
        (rates(1, 2, 3, 4), rates(*range(5, 25)), ("learning_rate", "<=", 4, 4, 0)),
        (rates(9, 9, 9, 1), rates(*[1, 2, 3, 4] * 6), ("learning_rate", ">=", 9, 3, 0)),
        (
            rates(5, 5, 5, 5, schedule="cosine"),
            rates(*[5] * 20, schedule="step"),
            ("schedule", "=", "cosine", 4, 0),
        ),
    ],
    ids=["below", "most, not all", "a text"],
)
def test_best_cut(bad, others, cut):
    found = best_cut(bad, others)
    assert (found.name, found.relation, found.value, found.bad, found.others) == cut


@pytest.mark.parametrize(
    ("bad", "others"),
    [
        (rates(9), rates(*range(8))),
        (rates(3, 12, 7, 15), rates(*range(20))),
        (rates(1, 2), []),
        ([{}, {}], rates(*range(8))),
    ],
    ids=["one trial", "all over the range", "nothing to compare with", "no parameters"],
)
def test_chance_is_no_explanation(bad, others):
    assert best_cut(bad, others) is None


def test_hypergeometric_tail_of_many_is_exact():
    """200 of 2,000 drawn of 4,000 hold 130 or more of 200 bad ones, as fractions give it."""
    ways = sum(math.comb(200, k) * math.comb(3_800, 2_000 - k) for k in range(130, 201))
    exact = Fraction(ways, math.comb(4_000, 2_000))
    assert hypergeometric_tail(130, 200, 2_000, 4_000) == pytest.approx(float(exact), rel=1e-9)


def test_hypergeometric_tail_by_hand():
    """All 5 bad ones among 5 drawn of 40: 1 in C(40, 5); at least one of 2 in 2 of 4: 5 in 6."""
    assert hypergeometric_tail(5, 5, 5, 40) == pytest.approx(1 / math.comb(40, 5))
    assert hypergeometric_tail(1, 2, 2, 4) == pytest.approx(5 / 6)
    assert hypergeometric_tail(0, 3, 4, 9) == pytest.approx(1.0)


def test_each_bad_end_is_told_with_its_own_words():
    failed = say("failures", study_of(rates(0.1), "failed", "failed in training: OutOfMemory"))
    assert failed.startswith("1 of 21 trials failed, the first with: failed in training: OutOfMemory.")
    assert say("failures", study_of(rates(0.1), "timeout")).startswith(
        "1 of 21 trials reached trial_timeout."
    )


def test_pruned_trials_are_no_failures():
    assert find("failures", study_of(rates(0.9, 0.8), "pruned")) is None
    assert find("failures", made_study()) is None


def test_time_is_what_the_worker_was_held():
    """A segment that diverged is not stored; the time between start and end counts. Little is not told."""
    bad = made_trial(1, state="diverged", segments=(), ended=START + datetime.timedelta(seconds=5))
    found = find("failures", made_study(made_trial(0, 2.5), bad))
    assert (found.seconds, found.all_seconds) == (3.0, 5.0)


def test_repeats_beyond_the_replicates_are_told():
    """In a space of fractions nobody can count what is left."""
    params = [{"learning_rate": 0.1}] * 3 + rates(*[0.2 + k / 100 for k in range(7)])
    assert say("repeats", searched(params)) == (
        "2 of 10 trials repeat an earlier configuration and serve as its replicates: sampler tpe "
        "proposes the same values again."
    )
    assert find("repeats", searched(params, replicates=3)) is None
    assert find("repeats", made_study()) is None


def test_a_failed_trial_that_is_trained_again_is_no_repeat():
    """Its second training is the only one that counts."""
    params = rates(0.1, 0.2, 0.3)
    failed = [made_trial(number, state="failed", params=found) for number, found in enumerate(params)]
    again = [made_trial(3 + number, 2.5, params=found) for number, found in enumerate(params)]
    assert find("repeats", made_study(*failed, *again)) is None


@pytest.mark.parametrize(
    ("blocks", "end"),
    [
        (
            [2, 3, 4, 5, 2, 3],
            "while 8 of 12 configurations are untried: sampler tpe proposes the same ones again; more "
            "trials, or another sampler, may reach the others.",
        ),
        ([*range(2, 8), *range(2, 8), *range(2, 8)], "all 12 configurations of this space have been tried."),
    ],
)
def test_repeats_are_set_against_the_configurations_that_there_are(blocks, end):
    """Six block sizes with two batch sizes are twelve cells, however many trials there were."""
    space = {"block_size": Range(2, 7), "batch_size": Choices((16, 32))}
    batches = [16] * 6 + [32] * 6 + [16] * 6
    params = [{"block_size": b, "batch_size": s} for b, s in zip(blocks, batches, strict=False)]
    assert say("repeats", searched(params, space)).endswith(end)
