"""Check the keys of a study file that functions and commands share.

``read_definition`` splits them into the definition, which belongs to the study's identity, and the
surroundings, which may change from run to run. Keys of only functions or only commands are checked in their
own modules.
"""

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sweep.definition.sections.listed import read_listed
from sweep.definition.sections.mistakes import Mistakes
from sweep.definition.sections.top_level import parse_duration, table_of
from sweep.errors import ConfigError, StudyFileError
from sweep.task import Metric
from sweep.trainers.program.config import SEED, plain_value
from sweep.trainers.program.kept_checkpoint import UPLOAD
from sweep.trainers.program.process.environment import check_env
from sweep.trainers.program.testing.keys import CHECKS, TEST, TEST_COMMAND
from sweep.values import Toml

DIRECTIONS = ("minimize", "maximize")
PICKS = ("last", "best")

_NAME = re.compile(r"[^\0-\x20\x7f=,{}\"'\\-][^\0-\x1f\x7f=,{}\"'\\]{0,199}")


def is_parameter_name(name: str) -> bool:
    """Return whether a hyperparameter can have a name."""
    return _NAME.fullmatch(name) is not None


def _text(key: str, value: Toml) -> str:
    if not isinstance(value, str) or not value or any(ord(c) < 32 for c in value):
        raise StudyFileError(f"{key} must be one line of text, got {value!r}")
    return value


def _one_of(allowed: Sequence[str]) -> Callable[[str, Toml], str]:
    def check(key: str, value: Toml) -> str:
        if value not in allowed:
            raise StudyFileError(f"{key} must be one of {', '.join(allowed)}; got {value!r}")
        return str(value)

    return check


def _number(key: str, value: Toml) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise StudyFileError(f"{key} must be a number, got {value!r}")
    return float(value)


def _positive(key: str, value: Toml) -> float:
    if _number(key, value) <= 0:
        raise StudyFileError(f"{key} must be above 0, got {value!r}")
    return float(value)


def _bounds(key: str, value: Toml) -> dict[str, dict[str, float]]:
    """Return ``value`` if it is a table of bounds: figure -> ``min``, ``max`` or both."""
    if not isinstance(value, Mapping) or not value:
        raise StudyFileError(
            f"{key} must be a table of bounds, such as {{ latency_ms = {{ max = 20 }} }}, got {value!r}"
        )
    checked = {}
    for name, ends in value.items():
        if not isinstance(ends, Mapping) or not ends or not ends.keys() <= {"min", "max"}:
            raise StudyFileError(f"{key}.{name} must have min, max or both, as {{ max = 20 }}, got {ends!r}")
        checked[name] = {end: _number(f"{key}.{name}.{end}", bound) for end, bound in ends.items()}
        if checked[name].get("min", -math.inf) > checked[name].get("max", math.inf):
            raise StudyFileError(f"{key}.{name}: min is above max, so no trial is feasible")
    return checked


def yes_or_no(key: str, value: Toml) -> bool:
    """Return ``value`` if it is true or false."""
    if type(value) is not bool:
        raise StudyFileError(f"{key} must be true or false, got {value!r}")
    return value


def _grace(key: str, value: Toml) -> float:
    """Return the seconds of a grace period; 0 for ``"0s"`` and ``"none"``."""
    return 0.0 if value == "0s" else parse_duration(key, value) or 0.0


def _names(key: str, value: Toml) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise StudyFileError(f'{key} must be a list of names, such as ["WANDB_API_KEY"], got {value!r}')
    return value


DEFINING: dict[str, Callable[[str, Toml], Toml]] = {
    "metric": _text,
    "direction": _one_of(DIRECTIONS),
    "unit": _text,
    "matters": _positive,
    "diverged": _number,
    "feasible": _bounds,
    "pick": _one_of(PICKS),
    "budget": _text,
    "step": _text,
    "seeds": _text,
    "checkpoint": yes_or_no,
    **CHECKS,
}
"""Keys of both kinds that belong to the study's identity -> check."""

SURROUNDING: dict[str, Callable[[str, Toml], Toml]] = {
    "cwd": _text,
    "grace": _grace,
    "quiet": parse_duration,
    "env": lambda key, value: check_env(value),
    "secrets": _names,
    UPLOAD: yes_or_no,
}
"""Keys of both kinds that may change from run to run -> check."""

PARAMETERS = "parameters"
"""Key of a definition: name -> kind of each hyperparameter, in file order."""

SEARCHED = "searched"
"""Key of a definition: the names of the searched hyperparameters."""


def read_definition(
    raw: Mapping[str, Toml],
    here: Path,
    defining: Mapping[str, Callable[[str, Toml], Toml]],
    surrounding: Mapping[str, Callable[[str, Toml], Toml]],
) -> tuple[dict[str, Toml], dict[str, Toml]]:
    """Check the keys of a study file that define a program.

    Args:
        raw: The file's values.
        here: The file's folder.
        defining: Further keys of one kind of program that belong to the study's identity.
        surrounding: Further keys of one kind of program that may change from run to run.

    Returns:
        The definition and the surroundings.

    Raises:
        StudyFileError: With a line for each mistake.
    """
    mistakes = Mistakes()
    definition = _checked(raw, {**DEFINING, **defining}, mistakes)
    surroundings = _checked(raw, {**SURROUNDING, **surrounding}, mistakes)
    with mistakes.noted():
        definition |= {PARAMETERS: _parameters(raw), SEARCHED: _searched(raw)}
        _check_budget(definition, raw)
    with mistakes.noted():
        if TEST in raw and TEST_COMMAND in raw:
            raise StudyFileError(f"{TEST} and {TEST_COMMAND} exclude each other; remove one of them")
    mistakes.refuse()
    return definition, {**surroundings, "here": os.path.abspath(here), "start": os.getcwd()}


