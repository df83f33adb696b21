"""Do the best lie on a bound? Places and chances by hand."""

import math
from fractions import Fraction

import pytest

from sweep.definition.dimension import Choices, Range
from sweep.reporting.advice.bounds import binomial_tail
from sweep.reporting.advice.edges import edges
from tests.support.made_advice import find, say, searched


@pytest.mark.parametrize(
    ("dimension", "lower", "upper"),
    [
        (Range(0.0, 10.0), (0.5, 0.05), (9.5, 0.05)),
        (Range(1e-4, 1.0, log=True), (1e-4 * 10**0.2, 0.05), (10**-0.2, 0.05)),
        (Range(2, 6), (2, 0.2), (6, 0.2)),
        (Range(1, 100), (5, 0.05), (96, 0.05)),
        (Range(0, 100, step=50), (0, 1 / 3), (100, 1 / 3)),
        (Choices((64, 16, 32)), (16, 1 / 3), (64, 1 / 3)),
    ],
    ids=["linear", "log", "few whole numbers", "many", "steps", "choices in any order"],
)
def test_where_an_end_begins_and_its_share(dimension, lower, upper):
    """Five per cent of the range on its own scale; where values are few, the bound alone."""
    assert [(e.limit, e.share) for e in edges(dimension)] == [
        (pytest.approx(lower[0]), pytest.approx(lower[1])),
        (pytest.approx(upper[0]), pytest.approx(upper[1])),
    ]


def test_whole_numbers_on_a_log_scale():
    """10 to 500: the upper end begins at 500 / 50**0.05 = 411.2, the lower one ends at 12.2."""
    lower, upper = edges(Range(10, 500, log=True))
    assert (lower.limit, upper.limit) == (12, 412)
    assert lower.share == pytest.approx(0.0692, abs=1e-4)  # ln(12.5 / 9.5) / ln(500.5 / 9.5)
    assert upper.share == pytest.approx(0.0494, abs=1e-4)  # ln(500.5 / 411.5) / ln(500.5 / 9.5)


@pytest.mark.parametrize(
    "dimension",
    [
        *(Choices(choices) for choices in (("a", "b"), (True, False), (1,))),
        Range(1.0, 1.0),
    ],
)
def test_what_has_no_order_has_no_ends(dimension):
    """Texts, booleans and a single value."""
    assert edges(dimension) == []


def rates(top, rest=tuple(0.1 + k / 1_000 for k in range(20))):
    return [{"learning_rate": rate} for rate in (*top, *rest)]


def test_most_of_the_best_at_a_bound_are_told():
    """The end of 0.01 to 1 begins at 10**-0.1 = 0.794."""
    study = searched(rates([1.0, 0.95, 0.3, 0.9, 0.8]))
    (hit,) = find("bounds", study)
    assert (hit.name, hit.count, hit.top, hit.edge.bound) == ("learning_rate", 4, 5, 1.0)
    assert say("bounds", study) == (
        "learning_rate: 4 of the best 5 are within 5 % of the upper bound 1 (log scale); raise it."
    )


def test_the_best_two_at_a_bound_are_told():
    """Chance puts both into one twentieth of the range once in 400 studies, into a third once in nine."""
    study = searched(rates([1.0, 0.95, 0.3, 0.1, 0.2]))
    (hit,) = find("bounds", study)
    assert (hit.count, hit.top, hit.edge.bound) == (2, 2, 1.0)
    assert say("bounds", study) == (
        "learning_rate: 2 of the best 2 are within 5 % of the upper bound 1 (log scale); raise it."
    )
    assert find("bounds", searched(rates([1.0, 0.3, 0.95, 0.1, 0.2]))) is None
    assert find("bounds", searched(rates([1.0, 0.01, 0.3, 0.1, 0.2]))) is None


def test_the_group_is_the_best_tenth():
    """Of 61 configurations the best seven; the winner alone at a bound says nothing."""
    assert find("bounds", searched(rates([0.01], [0.05 + 0.001 * k for k in range(60)]))) is None
    low = [0.0100 + 0.0001 * k for k in range(4)]
    (hit,) = find("bounds", searched(rates(low, [0.05 + 0.001 * k for k in range(57)])))
    assert (hit.count, hit.top) == (4, 7)


def test_means_over_replicates_rank():
    """One lucky seed at the bound does not lift its configuration into the top group."""
    spread = [{"learning_rate": 0.1 + 0.01 * k} for k in range(12)]
    lucky = [{"learning_rate": 1.0}] * 2
    study = searched([lucky[0], *spread, lucky[1]])
    assert find("bounds", study) is None


@pytest.mark.parametrize(
    ("space", "values"),
    [
        ({"block_size": Range(1, 6)}, [{"block_size": 1}] * 12),
        ({"weight_decay": Range(0.0, 1.0)}, [{"weight_decay": 1e-6 * k} for k in range(12)]),
        ({"momentum": Range(0.0, 0.995)}, [{"momentum": 0.99 + 1e-6 * k} for k in range(12)]),
        ({"schedule": Choices(("step", "cosine"))}, [{"schedule": "step"}] * 12),
        ({"block_size": Range(2, 6)}, [{}] * 12),
    ],
    ids=["no block below 1", "no decay below 0", "no momentum of 1", "texts", "a parameter that trials lack"],
)
def test_what_cannot_be_moved_is_not_told(space, values):
    """The trainer's own limits, and parameters without order or value."""
    params = [{**row, "learning_rate": 0.1 + 0.001 * k} for k, row in enumerate(values)]
    assert find("bounds", searched(params, space)) is None


def test_few_trials_and_lists_have_no_top_group():
    """Nine configurations are too few; a list has no bounds."""
    assert find("bounds", searched(rates([1.0] * 5, [0.1 + k / 100 for k in range(4)]))) is None
    listed = rates([1.0 - k / 100 for k in range(5)], [0.1 + k / 100 for k in range(9)])
    assert find("bounds", searched(listed, sampler="listed")) is None


def test_two_choices_need_all_of_the_best():
    """With two choices four of five are chance (0.19), five of five are not (0.03)."""
    space = {"num_steps": Choices((100, 200)), "learning_rate": Range(0.01, 1.0)}

    def study(top):
        steps = [*top, *[100] * 10]
        return searched(
            [{"num_steps": s, "learning_rate": 0.3 + k / 100} for k, s in enumerate(steps)], space
        )

    assert find("bounds", study([200, 200, 100, 200, 200])) is None
    assert say("bounds", study([200] * 5)) == (
        "num_steps: 5 of the best 5 take the largest choice, 200; add a larger one."
    )
    assert "take the smallest choice, 100; add a smaller one." in say("bounds", study([100] * 5))


@pytest.mark.parametrize(("count", "n", "share"), [(1_200, 2_000, 0.5), (150, 300, 0.25)])
def test_binomial_tail_of_many_is_exact(count, n, share):
    """As fractions give it; the number of ways is no float."""
    p = Fraction(share)
    exact = sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(count, n + 1))
    assert binomial_tail(count, n, share) == pytest.approx(float(exact), rel=1e-9)


def test_binomial_tail_by_hand():
    assert binomial_tail(5, 5, 0.5) == pytest.approx(1 / 32)
    assert binomial_tail(0, 7, 0.3) == pytest.approx(1.0)
