"""The schema of study files has every key of the code, takes every study, and refuses what the code does."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sweep.definition import study_file
from sweep.definition.editor_schema.document import SCHEMA_FILE, schema_text, study_schema
from sweep.definition.editor_schema.keys import TRAINERS, common_keys
from sweep.definition.registries import named_trainer
from sweep.definition.sections.top_level import settings_of
from sweep.definition.study_file import parse_study
from sweep.errors import StudyFileError, SweepError
from sweep.task import load_task
from sweep.trainers.command.kind import COMMAND
from sweep.trainers.function.kind import FUNCTION
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.words.words_file import check_section
from sweep.trainers.program import data as program_data
from sweep.trainers.program.definition import DEFINING, SURROUNDING

REPOSITORY = Path(__file__).resolve().parents[3]
STUDIES = REPOSITORY / "studies"
VALIDATOR = jsonschema.Draft7Validator(study_schema())

ANEW = (
    "write it anew: python -c 'from sweep.definition.editor_schema.document import schema_text; "
    'print(schema_text(), end="")\' > studies/study.schema.json'
)

COMMAND_STUDY = {
    "command": ["python", "train.py", "{args}"],
    "metric": "val_loss",
    "search": {"lr": {"low": 0.1, "high": 1.0}},
}
FUNCTION_STUDY = {"trainer": "trainers:train", "search": {"lr": {"low": 0.1, "high": 1.0}}}
MLP_STUDY = {"search": {"block_size": {"low": 2, "high": 6}}}


def refused(study: dict[str, Any]) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(study)]


def test_the_schema_is_one_and_the_repository_has_it() -> None:
    """Draft 7, which editors read."""
    jsonschema.Draft7Validator.check_schema(study_schema())
    assert (STUDIES / SCHEMA_FILE).read_text("utf-8") == schema_text(), ANEW


def study_files() -> Iterator[Path]:
    for path in sorted(STUDIES.rglob("*.toml")):
        if tomllib.loads(path.read_text("utf-8")).keys() & {"search", "trial"}:
            yield path


@pytest.mark.parametrize("path", list(study_files()), ids=lambda path: path.stem)
def test_every_study_of_the_repository_is_valid(path: Path) -> None:
    """No editor marks a key of them."""
    assert refused(tomllib.loads(path.read_text("utf-8"))) == []


@pytest.mark.parametrize("path", sorted(STUDIES.glob("*.toml")), ids=lambda path: path.stem)
def test_starter_studies_name_the_schema(path: Path) -> None:
    """In their first line, as editors look for it."""
    assert path.read_text("utf-8").splitlines()[0] == f"#:schema {SCHEMA_FILE}"


def test_every_key_of_the_code_is_described() -> None:
    """A new key needs an entry in ``schema.keys`` or in its trainer's ``study_keys``."""
    mlp = load_task("mlp")
    assert set(common_keys()) == {*settings_of(mlp), *study_file._SECTIONS}
    both = {*DEFINING, *SURROUNDING}
    assert set(TRAINERS["function"].keys) == both | {*FUNCTION.defining, *FUNCTION.surrounding}
    assert set(TRAINERS["command"].keys) == both | {*COMMAND.defining, *COMMAND.surrounding}
    assert set(TRAINERS["function"].data) == set(TRAINERS["command"].data) == set(program_data.KEYS)
    assert set(TRAINERS["mlp"].fields) == set(mlp.field_types())
    assert set(TRAINERS["mlp"].data) == set(check_section({}))


def descriptions() -> Iterator[tuple[str, str]]:
    for name, words in common_keys().items():
        yield name, words["description"]
    for kind in TRAINERS.values():
        for part in (kind.keys, kind.data, kind.fields or {}):
            yield from ((name, words["description"]) for name, words in part.items())


@pytest.mark.parametrize(("name", "text"), list(descriptions()))
def test_descriptions_are_sentences(name: str, text: str) -> None:
    """On one line, with a full stop."""
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) > 15, name


@pytest.mark.parametrize("key", ["trials", "replicates", "keep", "seed"])
def test_bounds_of_whole_numbers_are_those_of_the_code(key: str) -> None:
    """Both ends are taken, the numbers beyond them refused, by the schema and by the code."""
    words, check = common_keys()[key], settings_of(load_task("mlp"))[key]
    for value in (words["minimum"], words["maximum"]):
        assert check(key, value) == value
    for value in (words["minimum"] - 1, words["maximum"] + 1):
        assert refused(MLP_STUDY | {key: value}) != []
        with pytest.raises(StudyFileError):
            check(key, value)


