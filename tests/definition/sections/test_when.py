"""Conditions: what is refused, and that every sampler, grid and resume keeps to them."""

import itertools
import json
from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import create_trial

from sweep.definition.grid import grid_cell, grid_size
from sweep.definition.identity import fingerprint, identity_changes
from sweep.definition.optuna_objects import distribution_of
from sweep.definition.plain import as_read
from sweep.definition.records import TrialRecord
from sweep.definition.registries import SAMPLERS, named_trainer
from sweep.definition.space import space_of_identity
from sweep.definition.spec import StudySpec
from sweep.definition.study_file import parse_study
from sweep.errors import StudyFileError
from sweep.samplers.mirror import Mirror
from sweep.trainers.mlp.trainer import MLP
from tests.support.toy_runs import Watcher, database_in, run_toy, toy_study
from tests.support.toy_task import TOY

SCHEDULE = {"choices": ["step", "cosine"]}
DECAY = {"low": 0.3, "high": 0.9}
SEARCH: dict[str, Any] = {
    "block_size": {"low": 2, "high": 4},
    "decay_at": DECAY | {"when": {"schedule": "step"}},
    "momentum": {"choices": [0.5, 0.9], "when": {"block_size": [2, 4], "schedule": ["step"]}},
    "schedule": SCHEDULE,
}
TRIAL = {"block_size": 3, "schedule": "cosine"}


def parse(search: dict[str, Any] = SEARCH, **raw: Any) -> StudySpec:
    return parse_study({"search": search} | raw, MLP)


def decay(when: Any, **search: Any) -> dict[str, Any]:
    return {"schedule": SCHEDULE, "decay_at": DECAY | {"when": when}} | search


def test_conditions_are_read() -> None:
    """One value or a list, in the order of the hyperparameters; the inactive value is the default."""
    spec = parse()
    assert spec.space.conditions == {
        "decay_at": {"schedule": ("step",)},
        "momentum": {"block_size": (2, 4), "schedule": ("step",)},
    }
    assert (spec.fixed["decay_at"], spec.fixed["momentum"]) == (0.5, 0.0)
    assert "schedule" not in spec.fixed
    assert spec.space.asking_order() == ["block_size", "schedule", "decay_at", "momentum"]


@pytest.mark.parametrize(
    ("search", "message"),
    [
        (decay("step"), r"search\.decay_at\.when must be \{ other = value \} or .*got 'step'"),
        (decay({}), r"search\.decay_at\.when must be .*got \{\}"),
        (
            decay({"shedule": "step"}),
            r"unknown hyperparameter 'shedule' in search\.decay_at\.when; did you mean schedule\? known: bl",
        ),
        (decay({"decay_at": 0.5}), r"search\.decay_at\.when names decay_at itself"),
        (decay({"schedule": []}), r"search\.decay_at\.when\.schedule must have at least one value, got \[\]"),
        (decay({"schedule": "stpe"}), r"search\.decay_at\.when: schedule must be step or cosine, got 'stpe'"),
        (decay({"schedule": 1}), r"search\.decay_at\.when: schedule must be a text, got 1"),
        (decay({"schedule": ["step", "step"]}), r"search\.decay_at\.when\.schedule holds 'step' twice"),
        (
            decay({"schedule": ["step", "cosine"]}),
            r"schedule = 'cosine' or 'step' always holds, because these are",
        ),
        (
            decay({"init": "scaled"}),
            r"init = 'scaled' always holds, because init is fixed at 'scaled'; remove",
        ),
        (
            decay({"init": "normal"}),
            r"init = 'normal' never holds, because .*'scaled'; remove search\.decay_at",
        ),
        (
            decay({"block_size": 9}, block_size={"low": 2, "high": 4}),
            r"search\.decay_at\.when: block_size = 9 lies outside the search space of block_size",
        ),
        (
            decay({"momentum": 0.5}, momentum={"low": 0.0, "high": 0.9}),
            r"when needs choices or whole numbers, but momentum is a range of fractions",
        ),
        (
            decay({"schedule": "step"}, schedule=SCHEDULE | {"when": {"init": "normal"}})
            | {"init": {"choices": ["normal", "scaled"], "when": {"schedule": "step"}}},
            r"search\.schedule\.when is circular: schedule needs init needs schedule",
        ),
        (
            decay({"schedule": "step"})
            | {"init": {"choices": ["normal", "scaled"], "when": {"schedule": "cosine"}}}
            | {"momentum": {"low": 0.1, "high": 0.9, "when": {"init": "normal", "schedule": "step"}}},
            r"search\.momentum\.when never holds: it needs schedule = 'cosine' and 'step' at once",
        ),
        ({"decay_at": {"when": {"schedule": "step"}}}, r"search\.decay_at must be \{ low = …"),
        (
            {"decay_at": {"low": 0.5, "high": 2}},
            r"decay_at from 0\.5 to 2 mixes fractions .* on one side of 1",
        ),
    ],
    ids=lambda value: str(value)[-60:],
)
def test_what_a_condition_cannot_mean_is_refused(search: dict[str, Any], message: str) -> None:
    """Each refusal is one line with the key, the value and the rule."""
    with pytest.raises(StudyFileError, match=message) as caught:
        parse(search)
    assert "\n" not in str(caught.value)


