"""A hyperparameter without a default is absent from a configuration where it is not active."""

from typing import Any

import pytest

from sweep.definition.spec import StudySpec
from sweep.definition.study_file import parse_study
from sweep.errors import StudyFileError
from tests.support.toy_package.slopes import SLOPE

SEARCH: dict[str, Any] = {
    "rate": {"low": 0.0, "high": 1.0},
    "kind": {"choices": ["straight", "bent"]},
    "bend": {"low": 0.1, "high": 0.2, "when": {"kind": "bent"}},
}


def spec(**search: Any) -> StudySpec:
    return parse_study({"name": "hill", "sampler": "random", "search": {**SEARCH, **search}}, SLOPE)


def test_what_is_fixed_does_not_hold_it() -> None:
    """Only a proposal that is bent has a bend."""
    assert spec().fixed == {"num_steps": 2_000, "depth": 2}
    straight = spec().config_values({"rate": 0.5, "kind": "straight"})
    assert SLOPE.make_config(straight).to_dict().keys() == {"num_steps", "rate", "depth", "kind", "seed"}


def test_a_condition_on_what_has_no_value_is_refused() -> None:
    """It could never hold."""
    search = {"depth": {"low": 1, "high": 4, "when": {"bend": 0.1}}}
    raw = {"search": {**search, "rate": SEARCH["rate"]}}
    with pytest.raises(StudyFileError, match=r"never holds, because bend has no value; set search\.bend"):
        parse_study({"name": "hill", **raw}, SLOPE)