def test_defaults_of_hyperparameters_are_those_of_the_code() -> None:
    """What an editor shows is what is trained."""
    shown = {name: words["default"] for name, words in TRAINERS["mlp"].fields.items()}
    assert shown == {name: value for name, value in TrainConfig().to_dict().items() if name != "seed"}


GOOD = [
    MLP_STUDY,
    MLP_STUDY | {"trainer": "mlp", "fixed": {"learning_rate": "auto", "schedule": "cosine", "momentum": 0}},
    MLP_STUDY | {"timeout": "1.5h", "trial_timeout": "none", "objectives": ["dev_loss", "n_params"]},
    {
        "search": {
            "momentum": {"low": 0.0, "high": 0.9, "when": {"schedule": "step"}},
            "schedule": {"choices": ["step", "cosine"]},
        }
    },
    COMMAND_STUDY,
    COMMAND_STUDY | {"fixed": {"a b": "x", "sizes": [1, 2]}, "arguments": {"a b": "--a={value}"}},
    COMMAND_STUDY | {"env": {"A": 1}, "secrets": ["B"], "grace": "0s", "style": "hydra", "quiet": "5m"},
    FUNCTION_STUDY | {"metric": "loss", "budget": "epochs", "fixed": {"epochs": 9}, "checkpoint": True},
    FUNCTION_STUDY | {"search": {"k": {"choices": [True, "x", [1, 2]]}}, "data": {"files": ["*.csv"]}},
]

BAD = [
    {},
    {"name": "x y", **MLP_STUDY},
    MLP_STUDY | {"sampler": "tpee"},
    MLP_STUDY | {"trails": 5},
    MLP_STUDY | {"timeout": "10"},
    MLP_STUDY | {"metric": "accuracy"},
    MLP_STUDY | {"objectives": ["n_params"]},
    MLP_STUDY | {"resources": {"cpus": 0}},
    MLP_STUDY | {"fixed": {"learning_rate": 0}},
    MLP_STUDY | {"fixed": {"lr": 0.1}},
    MLP_STUDY | {"data": {"word": "x"}},
    {"search": {"block_size": {"low": 2}}},
    {"search": {"block_size": {"low": 0, "high": 3}}},
    {"search": {"schedule": {"low": 0, "high": 3}}},
    {"search": {"init": {"choices": ["wide"]}}},
    {"search": {"momentum": {"choices": []}}},
    {"search": {"momentum": {"choices": [0.1], "log": True}}},
    {"command": ["python", "x.py", "{args}"], "search": {"x": {"low": 0, "high": 1}}},
    COMMAND_STUDY | {"command": "python train.py"},
    COMMAND_STUDY | {"trainer": "trainers:train"},
    COMMAND_STUDY | {"fresh_process": True},
    COMMAND_STUDY | {"direction": "up"},
    COMMAND_STUDY | {"fixed": {"seed": 3}},
    COMMAND_STUDY | {"data": {"words": "x"}},
    FUNCTION_STUDY | {"style": "argparse"},
    FUNCTION_STUDY | {"checkpoint": "yes"},
    FUNCTION_STUDY | {"fixed": {"model": {"depth": 2}}},
]


def parse(study: dict[str, Any]) -> None:
    parse_study(study, named_trainer(study, REPOSITORY))


@pytest.mark.parametrize("study", GOOD, ids=json.dumps)
def test_what_the_code_takes_is_valid(study: dict[str, Any]) -> None:
    """The schema is never stricter."""
    parse(study)
    assert refused(study) == []


@pytest.mark.parametrize("study", BAD, ids=json.dumps)
def test_mistakes_are_marked(study: dict[str, Any]) -> None:
    """What an editor marks, the code refuses too."""
    assert refused(study) != []
    with pytest.raises(SweepError):
        parse(study)


def test_an_installed_trainer_has_the_common_keys() -> None:
    """Its hyperparameters are its own; keys of programs are not for it."""
    study = {"trainer": "slope", "search": {"rate": {"low": 0.0, "high": 1.0}}, "fixed": {"depth": 3}}
    assert refused(study) == []
    assert refused(study | {"metric": "x"}) != []