def test_absolute_and_relative_decay_may_be_searched_apart() -> None:
    """A range on one side of 1 has one meaning, and choices say each what they mean."""
    for entry in ({"low": 0.1, "high": 0.9}, {"low": 1, "high": 9_000}, {"choices": [0.5, 100_000]}):
        assert "decay_at" in parse({"decay_at": entry}).space


@pytest.mark.parametrize(
    ("trial", "message"),
    [
        (TRIAL | {"decay_at": 0.5}, r"number 1 sets decay_at, which is active only if schedule = 'step'"),
        (TRIAL | {"schedule": "step"}, r"\[\[trial\]\] number 1 lacks decay_at, which is searched"),
        (
            TRIAL | {"schedule": "step", "decay_at": 0.5, "momentum": 0.9},
            r"sets momentum, which is active only if block_size = 2 or 4 and schedule = 'step'",
        ),
    ],
)
def test_a_listed_configuration_gives_exactly_what_is_active(trial: dict[str, Any], message: str) -> None:
    """Neither more nor less than the conditions leave."""
    assert parse(trial=[TRIAL]).listed == (TRIAL,)
    with pytest.raises(StudyFileError, match=message):
        parse(trial=[trial])


def test_a_grid_with_too_many_deciding_combinations_is_refused() -> None:
    """They are run through at each cell."""
    search = {
        "num_steps": {"low": 1, "high": 2_000, "step": 1},
        "schedule": SCHEDULE | {"when": {"num_steps": 7}},
    }
    with pytest.raises(StudyFileError, match=r"grid takes at most 1,000 combinations .*got 2,000"):
        parse(search, sampler="grid")


def test_conditions_belong_to_the_identity_and_others_keep_theirs() -> None:
    """A changed condition is told; a study without conditions has no trace of them."""
    one, two = parse(), parse(SEARCH | {"decay_at": DECAY | {"when": {"schedule": "cosine"}}})
    before, after = (spec.identity(MLP, "ab" * 32) for spec in (one, two))
    assert fingerprint(before) != fingerprint(after)
    assert identity_changes(before, after) == [
        'search.decay_at: { low = 0.3, high = 0.9, when = { schedule = ["step"] } } -> '
        '{ low = 0.3, high = 0.9, when = { schedule = ["cosine"] } }'
    ]
    plain = parse({"schedule": SCHEDULE, "decay_at": DECAY}).identity(MLP, "ab" * 32)
    assert "when" not in plain
    assert "decay_at" not in plain["fixed"]


def test_order_of_the_values_does_not_matter() -> None:
    """Two spellings of one condition are one study."""
    other = SEARCH["momentum"] | {"when": {"schedule": "step", "block_size": [4, 2]}}
    identities = [parse(search).identity(MLP, "") for search in (SEARCH, SEARCH | {"momentum": other})]
    assert fingerprint(identities[0]) == fingerprint(identities[1])