def joined_definition(first: Mapping[str, Toml], second: Mapping[str, Toml]) -> dict[str, Toml]:
    """Return a definition with the hyperparameters of two that are otherwise the same.

    A hyperparameter of two kinds may have any value. Raises ``ConfigError`` if they differ in another key.
    """
    if other := [k for k in {*first, *second} - {PARAMETERS, SEARCHED} if first.get(k) != second.get(k)]:
        raise ConfigError(f"the configurations are of different programs: {', '.join(sorted(other))} differ")
    kinds, others = first.get(PARAMETERS, {}), second.get(PARAMETERS, {})
    joined = {**kinds, **others}
    for name in kinds.keys() & others.keys():
        joined[name] = kinds[name] if kinds[name] == others[name] else "any"
    searched = list(dict.fromkeys([*first.get(SEARCHED, ()), *second.get(SEARCHED, ())]))
    return {**second, PARAMETERS: joined, SEARCHED: searched}


def _checked(
    raw: Mapping[str, Toml], checks: Mapping[str, Callable[[str, Toml], Toml]], mistakes: Mistakes
) -> dict[str, Toml]:
    checked = {}
    for key, check in checks.items():
        if key in raw:
            with mistakes.noted():
                checked[key] = check(key, raw[key])
    return checked


def _parameters(raw: Mapping[str, Toml]) -> dict[str, str]:
    """Return the kind of each hyperparameter of [fixed], [search] and [[trial]]."""
    mistakes, kinds = Mistakes(), dict[str, str]()
    for section in ("fixed", "search"):
        for name, entry in table_of(raw, section).items():
            with mistakes.noted():
                _check_parameter(section, name, entry)
                kinds[name] = _kind(entry) if section == "search" else _kind_of_values([entry])
    for name, values in listed_values(raw).items():
        kinds.setdefault(name, _kind_of_values(values))
    mistakes.refuse()
    return kinds


def _searched(raw: Mapping[str, Toml]) -> list[str]:
    return list(dict.fromkeys([*table_of(raw, "search"), *listed_values(raw)]))


def _check_parameter(section: str, name: str, entry: Toml) -> None:
    if name == SEED:
        raise StudyFileError(
            f"{section}.{SEED} cannot be set: each trial has its own seed; seeds = {SEED!r} at the top "
            "level passes it under this name"
        )
    if not is_parameter_name(name):
        raise StudyFileError(f"{section}: {name!r} cannot be the name of a hyperparameter")
    if section == "fixed":
        if isinstance(entry, Mapping):
            raise StudyFileError(
                f'fixed.{name} is a table; quote a name with a dot: write "{name}.x" instead of {name}.x'
            )
        _plain(f"fixed.{name}", entry)


def _plain(key: str, value: Toml) -> None:
    try:
        plain_value(key, value)
    except ConfigError as error:
        raise StudyFileError(*error.lines) from error


def _kind(entry: Toml) -> str:
    """Return the kind of an entry of [search]: whole numbers if both ends are whole numbers."""
    if not isinstance(entry, Mapping) or "choices" in entry:
        return "any"
    ends = [entry.get("low"), entry.get("high")]
    return "int" if all(type(end) is int for end in ends) else "float"


def _kind_of_values(values: Sequence[Toml]) -> str:
    if all(type(value) is int for value in values):
        return "int"
    return "float" if all(type(value) in (int, float) for value in values) else "any"


def listed_values(raw: Mapping[str, Toml]) -> dict[str, list[Toml]]:
    """Return the values that [[trial]] tables give each hyperparameter."""
    found: dict[str, list[Toml]] = {}
    for trial in read_listed(raw.get("trial", []))[0]:
        for name, value in trial.items():
            found.setdefault(name, []).append(value)
    return found


def _check_budget(definition: Mapping[str, Toml], raw: Mapping[str, Toml]) -> None:
    budget = definition.get("budget")
    if budget is None:
        if raw.get("pruner", "none") != "none":
            raise StudyFileError(
                f"pruner {raw['pruner']} compares trials at fractions of their length; budget must name the "
                'hyperparameter that is the length, such as budget = "epochs"'
            )
        return
    kind = definition.get(PARAMETERS, {}).get(budget)
    if kind is None:
        raise StudyFileError(f"budget names {budget!r}, which is neither in [fixed] nor in [search]")
    if kind == "float":
        raise StudyFileError(f"budget {budget!r} must be a whole number")


def metric_of(definition: Mapping[str, Toml]) -> Metric:
    """Return the metric that a definition names."""
    name = definition.get("metric", "value")
    return Metric(
        name=name,
        label=name,
        unit=definition.get("unit", ""),
        matters=definition.get("matters"),
        diverged=definition.get("diverged"),
        direction=definition.get("direction", "minimize"),
    )


def limits_of(definition: Mapping[str, Toml]) -> list[str]:
    """Return the missing capabilities of a program, each with its consequence."""
    lacks = {
        "budget": "no budget: no trial is pruned",
        "matters": "no matters: confirm needs --delta",
        "checkpoint": "no checkpoint: an interrupted trial starts again from its beginning, with its seed",
    }
    found = [text for key, text in lacks.items() if not definition.get(key)]
    tokens = [str(token) for token in definition.get("command", ())]
    if tokens and "seeds" not in definition and not any("{seed}" in token for token in tokens):
        found.append("no {seed} in the command and no seeds: the script finds its seed only in SWEEP_SEED")
    return [*found, "no test split: sweep test has nothing to evaluate"]
