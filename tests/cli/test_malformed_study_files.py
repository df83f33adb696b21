"""Malformed study files of each kind of trainer: all end in lines with file and key, none in a traceback."""

import datetime
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tomli_w

import sweep
from sweep.cli import main
from sweep.definition.registries import named_trainer
from sweep.definition.sections.top_level import settings_of
from sweep.definition.study_file import load_study_file
from sweep.errors import StudyFileError, SweepError
from sweep.task import study_keys
from tests.support.command_line import Capture, untitled

STUDIES: dict[str, dict[str, Any]] = {
    "mlp": {
        "fixed": {"num_steps": 100},
        "search": {"x": {"low": 2, "high": 4}, "kind": {"choices": ["step", "cosine"]}},
        "data": {"words": "data/words.txt"},
    },
    "function": {
        "trainer": "trainers:train",
        "metric": "loss",
        "budget": "epochs",
        "fixed": {"epochs": 10, "wide": True},
        "search": {"x": {"low": 0.0, "high": 1.0}, "kind": {"choices": ["step", "cosine"]}},
        "data": {"files": []},
    },
    "command": {
        "command": ["python", "train.py", "--x={x}", "{args}"],
        "metric": "loss",
        "budget": "epochs",
        "fixed": {"epochs": 10, "wide": True},
        "search": {"x": {"low": 0.0, "high": 1.0}, "kind": {"choices": ["step", "cosine"]}},
        "data": {"files": []},
    },
}
"""Kind of trainer -> a sound study of it; ``x`` and ``kind`` have other names for the MLP."""

OF_THE_MLP = {"x": "block_size", "kind": "schedule"}

ODD: list[Any] = [
    *(3, -1, 0, 1.5, 10.0, True, "", "x", "10", "a\nb", "{x}", 2**53 + 1, -(2**63)),
    *(math.nan, math.inf, -math.inf),
    *([], [3], ["x"], [[]], [[1, "x"]], [1, "x"], [math.nan], [{}], [{"x": 3}], {}, {"x": 3}, {"x": {}}),
    *({"choices": []}, {"choices": [1, "x"]}, {"low": 1}, {"low": "x", "high": []}),
    datetime.date(2020, 1, 1),
]
"""Values of all kinds that TOML has."""


