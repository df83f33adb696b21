"""One contract for all SAMPLERS, and what each promises beyond it."""

import random as python_random
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import create_trial

from sweep.definition.dimension import Choices, Dimension, Range
from sweep.definition.optuna_objects import distribution_of
from sweep.definition.registries import SAMPLERS
from sweep.definition.space import Space

# Sixty values in each dimension's product, so that the grid has a cell for each proposal.
SPACE = Space(
    {
        "block_size": Range(2, 6),
        "momentum": Range(0.1, 0.3, step=0.1),
        "batch_size": Choices((16, 32, 64, 128)),
    }
)
WIDE = Space(
    {
        "block_size": Range(2, 8),
        "hidden_neurons": Range(10, 500, log=True),
        "num_steps": Range(1_000, 5_000, step=500),
        "learning_rate": Range(0.01, 1.0, log=True),
        "momentum": Range(0.0, 0.9),
        "schedule": Choices(("step", "cosine")),
    }
)
PROPOSING = [name for name in SAMPLERS if name != "listed"]
MODELS = ["tpe", "gp", "gp_cost"]


def loss_of(params: dict[str, Any]) -> float:
    """A loss with one best point; any function will do."""
    return sum(abs(value / 100 - 0.37) for value in params.values() if not isinstance(value, str))


def study_with(space: Space, told: list[dict[str, Any]]) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    distributions = {name: distribution_of(dimension) for name, dimension in space.items()}
    for params in told:
        study.add_trial(create_trial(params=params, distributions=distributions, value=loss_of(params)))
    return study


