"""What gp_cost promises beyond the contract: cheap first, no cell twice, all that is known counts."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from sweep.definition.dimension import Choices, Range
from sweep.definition.pareto import hypervolume
from sweep.definition.space import Space
from sweep.samplers.cost_aware import Seen, known_losses, propose
from sweep.samplers.make_samplers import qmc_point
from sweep.samplers.surrogate import _density

STEPS = [1_000, 2_000, 4_000, 8_000, 16_000]
SPACE = Space(
    {
        "num_steps": Choices(STEPS),
        "block_size": Range(2, 6),
        "schedule": Choices(("step", "cosine")),
    }
)


def work(params: Mapping[str, Any]) -> float:
    return float(params["num_steps"])


def loss_of(params: Mapping[str, Any]) -> float:
    return 2 - params["block_size"] / 20 - STEPS.index(params["num_steps"]) / 20


def search(n: int, seed: int = 0, work: Any = work) -> list[Seen]:
    """Return the trials of a search with one worker."""
    trials: list[Seen] = []
    for number in range(n):
        params = propose(SPACE, trials, work, seed, number)
        trials.append(Seen(params=params, rungs={}, losses=(loss_of(params),)))
    return trials


def test_first_proposals_are_cheap_and_the_best_is_still_found() -> None:
    """The dear best cell is among the first half; the first trials take less work than an even search."""
    trials = search(25)
    assert np.median([work(trial.params) for trial in trials[:5]]) <= 2_000
    assert min(loss_of(trial.params) for trial in trials) == pytest.approx(2 - 6 / 20 - 4 / 20)
    even = search(12, work=lambda params: 1.0)
    assert sum(work(t.params) for t in trials[:12]) < sum(work(t.params) for t in even)


def test_no_cell_comes_twice_before_all_have_come() -> None:
    """Fifty proposals are the fifty cells; the next one is a cell again."""
    trials = search(51)
    assert len({tuple(trial.params.values()) for trial in trials[:50]}) == 50
    assert trials[50].params["block_size"] in range(2, 7)


def test_a_running_trial_is_not_proposed_beside_itself() -> None:
    """What two workers are given differs, though nothing new is known."""
    trials = search(12)
    first = propose(SPACE, trials, work, 1, 12)
    running = [*trials, Seen(params=first, rungs={}, is_running=True)]
    assert propose(SPACE, running, work, 1, 12) != first


def test_a_diverged_trial_does_not_blind_the_model() -> None:
    """A loss of 3.3 among losses around 1.8 leaves the best cell within reach."""
    trials = [Seen(params={**SPACE_CORNER, "schedule": "step"}, rungs={}, losses=(3.3,))]
    for number in range(1, 25):
        params = propose(SPACE, trials, work, 7, number)
        trials.append(Seen(params=params, rungs={}, losses=(loss_of(params),)))
    assert min(loss_of(trial.params) for trial in trials) == pytest.approx(1.5)


SPACE_CORNER = {"num_steps": 1_000, "block_size": 2}


def test_what_was_given_up_falls_as_the_complete_ones_did() -> None:
    """By hand: falls from 10 % of 0.3, 0.5 and 0.4 have the median 0.4, so 2.5 becomes 2.1."""
    complete = [
        Seen(params={"a": k}, rungs={10: 2.3 + fall}, losses=(2.3,)) for k, fall in enumerate((0.3, 0.5, 0.4))
    ]
    given_up = Seen(params={"a": 9}, rungs={10: 2.5})
    failed, running = Seen(params={"a": 7}, rungs={}), Seen(params={"a": 8}, rungs={10: 1.0}, is_running=True)
    known = known_losses([*complete, given_up, failed, running])
    assert known[-1] == ({"a": 9}, (pytest.approx(2.1),))
    assert len(known) == 4


WIDE = Space(
    {
        "a": Range(0.0, 1.0),
        "b": Range(0.0, 1.0),
        "kind": Choices(("x", "y")),
        "c": Range(1, 100, log=True),
    },
    {"c": {"kind": ("x",)}},
)


def two_losses(params: Mapping[str, Any]) -> tuple[float, float]:
    """A front that costs a trade-off in a; everything else should be in its best place."""
    apart = (params["b"] - 0.3) ** 2 + (
        0.3 if params["kind"] == "y" else abs(math.log(params["c"] / 20)) / 10
    )
    return params["a"] ** 2 + apart, (params["a"] - 1) ** 2 + apart


def test_two_objectives_are_searched_for_their_front() -> None:
    """In thirty trials more area is dominated than by as many points of a Sobol sequence, for each seed."""
    for seed in range(3):
        trials: list[Seen] = []
        for number in range(30):
            params = propose(WIDE, trials, lambda params: 1.0, seed, number)
            trials.append(Seen(params=params, rungs={}, losses=two_losses(params)))
        even = [two_losses(WIDE.active_part(qmc_point(WIDE, seed, number))) for number in range(30)]
        found = [trial.losses for trial in trials if trial.losses]
        assert hypervolume(found, (1.5, 1.5)) > 1.1 * hypervolume(even, (1.5, 1.5))


def test_a_proposal_does_not_depend_on_those_before_it() -> None:
    """Fits are kept in the process; a process that begins at the last trial has the same proposal."""
    trials = search(20)
    _density.cache_clear()
    fresh = propose(SPACE, trials, work, 0, 20)
    assert fresh == search(21)[20].params
