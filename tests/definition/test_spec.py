"""What a checked study says of itself: its total, its identity and its fingerprint."""

import json
from typing import Any

import pytest

from sweep.definition.dimension import Range
from sweep.definition.identity import fingerprint, identity_changes
from sweep.definition.space import Space
from sweep.definition.spec import StudySpec
from sweep.definition.study_file import parse_study
from sweep.errors import StudyFileError
from sweep.trainers.mlp.trainer import MLP

SHA = "ab" * 32

BASE: dict[str, Any] = {
    "sampler": "tpe",
    "name": "names",
    "goal": "Which?",
    "trials": 20,
    "keep": 5,
    "timeout": "10m",
    "trial_timeout": "5m",
    "seed": 3,
    "data": {"words": "data/names.txt", "dedupe": False},
    "fixed": {"learning_rate": 0.2, "init": "normal"},
    "search": {
        "block_size": {"low": 2, "high": 8},
        "hidden_neurons": {"low": 10, "high": 500, "log": True},
        "batch_size": {"choices": [16, 32, 64]},
    },
    "trial": [{"block_size": 3, "hidden_neurons": 100, "batch_size": 32}],
}


def identity(sha256: str = SHA, **changes: Any) -> dict[str, Any]:
    """Identity of the base study with some keys changed; None removes a key."""
    raw = {key: value for key, value in (BASE | changes).items() if value is not None}
    return parse_study(raw, MLP).identity(MLP, sha256)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"goal": "Another question?"},
        {"goal": None},
        {"trials": 500},
        {"trials": None},
        {"keep": 0},
        {"timeout": "none"},
        {"trial_timeout": None},
        {"data": {"words": "elsewhere/names.txt"}},
        {"fixed": {"init": "normal", "learning_rate": 0.2}},
        {"fixed": {"init": "normal", "learning_rate": 0.2, "momentum": 0.0}},
        {"search": dict(reversed(BASE["search"].items()))},
        {"trial": [{"batch_size": 32, "block_size": 3, "hidden_neurons": 100, "logged": 2.2}]},
        {"log": {"data_sha256": "0" * 64}},
        {"objectives": ["dev_loss"]},
    ],
    ids=str,
)
def test_fingerprint_stays(changes: dict[str, Any]) -> None:
    """Goal, budgets, names, places, spelled-out defaults and the order of lines may change."""
    assert identity_changes(identity(), identity(**changes)) == []
    assert fingerprint(identity(**changes)) == fingerprint(identity())


CHANGING: list[tuple[dict[str, Any], str]] = [
    ({"sampler": "random"}, 'sampler: "tpe" -> "random"'),
    ({"pruner": "asha"}, 'pruner: "none" -> "asha"'),
    ({"seed": 4}, "seed: 3 -> 4"),
    ({"replicates": 2}, "replicates: 1 -> 2"),
    ({"data": {"dedupe": True}}, "data.dedupe: false -> true"),
    ({"fixed": {"learning_rate": 0.3, "init": "normal"}}, "fixed.learning_rate: 0.2 -> 0.3"),
    ({"fixed": {"learning_rate": 0.2}}, 'fixed.init: "normal" -> "scaled"'),
    ({"fixed": BASE["fixed"] | {"num_steps": 5_000}}, "fixed.num_steps: 200000 -> 5000"),
    (
        {"search": BASE["search"] | {"block_size": {"low": 2, "high": 9}}},
        "search.block_size: { low = 2, high = 8 } -> { low = 2, high = 9 }",
    ),
    (
        {"search": BASE["search"] | {"hidden_neurons": {"low": 10, "high": 500}}},
        "search.hidden_neurons: { low = 10, high = 500, log = true } -> { low = 10, high = 500 }",
    ),
    (
        {"search": BASE["search"] | {"batch_size": {"choices": [16, 64, 32]}}},
        "search.batch_size: { choices = [16, 32, 64] } -> { choices = [16, 64, 32] }",
    ),
    ({"objectives": ["dev_loss", "n_params"]}, 'objective: "dev_loss" -> ["dev_loss", "n_params"]'),
    ({"objectives": ["dev_loss", "train_seconds"]}, 'objective: "dev_loss" -> ["dev_loss", "train_seconds"]'),
    ({"trial": []}, "[[trial]]"),
    ({"trial": [BASE["trial"][0] | {"block_size": 4}]}, "[[trial]]"),
]


@pytest.mark.parametrize(("changes", "difference"), CHANGING, ids=lambda value: str(value)[:50])
def test_fingerprint_changes_and_the_difference_is_told(changes: dict[str, Any], difference: str) -> None:
    """Whatever can change a trial makes another study, and the difference names key and values."""
    changed = identity(**changes)
    assert fingerprint(changed) != fingerprint(identity())
    differences = identity_changes(identity(), changed)
    assert len(differences) == 1
    assert differences[0].startswith(difference)


def test_another_word_list_is_another_study() -> None:
    """The hash of the data counts, its place does not."""
    other = identity(sha256="cd" * 32)
    assert fingerprint(other) != fingerprint(identity())
    assert identity_changes(identity(), other) == [
        f'content of the data files, sha256: "{SHA}" -> "{"cd" * 32}"'
    ]


def test_moving_a_knob_from_fixed_to_searched_is_told_twice() -> None:
    """It leaves the fixed values and joins the space."""
    search = BASE["search"] | {"embedding_dim": {"low": 2, "high": 4}}
    differences = identity_changes(
        identity(), identity(search=search, trial=None) | {"trial": identity()["trial"]}
    )
    assert differences == ["fixed: embedding_dim removed", "search: embedding_dim added"]