def active_by_hand(params: dict[str, Any]) -> set[str]:
    """What is active in SEARCH, said once more without our code."""
    names = {"block_size", "schedule"}
    if params["schedule"] == "step":
        names |= {"decay_at"} | ({"momentum"} if params["block_size"] != 3 else set())
    return names


def ended(number: int, params: dict[str, Any], loss: float | None) -> TrialRecord:
    state = "running" if loss is None else "complete"
    return TrialRecord(
        number=number,
        state=state,
        params=params,
        seed=0,
        dev_loss=loss,
        segments=(),
        reason=None,
        facts={},
        engine="toy",
        device="cpu",
        started=None,
        ended=None,
    )


def loss_of(params: dict[str, Any]) -> float:
    return 2 + params["block_size"] / 10 + params.get("decay_at", 0.4) + params.get("momentum", 0) / 7


@pytest.mark.parametrize("name", ["tpe", "random", "qmc", "gp", "gp_cost"])
def test_every_proposal_keeps_to_the_conditions_and_comes_again_after_a_resume(name: str) -> None:
    """With two trials always in training, a mirror rebuilt at any moment proposes what the first did."""
    spec = parse(sampler=name)
    n = 16

    def sampler(number: int) -> Any:
        return SAMPLERS[name](spec.space, 5, number)

    mirror, proposed = Mirror(spec.space, 3.3, []), list[dict[str, Any]]()
    for number in range(n):
        params = mirror.ask(number, sampler(number))
        assert set(params) == active_by_hand(params)
        assert list(params) == [key for key in spec.space if key in params]
        proposed.append(params)
        if number:
            mirror.end(number - 1, "complete", loss_of(proposed[number - 1]))
    assert len({frozenset(params) for params in proposed}) > 1
    for stop in (1, 2, 11, n - 1):
        records = [ended(k, p, loss_of(p) if k < stop - 1 else None) for k, p in enumerate(proposed[:stop])]
        assert Mirror(spec.space, 3.3, records).ask(stop, sampler(stop)) == proposed[stop]


@pytest.mark.parametrize("name", ["tpe", "gp"])
def test_what_trials_have_in_common_by_chance_is_not_modelled_together(name: str) -> None:
    """Where all trials so far had it, a conditional hyperparameter still is none of the joint model."""
    space = parse().space
    params = {"block_size": 2, "decay_at": 0.4, "momentum": 0.5, "schedule": "step"}
    study = optuna.create_study()
    distributions = {name: distribution_of(dimension) for name, dimension in space.items()}
    for k in range(12):
        study.add_trial(create_trial(params=params, distributions=distributions, value=2.0 + k))
    joint = SAMPLERS[name](space, 0, 12).infer_relative_search_space(study, study.trials[0])
    assert sorted(joint) == ["block_size", "schedule"]


def test_tpe_learns_a_conditional_hyperparameter() -> None:
    """After trials whose best is at decay 0.35, proposals of decay lie lower than chance."""
    space = parse({"decay_at": DECAY | {"when": {"schedule": "step"}}, "schedule": SCHEDULE}).space
    step = [({"decay_at": 0.3 + k / 50, "schedule": "step"}, 2 + abs(k / 50 - 0.05)) for k in range(30)]
    told = [ended(k, *outcome) for k, outcome in enumerate([*step, *[({"schedule": "cosine"}, 3.0)] * 30])]
    drawn = [
        Mirror(space, 3.3, told).ask(60, SAMPLERS["tpe"](space, seed, 60)).get("decay_at")
        for seed in range(20)
    ]
    lower = [value < 0.6 for value in drawn if value is not None]
    assert len(lower) > 10
    assert sum(lower) > 0.7 * len(lower)


hyperparameters = ["batch_size", "block_size", "embedding_dim", "init", "schedule"]
values_of = {
    "batch_size": [16, 32],
    "block_size": [1, 2, 3],
    "embedding_dim": [4, 5],
    "init": ["normal", "scaled"],
    "schedule": ["step", "cosine"],
}