def propose(
    name: str, space: Space, seed: int, number: int, told: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Ask for proposal ``number`` when ``told`` are all that is known."""
    study = study_with(space, told or [])
    study.sampler = SAMPLERS[name](space, seed, number)
    return study.ask({n: distribution_of(d) for n, d in space.items()}).params


def assert_inside(space: Space, params: dict[str, Any]) -> None:
    assert list(params) == list(space)
    for name, dimension in space.items():
        if isinstance(dimension, Choices):
            assert params[name] in dimension.choices
        else:
            assert dimension.low <= params[name] <= dimension.high
            assert type(params[name]) is type(dimension.low)
            if dimension.step:
                steps = (params[name] - dimension.low) / dimension.step
                assert steps == pytest.approx(round(steps), abs=1e-9)


@pytest.mark.parametrize("name", PROPOSING)
def test_sixty_proposals_lie_in_the_space(name: str) -> None:
    """Every proposal has a value of the right type inside each dimension."""
    told: list[dict[str, Any]] = []
    for number in range(60):
        params = propose(name, SPACE, 0, number, told if name not in MODELS or number < 14 else told[:14])
        assert_inside(SPACE, params)
        told.append(params)


@pytest.mark.parametrize("name", [name for name in PROPOSING if name != "grid"])
def test_ranges_of_every_kind_are_proposed_from(name: str) -> None:
    """Logarithmic, stepped, continuous and text dimensions together."""
    told: list[dict[str, Any]] = []
    for number in range(13):
        told.append(propose(name, WIDE, 1, number, told))
        assert_inside(WIDE, told[-1])


@pytest.mark.parametrize(
    "single",
    [
        Range(0.1, 0.1),
        Range(0.1, 0.1, log=True),
        Range(0.5, 0.5, step=0.1),
        Range(3, 3),
        Range(3, 3, log=True),
        Choices((7,)),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", [name for name in PROPOSING if name != "grid"])
def test_a_dimension_of_one_value_is_proposed_from(name: str, single: Dimension) -> None:
    """Alone, beside discrete dimensions and beside a continuous one, also after the first losses."""
    for others in ({}, {"depth": Range(1, 4), "kind": Choices(("x", "y"))}, {"rate": Range(0.0, 1.0)}):
        space = Space({"single": single, **others})
        told = [propose("random", space, 0, number) for number in range(8)]
        for number in (5, 8):
            assert_inside(space, propose(name, space, 0, number, told[:number]))


@pytest.mark.parametrize("name", PROPOSING)
@pytest.mark.parametrize("number", [0, 1, 12, 59])
def test_proposal_is_a_function_of_space_seed_number_and_what_was_told(name: str, number: int) -> None:
    """The global generators of Python and numpy play no part, nor what was proposed before."""
    told = [propose("random", SPACE, 5, n) for n in range(min(number, 12))]
    first = propose(name, SPACE, 3, number, told)
    python_random.seed(number)
    np.random.seed(number)
    propose(name, SPACE, 3, (number + 7) % 60, told)
    assert propose(name, SPACE, 3, number, told) == first


@pytest.mark.parametrize("name", ["random", "qmc", "tpe", "gp"])
def test_first_proposals_differ_between_numbers(name: str) -> None:
    """Twelve proposals without any result are twelve different points."""
    points = {tuple(propose(name, WIDE, 0, number).values()) for number in range(12)}
    assert len(points) == 12


@pytest.mark.parametrize("name", ["random", "qmc"])
def test_sixty_proposals_differ(name: str) -> None:
    """Samplers that do not learn do not repeat themselves either."""
    points = {tuple(propose(name, WIDE, 0, number).values()) for number in range(60)}
    assert len(points) == 60


@pytest.mark.parametrize("name", ["random", "qmc", "tpe", "gp"])
def test_another_study_seed_gives_other_proposals(name: str) -> None:
    """Two studies with different seeds do not search the same points."""
    ours, theirs = ([propose(name, WIDE, seed, n) for n in range(5)] for seed in (0, 1))
    assert all(a != b for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("name", ["random", "qmc", "grid"])
def test_samplers_that_do_not_learn_ignore_results(name: str) -> None:
    """What was told changes no proposal, so that any number of workers gives the same study."""
    told = [propose("random", SPACE, 9, n) for n in range(15)]
    assert propose(name, SPACE, 0, 15, told) == propose(name, SPACE, 0, 15)


@pytest.mark.parametrize("name", MODELS)
def test_samplers_that_learn_follow_the_results(name: str) -> None:
    """After twenty results with one clear optimum, proposals are nearer to it than random ones."""
    space = Space({"learning_rate": Range(0.0, 100.0)})
    told = [{"learning_rate": 5.0 * k} for k in range(21)]  # best: 37, told best 35
    numbers = range(21, 27)
    learned = [abs(propose(name, space, 0, n, told)["learning_rate"] - 37) for n in numbers]
    blind = [abs(propose("random", space, 0, n)["learning_rate"] - 37) for n in numbers]
    assert np.median(learned) < 8 < np.median(blind)


def test_grid_visits_every_cell_once() -> None:
    """Sixty proposals of a grid of sixty cells are the sixty cells."""
    points = {tuple(propose("grid", SPACE, 0, number).values()) for number in range(60)}
    assert len(points) == 5 * 3 * 4
    assert propose("grid", SPACE, 0, 0) == {"block_size": 2, "momentum": 0.1, "batch_size": 16}
    assert propose("grid", SPACE, 0, 1)["batch_size"] == 32


def test_grid_does_not_depend_on_the_seed() -> None:
    """Cell k is cell k in every study."""
    assert propose("grid", SPACE, 0, 31) == propose("grid", SPACE, 99, 31)


def test_qmc_fills_the_space_more_evenly_than_chance() -> None:
    """The first sixteen points of a Sobol sequence stand one in each sixteenth of every axis."""
    space = Space({"a": Range(0.0, 16.0), "b": Range(0.0, 16.0)})
    points = [propose("qmc", space, 4, number) for number in range(16)]
    for axis in space:
        assert sorted(int(point[axis]) for point in points) == list(range(16))


def test_random_draws_are_uniform() -> None:
    """Four hundred draws of four choices are near a hundred each, neighbours' seeds notwithstanding."""
    drawn = [propose("random", SPACE, 0, number)["batch_size"] for number in range(400)]
    assert all(70 < drawn.count(choice) < 130 for choice in (16, 32, 64, 128))


def test_listed_is_never_asked_beyond_its_list() -> None:
    """A proposal of the sampler listed is our own mistake, and said so."""
    with pytest.raises(AssertionError, match="proposal 3 is beyond the end of the list"):
        SAMPLERS["listed"](SPACE, 0, 3)
