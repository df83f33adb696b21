"""Where trials are cut, against figures worked out by hand."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.execution.rungs import DECISION_RUNGS, MAX_SEGMENT_STEPS, cuts
from sweep.trainers.mlp.trainer import MLP

SHORTEST = MLP.shortest_with_rungs


@pytest.mark.parametrize("num_steps", [1, 2, 10, 1_000, 1_999])
def test_short_trial_is_one_segment(num_steps: int) -> None:
    """Below 2,000 steps a trial of the MLP has no rung but the end."""
    assert cuts(num_steps, SHORTEST) == [(num_steps, 100)]


@pytest.mark.parametrize(
    ("num_steps", "expected"),
    [
        (2_000, [(200, 10), (600, 30), (1_800, 90), (2_000, 100)]),
        (20_000, [(2_000, 10), (6_000, 30), (18_000, 90), (20_000, 100)]),
        (2_005, [(200, 10), (601, 30), (1_804, 90), (2_005, 100)]),
        (
            200_000,
            [
                (20_000, 10), (40_000, None), (60_000, 30), (84_000, None), (108_000, None), (132_000, None),
                (156_000, None), (180_000, 90), (200_000, 100),
            ],
        ),
    ],
)  # fmt: skip
def test_cuts_are_those_worked_out_by_hand(num_steps: int, expected: list[tuple[int, int | None]]) -> None:
    """10, 30 and 90 %, the end, and equal pieces of at most 25,000 steps between."""
    assert cuts(num_steps) == expected


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (1, [(1, 100)]),
        (2, [(1, 90), (2, 100)]),
        (4, [(1, 30), (3, 90), (4, 100)]),
        (10, [(1, 10), (3, 30), (9, 90), (10, 100)]),
        (30, [(3, 10), (9, 30), (27, 90), (30, 100)]),
    ],
)
def test_a_few_epochs_have_rungs(epochs: int, expected: list[tuple[int, int]]) -> None:
    """A rung at which no whole epoch has ended, or at the end, is left out."""
    assert cuts(epochs) == expected


@given(num_steps=st.integers(1, 3_000_000))
@settings(max_examples=200, deadline=None)
def test_cuts_run_forward_to_the_end(num_steps: int) -> None:
    """Ends rise strictly, no segment is longer than allowed, rungs come in order and once each."""
    ends = cuts(num_steps, SHORTEST)
    steps = [0, *(cut.step for cut in ends)]
    lengths = [after - before for before, after in itertools.pairwise(steps)]
    assert min(lengths) >= 1
    assert ends[-1] == (num_steps, 100)
    rungs = [cut.percent for cut in ends if cut.percent is not None]
    if num_steps < SHORTEST:
        assert rungs == [100]
    else:
        assert rungs == [*DECISION_RUNGS, 100]
        assert max(lengths) <= MAX_SEGMENT_STEPS
    for cut in ends:
        if cut.percent is not None:
            assert cut.step == num_steps * cut.percent // 100


def test_rungs_are_the_ones_of_the_design() -> None:
    """Stored rungs of old studies rest on these figures."""
    assert DECISION_RUNGS == (10, 30, 90)
    assert SHORTEST == 2_000