@st.composite
def searches(draw: st.DrawFn) -> dict[str, Any]:
    """Studies in which each hyperparameter may need some of those before it in a random order."""
    order = draw(st.permutations(hyperparameters))
    search: dict[str, Any] = {}
    for place, name in enumerate(order):
        search[name] = {"choices": values_of[name]}
        others = draw(st.lists(st.sampled_from(order[:place]), max_size=2, unique=True)) if place else []
        if others:
            search[name]["when"] = {
                other: draw(st.lists(st.sampled_from(values_of[other]), min_size=1, max_size=2, unique=True))
                for other in others
            }
    return search


def cells_by_hand(search: dict[str, Any]) -> set[frozenset[tuple[str, Any]]]:
    """Every distinct active part of the whole product."""
    found = set()
    for point in itertools.product(*values_of.values()):
        params = dict(zip(hyperparameters, point, strict=True))
        for _ in hyperparameters:  # drop what lacks its condition until nothing changes
            params = {
                name: value
                for name, value in params.items()
                if all(params.get(o) in allowed for o, allowed in search[name].get("when", {}).items())
            }
        found.add(frozenset(params.items()))
    return found


@given(search=searches(), seed=st.integers(0, 9))
@settings(max_examples=80, deadline=None)
def test_any_study_with_conditions_is_refused_or_searched_exactly(search: dict[str, Any], seed: int) -> None:
    """The grid has each distinct active combination once; what is asked for is one of them."""
    try:
        spec = parse(search, sampler="grid")
    except StudyFileError as error:
        spec, refusal = None, str(error)
    if spec is None:
        assert "holds" in refusal
        return
    cells = [frozenset(grid_cell(spec.space, k).items()) for k in range(grid_size(spec.space))]
    expected = cells_by_hand(search)
    assert len(cells) == len(expected) == spec.total_trials
    assert set(cells) == expected
    for name in ("random", "qmc", "tpe"):
        mirror = Mirror(spec.space, 3.3, [])
        for number in range(3):
            params = mirror.ask(number, SAMPLERS[name](spec.space, seed, number))
            assert frozenset(params.items()) in expected


def test_a_study_with_conditions_runs_stops_and_goes_on(tmp_path: Any) -> None:
    """Stored are the active hyperparameters only, the others have their default, and importances work."""
    search = {
        "x": {"low": 0.0, "high": 1.0, "when": {"y": [1, 2]}},
        "y": {"low": 1, "high": 3},
    }
    spec = toy_study(sampler="tpe", trials=14, search=search)
    stopped = run_toy(tmp_path, spec, Watcher(stop_after=9)).study
    record = run_toy(tmp_path, spec).study
    assert [t.params for t in record.trials[:2]] == [t.params for t in stopped.trials[:2]]
    assert {t.state for t in record.trials} == {"complete"}
    assert {tuple(t.params) for t in record.trials} == {("x", "y"), ("y",)}
    assert all(("x" in t.params) == (t.params["y"] < 3) for t in record.trials)
    lacking = next(t for t in record.trials if "x" not in t.params)
    assert TOY.make_config(record.config_values(lacking)).x == 0.5
    study = optuna.load_study(study_name="toy", storage=database_in(tmp_path).open_for_dashboard())
    assert "y" in optuna.importance.get_param_importances(study)


def test_choices_that_are_lists_or_of_several_types_are_read_again() -> None:
    """A stored condition activates what the file's condition does, whatever order the file gives them."""
    for choices in ([[1, 2], [3, 4], [5]], [1, "auto", 0.5], [[1, "a"], ["b", 2], "c"]):
        needed = [choices[1], choices[0]]
        raw = {
            "trainer": "trainers:train",
            "search": {
                "shape": {"choices": choices},
                "rate": {"low": 0.0, "high": 1.0, "when": {"shape": needed}},
            },
        }
        spec = parse_study(raw, task := named_trainer(raw, Path()))
        stored = space_of_identity(json.loads(json.dumps(spec.identity(task, ""))))
        for value in spec.space["shape"].choices:
            is_active = spec.space.is_active("rate", {"shape": value})
            assert is_active == (value != as_read(choices[2]))
            assert stored.is_active("rate", {"shape": value}) == is_active
        raw["search"]["rate"]["when"] = {"shape": needed[::-1]}
        assert parse_study(raw, task).identity(task, "") == spec.identity(task, "")
