"""Values that a trainer refuses together are refused before a trial begins."""

import re
from pathlib import Path
from typing import Any

import pytest

from sweep.cli import main
from sweep.definition.spec import StudySpec
from sweep.definition.study_file import parse_study
from sweep.errors import StudyFileError
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.trainer import MLP

OPTIMIZER = {"choices": ["sgd", "adamw"]}
RATE = {"low": 0.01, "high": 0.1}
REASON = "momentum must be 0 with optimizer adamw, which has beta1 instead, got 0.9"


def parse(search: dict[str, Any], **raw: Any) -> StudySpec:
    return parse_study({"search": search} | raw, MLP)


@pytest.mark.parametrize(
    "momentum",
    [{"low": 0.0, "high": 0.9}, {"choices": [0.0, 0.9]}, {"choices": [0.9]}],
)
def test_values_that_exclude_each_other_are_refused(momentum: dict[str, Any]) -> None:
    """The message has both values, the trainer's reason, and which of them needs a condition."""
    message = (
        f"[search] allows momentum = 0.9 with optimizer = adamw: {REASON}; "
        "give search.momentum a condition on optimizer (when)"
    )
    with pytest.raises(StudyFileError, match=re.escape(message)):
        parse({"optimizer": OPTIMIZER, "momentum": momentum, "learning_rate": RATE})


def test_a_condition_keeps_them_apart() -> None:
    """With the condition that the message asks for, each configuration that can be drawn is accepted."""
    momentum = {"low": 0.0, "high": 0.9, "when": {"optimizer": "sgd"}}
    spec = parse({"optimizer": OPTIMIZER, "momentum": momentum})
    drawn = [spec.space.point_at(unit) for unit in (0.0, 0.3, 0.6, 0.99)]
    configs = [TrainConfig.from_dict(spec.config_values(params)) for params in drawn]
    assert {config.optimizer for config in configs} == {"sgd", "adamw"}
    assert all(config.momentum == 0 for config in configs if config.optimizer == "adamw")


def test_a_condition_on_something_else_does_not() -> None:
    """A value that is tried with all that its own condition needs still meets the other one."""
    momentum = {"low": 0.0, "high": 0.9, "when": {"schedule": "step"}}
    search = {"optimizer": OPTIMIZER, "schedule": {"choices": ["cosine", "step"]}, "momentum": momentum}
    with pytest.raises(StudyFileError, match=r"momentum = 0\.9 with optimizer = adamw"):
        parse(search)


@pytest.mark.parametrize(
    ("fixed", "search", "message"),
    [
        ({"optimizer": "adamw"}, {"momentum": {"low": 0.0, "high": 0.9}}, "allows momentum = 0.9: momentum"),
        ({"momentum": 0.9}, {"optimizer": OPTIMIZER}, "allows optimizer = adamw: momentum must be 0"),
    ],
)
def test_a_searched_value_must_suit_the_fixed_ones(
    fixed: dict[str, Any], search: dict[str, Any], message: str
) -> None:
    """The message names the searched one."""
    with pytest.raises(StudyFileError, match=re.escape(message)):
        parse(search, fixed=fixed)


def test_a_rate_that_is_found_is_not_tried() -> None:
    """``auto`` is no value of a configuration."""
    spec = parse({"optimizer": OPTIMIZER}, fixed={"learning_rate": "auto"})
    assert spec.auto == ("learning_rate",)


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_command_refuses_before_anything_is_trained(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit status 1, and no database."""
    study = tmp_path / "both.toml"
    study.write_text(
        '[search]\noptimizer = { choices = ["sgd", "adamw"] }\nmomentum = { low = 0.0, high = 0.9 }\n'
    )
    assert main([command, str(study), "--storage", f"sqlite:///{tmp_path / 'both.db'}"]) == 1
    assert REASON in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["both.toml"]