def test_trainer_version_and_split_are_part_of_the_identity() -> None:
    """Results of another trainer or another split are not comparable."""
    assert identity()["trainer_version"] == MLP.version
    assert identity()["split"] == MLP.split_rule
    assert identity()["objective"] == "dev_loss"


@pytest.mark.parametrize("changes", [{}, *(changes for changes, _ in CHANGING)], ids=lambda c: str(c)[:50])
def test_identity_survives_json(changes: dict[str, Any]) -> None:
    """What is stored as text and read back is the same study."""
    before = identity(**changes)
    after = json.loads(json.dumps(before))
    assert after == before
    assert fingerprint(after) == fingerprint(before)
    assert identity_changes(after, before) == []


def test_fingerprint_is_the_same_in_every_process() -> None:
    """It is a sha256 of sorted JSON, not a hash of the process."""
    import hashlib

    text = json.dumps(identity(), sort_keys=True)
    assert fingerprint(identity()) == hashlib.sha256(text.encode()).hexdigest()


GRID = {"sampler": "grid", "trial": None, "trials": None, "search": {"batch_size": {"choices": [1, 2, 4]}}}
LISTED = {
    "sampler": "listed",
    "trials": None,
    "search": None,
    "trial": [{"block_size": 2}, {"block_size": 3}],
}


@pytest.mark.parametrize(
    ("changes", "total"),
    [
        ({}, 20),
        ({"trials": None}, 60),
        ({"trials": None, "replicates": 70}, 70),
        ({"trials": 1}, 1),
        (GRID, 3),
        (GRID | {"replicates": 4}, 12),
        (GRID | {"trials": 2}, 2),
        (LISTED, 2),
        (LISTED | {"replicates": 3}, 6),
        (LISTED | {"replicates": 3, "trials": 5}, 5),
    ],
    ids=str,
)
def test_total_of_trials(changes: dict[str, Any], total: int) -> None:
    """It is what the file says, else where the sampler ends, else 60."""
    raw = {key: value for key, value in (BASE | changes).items() if value is not None}
    assert parse_study(raw, MLP).total_trials == total


def test_changed_copy_is_checked_again() -> None:
    """A total above the end of a list is refused wherever it comes from."""
    raw = {key: value for key, value in (BASE | LISTED).items() if value is not None}
    spec = parse_study(raw, MLP)
    assert spec.replace(trials=1).total_trials == 1
    with pytest.raises(StudyFileError, match="sampler listed ends after 2 trials, but trials = 3"):
        spec.replace(trials=3)
    assert spec.replace(name="names@0a30b555").name == "names@0a30b555"


def test_gp_with_a_pruner_is_refused() -> None:
    """It learns from complete trials only; library users meet the rule too."""
    with pytest.raises(StudyFileError, match=r"sampler gp .* pruner none; got pruner 'asha'"):
        StudySpec(
            name="x",
            sampler="gp",
            pruner="asha",
            objectives=("dev_loss",),
            data={},
            fixed={},
            space=Space({"block_size": Range(1, 2)}),
        )


def test_equal_identities_have_no_changes() -> None:
    """Nothing differs from itself, at any depth."""
    assert identity_changes(identity(), identity()) == []


FLOAT = {"name": "FloatDistribution", "attributes": {"low": 0.1, "high": 1.0, "log": True, "step": None}}
CHOICES = {"name": "CategoricalDistribution", "attributes": {"choices": [1, 2]}}
KINDS = ['kinds of the hyperparameters.lr: "int" -> "float"']
TRIALS = ["[[trial]]: 2 added", "[[trial]].1: { lr = 1 } -> { lr = 2 }"]


@pytest.mark.parametrize(
    ("stored", "asked", "expected"),
    [
        ({"a": 1}, {"a": 2}, ["a: 1 -> 2"]),
        ({"a": {"b": {"c": [1]}}}, {"a": {"b": {"c": [2]}}}, ["a.b: { c = [1] } -> { c = [2] }"]),
        ({"a": 1}, {}, ["a: 1 -> not set"]),
        ({}, {"a": "x"}, ['a: not set -> "x"']),
        ({"b": 1, "a": True}, {"a": False, "b": 2}, ["a: true -> false", "b: 1 -> 2"]),
        ({"fixed": {"x": 1}}, {"fixed": {}}, ["fixed: x removed"]),
        (
            {"search": {"lr": FLOAT}, "program": {"searched": ["lr"]}},
            {"search": {"rate": FLOAT}, "program": {"searched": ["rate"]}},
            ["search: lr removed, rate added"],
        ),
        (
            {"search": {"lr": FLOAT}},
            {"search": {"lr": CHOICES}},
            ["search.lr: { low = 0.1, high = 1.0, log = true } -> { choices = [1, 2] }"],
        ),
        (
            {"trainer": "command", "program": {"metric": "a", "parameters": {"lr": "float"}}, "search": {}},
            {"trainer": "command", "program": {"metric": "b", "parameters": {}}, "search": {}},
            ['metric: "a" -> "b"'],
        ),
        ({"program": {"parameters": {"lr": "int"}}}, {"program": {"parameters": {"lr": "float"}}}, KINDS),
        ({"trial": [{"lr": 1}]}, {"trial": [{"lr": 2}, {"lr": 3}]}, TRIALS),
    ],
)
def test_differences_are_told_as_a_study_file_writes_them(
    stored: Any, asked: Any, expected: list[str]
) -> None:
    """Keys of a program have no prefix, ranges no name of a class; kinds follow from the rest."""
    assert identity_changes(stored, asked) == expected
