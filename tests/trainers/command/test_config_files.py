"""Configuration files: what a program reads back, with the libraries that programs use."""

import json
import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sweep.errors import StudyFileError
from sweep.trainers.command.config_files import WRITERS, config_bytes, nested, write_config

READERS = {"json": json.loads, "yaml": yaml.safe_load, "toml": tomllib.loads}

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalar = st.one_of(
    text, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
parameters = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="."), min_size=1, max_size=10),
    st.one_of(scalar, st.lists(scalar, max_size=3), st.lists(st.lists(scalar, max_size=2), max_size=2)),
    max_size=5,
)


@pytest.mark.parametrize("kind", WRITERS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=parameters)
def test_a_file_is_read_back(kind: str, values: dict[str, Any], tmp_path: Path) -> None:
    """Equal values of equal types, whatever the names and texts hold."""
    path = write_config(tmp_path, kind, values)
    assert path == tmp_path / f"config.{kind}"
    found = READERS[kind](path.read_text("utf-8") if kind != "json" else path.read_bytes())
    assert found == values
    assert repr(found) == repr(values)


@pytest.mark.parametrize("kind", WRITERS)
def test_dotted_names_are_paths(kind: str) -> None:
    """A name with dots lies in tables."""
    values = {"seed": 1, "model.lr": 1e-05, "model.layers.depth": 2, "data": "a b"}
    assert READERS[kind](config_bytes(kind, values).decode()) == {
        "seed": 1,
        "model": {"lr": 1e-05, "layers": {"depth": 2}},
        "data": "a b",
    }


def test_yaml_for_other_readers() -> None:
    """A float has a dot, and words that YAML 1.1 takes for booleans are in quotation marks."""
    values = {"lr": 1e-05, "on": "no", "big": 1e22, "m.y": 1, "empty": {}, "inf": math.inf}
    assert config_bytes("yaml", values).decode() == (
        'lr: 1.0e-05\n"on": "no"\nbig: 1.0e+22\nm:\n  "y": 1\nempty: {}\n"inf": .inf\n'
    )
    assert config_bytes("yaml", {}) == b"{}\n"


@pytest.mark.parametrize("kind", ["yaml", "toml"])
def test_infinity_and_nan(kind: str) -> None:
    """YAML and TOML have forms for them; JSON has none."""
    found = READERS[kind](config_bytes(kind, {"a": math.inf, "b": -math.inf, "c": math.nan}).decode())
    assert (found["a"], found["b"]) == (math.inf, -math.inf)
    assert math.isnan(found["c"])


@pytest.mark.parametrize(
    ("kind", "values", "rule"),
    [
        ("json", {"a": math.inf}, "config.json cannot contain the parameters"),
        ("toml", {"a": None}, "config.toml cannot contain the parameters"),
        ("yaml", {"a": object()}, "cannot express a value of type object"),
        ("yaml", {"a": "\ud800"}, "UTF-8"),
        ("json", {"a": "\ud800"}, "UTF-8"),
        ("toml", {"a": "\ud800"}, "UTF-8"),
        ("json", {"a": 1, "a.b": 2}, "both a value and a table"),
        ("json", {"a.b": 2, "a": 1}, "both a value and a table"),
        ("json", {"a.b.c": 2, "a.b": 1}, "both a value and a table"),
    ],
)
def test_refused(kind: str, values: dict[str, Any], rule: str, tmp_path: Path) -> None:
    """One line, and no file."""
    with pytest.raises(StudyFileError, match=rule):
        write_config(tmp_path, kind, values)
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    """A program's earlier trick does not reach a file outside."""
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "trial"
    folder.mkdir()
    (folder / "config.json").symlink_to(outside)
    write_config(folder, "json", {"a": 1})
    assert outside.read_text() == "mine"
    assert json.loads((folder / "config.json").read_text()) == {"a": 1}


def test_nested_refuses_nothing_else() -> None:
    """Tables that are values stay values."""
    assert nested({"a": {"b": 1}, "c.d": [1]}) == {"a": {"b": 1}, "c": {"d": [1]}}
