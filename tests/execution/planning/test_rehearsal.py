"""What samplers would propose next, with losses that are guessed."""

from typing import Any

import pytest

from sweep.definition.dimension import Choices, Range
from sweep.definition.registries import SAMPLERS
from sweep.definition.space import Space
from sweep.definition.spec import StudySpec
from sweep.execution.planning.rehearsal import Bowl, Neighbours, from_the_start, rehearsed
from sweep.samplers.mirror import Mirror
from sweep.values import Params
from tests.support.study_records import trial

SPACE = Space(
    {"x": Range(0.0, 1.0), "n": Range(1, 64, log=True), "kind": Choices(("a", "b")), "y": Range(1, 9)},
    {"y": {"kind": ("b",)}},
)


def spec(**changes: Any) -> StudySpec:
    values = {"name": "s", "objectives": ("loss",), "data": {}, "fixed": {}, "space": SPACE, "trials": 12}
    return StudySpec(**{**values, **changes})


def work(params: Params) -> float:
    return float(params["n"])


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name not in ("listed", "grid")])
def test_a_rehearsal_proposes_configurations_of_the_space(sampler: str) -> None:
    """Whichever sampler, with a condition; the same each time."""
    study = spec(sampler=sampler)
    one, two = (next(from_the_start(study, work, range(3, 10))) for _ in range(2))
    assert one == two
    assert len(one) == 7
    assert all(("y" in params) == (params["kind"] == "b") for params in one)


@pytest.mark.parametrize("sampler", ["random", "qmc"])
def test_what_depends_on_no_result_is_what_the_run_proposes(sampler: str) -> None:
    """The mirror of a run asks the same sampler with the same number."""
    study, mirror = spec(sampler=sampler, seed=5), Mirror(SPACE, None, [])
    real = [mirror.ask(number, SAMPLERS[sampler](SPACE, 5, number, work)) for number in range(6)]
    assert rehearsed(study, work, (), [1, 4], guess=lambda params: (0.0, 0.0)) == [real[1], real[4]]


def test_listed_configurations_come_first() -> None:
    """Then the sampler's, counted from the end of the list."""
    listed = ({"x": 0.5, "n": 2, "kind": "a"},)
    study, mirror = spec(sampler="qmc", listed=listed), Mirror(SPACE, None, [])
    found = rehearsed(study, work, (), range(2), guess=lambda params: (0.0, 0.0))
    assert found == [listed[0], mirror.ask(0, SAMPLERS["qmc"](SPACE, 0, 0, work))]


def test_neighbours_guess_the_value_of_the_nearest_trials() -> None:
    """A maximised metric is a loss with the other sign; a cost is that of the nearest."""
    study = spec(objectives=("acc", "n_params"), direction="maximize", sampler="tpe")
    known = [
        trial(k, 0.5 + k / 1e6, params={"x": 0.1, "n": 2, "kind": "a"}, facts={"n_params": 7})
        for k in range(2)
    ] + [trial(2 + k, 0.9, params={"x": 0.9, "n": 60, "kind": "a"}, facts={"n_params": 70}) for k in range(2)]
    loss, cost = Neighbours(study, known, 0)({"x": 0.2, "n": 3, "kind": "a"})
    assert loss == pytest.approx(-0.5, abs=0.15)
    assert cost == 7


def test_bowls_differ_and_cost_their_work() -> None:
    """Two seeds, two losses; the work is the same."""
    params = {"x": 0.2, "n": 3, "kind": "b", "y": 4}
    (one, cost), (two, _) = (Bowl(SPACE, work, seed)(params) for seed in (0, 1))
    assert one != two
    assert cost == 3
