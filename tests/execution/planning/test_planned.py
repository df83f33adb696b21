"""What a plan says of the study, against the study's file."""

import pytest

from sweep.execution.planning.planned import planned_study
from tests.support.toy_runs import toy_study


@pytest.mark.parametrize(("done", "left"), [(0, 12), (5, 7), (12, 0), (20, 0)])
def test_what_is_left_is_never_below_0(done: int, left: int) -> None:
    """A study may ask for fewer trials than are stored."""
    found = planned_study(toy_study(trials=12), done=done, workers=2)
    assert (found.trials, found.left, found.workers) == (12, left, 2)


def test_limits_and_replicates_are_those_of_the_study() -> None:
    """Times are in seconds; three seeds each of four configurations are twelve trials."""
    found = planned_study(toy_study(trials=12, replicates=3, timeout="90s"), done=0, workers=1)
    assert (found.replicates, found.timeout, found.trials) == (3, 90.0, 12)