def named(kind: str, study: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study with the names that its trainer gives the hyperparameters."""
    names = OF_THE_MLP if kind == "mlp" else {}
    sections = {
        key: {names.get(name, name): entry for name, entry in study[key].items()}
        for key in ("fixed", "search")
        if isinstance(study.get(key), Mapping)
    }
    return {**study, **sections}


def write(folder: Path, kind: str, **changes: Any) -> Path:
    """Write a study with some keys changed; ``search__x`` is a key of a section."""
    study = {key: dict(value) if isinstance(value, dict) else value for key, value in STUDIES[kind].items()}
    for place, value in changes.items():
        section, _, name = place.partition("__")
        if name:
            study.setdefault(section, {})[name] = value
        else:
            study[section] = value
    path = folder / "odd.toml"
    path.write_text(tomli_w.dumps(named(kind, study)), "utf-8")
    return path


def refusal(path: Path) -> list[str]:
    """Return the lines of the error about a study file; none if it is sound. Any other error is a failure."""
    try:
        load_study_file(path)
    except SweepError as error:
        caught = error
    else:
        return []
    assert caught.exit_status == 1
    assert caught.lines
    return list(caught.lines)


def places(kind: str) -> list[str]:
    """Return every key of a study file, and some of its sections."""
    task = named_trainer(STUDIES[kind], Path())
    of_sections = ("fixed__epochs", "fixed__x", "search__x", "search__kind", "search__epochs", "data__files")
    ranges = [f"search__x.{key}" for key in ("low", "high", "log", "step", "when", "choices")]
    sections = ("data", "fixed", "search", "trial", "log", "resources", "env", "arguments")
    return list(
        dict.fromkeys([*settings_of(task), *study_keys(task), "command", *sections, *of_sections, *ranges])
    )


@pytest.mark.parametrize("kind", STUDIES)
def test_the_sound_studies_are_sound(kind: str, tmp_path: Path) -> None:
    """Otherwise the tests below would prove nothing."""
    assert refusal(write(tmp_path, kind)) == []


@pytest.mark.parametrize("kind", STUDIES)
def test_any_value_of_any_key_is_taken_or_refused_in_lines(kind: str, tmp_path: Path) -> None:
    """Each line is one line, begins with the file, and nothing but an error of sweep's own is raised."""
    for place in places(kind):
        for value in ODD:
            key, _, inner = place.partition(".")
            changed = {key: {**STUDIES[kind]["search"]["x"], inner: value}} if inner else {key: value}
            path = write(tmp_path, kind, **changed)
            for line in refusal(path):
                assert "\n" not in line, (place, value)
                assert line.startswith(f"{path}: "), (place, value)


PROGRAMS = ["function", "command"]
ALL = [*STUDIES]

MALFORMED: dict[str, tuple[list[str], dict[str, Any], str]] = {
    "search is a number": (ALL, {"search": 3}, "[search] must be a table, got 3"),
    "search is a list of tables": (ALL, {"search": [{"x": 1}]}, "[search] must be a table, got [{"),
    "fixed is a number": (ALL, {"fixed": 3}, "[fixed] must be a table, got 3"),
    "fixed is a list of tables": (ALL, {"fixed": [{"x": 1}]}, "[fixed] must be a table, got [{"),
    "trial is a number": (ALL, {"trial": 3}, "trial must be a list of tables"),
    "trial is a list of numbers": (ALL, {"trial": [3]}, "trial must be a list of tables"),
    "data is a number": (ALL, {"data": 3}, "[data] must be a table, got 3"),
    "resources is a list": (ALL, {"resources": []}, "[resources] must be a table, got []"),
    "log is a number": (ALL, {"log": 3}, "[log] must be a table, got 3"),
    "when is a number": (ALL, {"search__kind": {"choices": ["step", "cosine"], "when": 3}}, ".when must be"),
    "a fixed budget of text": (
        PROGRAMS,
        {"fixed__epochs": "10"},
        "epochs is the budget and must be a whole number of 1 or more, got '10'",
    ),
    "a fixed budget of true": (PROGRAMS, {"fixed__epochs": True}, "must be a whole number of 1 or more"),
    "a fixed budget in a list": (PROGRAMS, {"fixed__epochs": [10]}, "must be a whole number of 1 or more"),
    "a fixed budget of zero": (PROGRAMS, {"fixed__epochs": 0}, "a whole number of 1 or more, got 0"),
    "budgets of text": (
        PROGRAMS,
        {"fixed": {}, "search__epochs": {"choices": ["10", "20"]}},
        "search.epochs is the budget and must be a whole number of 1 or more, got '10'",
    ),
    "budgets of fractions": (
        PROGRAMS,
        {"fixed": {}, "search__epochs": {"choices": [1.5, 3.0]}},
        "search.epochs is the budget and must be a whole number of 1 or more, got 1.5",
    ),
    "budgets of text in a list": (
        PROGRAMS,
        {"fixed": {}, "search": {}, "trial": [{"epochs": "10", "x": 1}, {"epochs": "20", "x": 2}]},
        "epochs is the budget and must be a whole number of 1 or more, got '10'",
    ),
    "a range from nan": (
        PROGRAMS,
        {"search__x": {"low": math.nan, "high": 1.0}},
        "search.x.low must be finite, got nan",
    ),
    "a range to nan": (PROGRAMS, {"search__x": {"low": 0, "high": math.nan}}, "search.x.high must be finite"),
    "a range of nan": (PROGRAMS, {"search__x": {"low": math.nan, "high": math.nan}}, "must be finite"),
    "a range to infinity": (
        PROGRAMS,
        {"search__x": {"low": 0.0, "high": math.inf}},
        "search.x.high must be finite, got inf; a range goes from one number to another",
    ),
    "a range from infinity": (PROGRAMS, {"search__x": {"low": -math.inf, "high": 0}}, ".low must be finite"),
    "a logarithmic range to infinity": (
        PROGRAMS,
        {"search__x": {"low": 1, "high": math.inf, "log": True}},
        "search.x.high must be finite",
    ),
    "a range with a step to infinity": (
        PROGRAMS,
        {"search__x": {"low": 1, "high": math.inf, "step": 1}},
        "search.x.high must be finite",
    ),
    "a range that is too wide": (
        PROGRAMS,
        {"search__x": {"low": -1e308, "high": 1e308}},
        "search.x is too wide",
    ),
    "nan among choices": (PROGRAMS, {"search__x": {"choices": [1.0, math.nan]}}, "nan"),
    "nan in a list among choices": (
        ["function"],
        {"search__x": {"choices": [[1.0], [math.nan]]}},
        "search.x.choices must not be nan",
    ),
    "nan in a list of configurations": (
        PROGRAMS,
        {"search": {}, "trial": [{"x": 1.0}, {"x": math.nan}]},
        "nan",
    ),
    "nan beside text in a list of configurations": (
        ["function"],
        {"search": {}, "trial": [{"x": "a"}, {"x": math.nan}]},
        "[[trial]] number 2: x must not be nan",
    ),
    "infinity in a list of configurations": (
        ["function"],
        {"search": {}, "trial": [{"x": 1.0}, {"x": math.inf}]},
        "[[trial]] number 2: x must be finite, got inf",
    ),
    "a fixed infinity for a command": (
        ["command"],
        {"fixed__clip": math.inf},
        "clip = inf: a command finds its hyperparameters in config.json, and JSON has no such number; "
        'write it as text, "inf"',
    ),
    "a fixed list with an infinity for a command": (
        ["command"],
        {"fixed__clip": [1.0, math.inf]},
        'as text, "inf"',
    ),
    "a fixed nan for a command": (["command"], {"fixed__clip": math.nan}, "clip = nan: a command finds"),
    "an infinite choice for a command": (
        ["command"],
        {"search__clip": {"choices": [1.0, math.inf]}},
        "clip = inf: a command finds",
    ),
    "a listed infinity for a command": (
        ["command"],
        {"search": {}, "trial": [{"x": 1.0}, {"x": math.inf}]},
        "x = inf: a command finds",
    ),
    "a listed value that no token can have": (
        ["command"],
        {"search": {}, "trial": [{"x": [1, 2]}]},
        "x = [1, 2] is a list, which cannot be written here",
    ),
    "a name that is a value and a table": (
        ["command"],
        {"fixed__model": 1, "fixed__model.lr": 0.5},
        "parameter 'model.lr' would be both a value and a table in the configuration file; rename it",
    ),
    "the best report of a function": (
        ["function"],
        {"pick": "best"},
        'pick = "best" is for commands: the value of a function is what it returns',
    ),
    "the best of a metric file": (
        ["command"],
        {"pick": "best", "metric_file": "log.csv"},
        'pick = "best" chooses among the values that a command prints or reports, but metric_file',
    ),
}
"""What is wrong -> kinds of trainer, changed keys, and a part of the line."""


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize(
    ("kind", "wrong"), [(kind, wrong) for wrong, (kinds, *_) in MALFORMED.items() for kind in kinds]
)
def test_a_malformed_file_is_refused_in_one_line(
    kind: str, wrong: str, command: str, folder: Path, capsys: Capture
) -> None:
    """With status 1, before a database is made: what, where, and what to do."""
    _, changes, part = MALFORMED[wrong]
    write(folder, kind, **changes)
    assert main([command, "odd.toml"]) == 1
    written = capsys.readouterr()
    [line] = untitled(written.err)
    assert written.out == ""
    assert line.startswith("sweep: odd.toml: ")
    assert part in line
    assert not (folder / "studies" / "sweep.db").exists()


def test_a_wrong_setting_on_the_command_line_is_refused_in_one_line(folder: Path, capsys: Capture) -> None:
    """What ``--set`` makes of a sound file is checked by the same rules."""
    write(folder, "command")
    for setting, part in (
        ("search=3", "[search] must be a table, got 3"),
        ('fixed.epochs="10"', "epochs is the budget and must be a whole number"),
        ("search.epochs=1.5,3.0", "epochs is the budget and must be a whole number"),
    ):
        assert main(["run", "odd.toml", "--set", setting]) == 1
        [line] = untitled(capsys.readouterr().err)
        assert line.startswith(f"sweep: odd.toml with --set {setting!r}: ")
        assert part in line


def test_choices_of_several_types_may_be_conditions(tmp_path: Path) -> None:
    """Their order is the same however the file spells it, and what is read back is the same condition."""
    found = []
    for values in ([1, "auto"], ["auto", 1]):
        path = write(
            tmp_path,
            "function",
            search__mode={"choices": [1, 2, "auto"]},
            search__rate={"low": 0.0, "high": 1.0, "when": {"mode": values}},
        )
        found.append(load_study_file(path).space.conditions["rate"]["mode"])
    assert found == [(1, "auto")] * 2


@pytest.mark.parametrize("kind", PROGRAMS)
def test_infinity_is_a_value_of_a_function_and_text_is_one_of_a_command(kind: str, tmp_path: Path) -> None:
    """A command that reads its arguments as numbers reads the text as infinity."""
    infinite = math.inf if kind == "function" else "inf"
    path = write(tmp_path, kind, fixed__clip=infinite, search__clip_at={"choices": [1.0, infinite]})
    spec = load_study_file(path)
    assert spec.fixed["clip"] == infinite
    assert spec.space["clip_at"].cells == 2


def test_the_best_report_of_a_function_from_python_is_refused() -> None:
    """By the same rule as in a file; the last report is no choice and may be named."""
    asked: dict[str, Any] = {
        "name": "x",
        "trainer": lambda config: 0.0,
        "search": {"x": {"low": 0, "high": 1}},
    }
    with pytest.raises(StudyFileError, match=r"pick = \"best\" is for commands"):
        sweep.study(**asked, pick="best")
    sweep.study(**asked, pick="last")
