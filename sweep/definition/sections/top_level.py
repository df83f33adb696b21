"""Check the keys at the top level of a study file."""

import functools
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from sweep.definition.registries import PRUNERS, SAMPLERS, check_trainer
from sweep.definition.sections.mistakes import Mistakes
from sweep.errors import OptionError, StudyFileError
from sweep.task import AnyTask, Defined, costs_of
from sweep.values import Toml

NAME_RULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_FOREVER = 1e9


def check_name(key: str, name: object) -> str:
    """Return ``name`` if it can name a study; ``key`` is its key in messages."""
    if not isinstance(name, str) or not NAME_RULE.fullmatch(name):
        rule = "1 to 64 letters, digits, '.', '_' or '-', the first one a letter or digit"
        raise _mistake(key, f"must be {rule}; got {name!r}")
    return name


def parse_duration(key: str, text: object) -> float | None:
    """Turn ``"90s"``, ``"10m"`` or ``"1.5h"`` into seconds, ``"none"`` into None.

    Examples:
        >>> parse_duration("timeout", "10m")
        600.0
    """
    if text == "none":
        return None
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if not match or not 0 < float(match[1]) < _FOREVER:
        raise _mistake(key, f'must be a time above 0 with s, m or h, as "10m", or "none"; got {text!r}')
    return float(match[1]) * _SECONDS[match[2]]


def _mistake(key: str, rule: str) -> StudyFileError | OptionError:
    """Return the error about the value of a key of a study file, or of an option."""
    kind = OptionError if key.startswith("--") else StudyFileError
    return kind(f"{key} {rule}")


def table_of(raw: Mapping[str, Toml], key: str) -> Mapping[str, Toml]:
    """Return a section of a study file; empty if the file has none.

    Raises:
        StudyFileError: If it is no table.
    """
    table = raw.get(key, {})
    if not isinstance(table, Mapping):
        raise StudyFileError(f"[{key}] must be a table, got {table!r}")
    return table


def _check_goal(key: str, value: object) -> str:
    if not isinstance(value, str) or any(unicodedata.category(c) == "Cc" for c in value):
        raise StudyFileError(f"{key} must be one line of text, got {value!r}")
    return value


def _check_objectives(task: AnyTask, key: str, value: Toml) -> tuple[str, ...]:
    metric, costs = task.metric.name, costs_of(task)
    if value not in [[metric], *([metric, cost] for cost in costs)]:
        rule = f'["{metric}"], or that and one of {", ".join(costs)} after it'
        raise StudyFileError(f"{key} must be {rule}; got {value!r}")
    return tuple(value)


def _whole(low: int, high: int) -> Callable[[str, object], int]:
    def check(key: str, value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise StudyFileError(f"{key} must be a whole number from {low} to {high:,}, got {value!r}")
        return value

    return check


def _one_of(names: Sequence[str]) -> Callable[[str, object], str]:
    def check(key: str, value: object) -> str:
        if not isinstance(value, str) or value not in names:
            raise StudyFileError(f"{key} must be one of {', '.join(names)}; got {value!r}")
        return value

    return check


def settings_of(task: AnyTask) -> dict[str, Callable[[str, Toml], Toml]]:
    """Return each key at the top level with its check."""
    return {
        "name": check_name,
        "goal": _check_goal,
        "trainer": check_trainer,
        "sampler": _one_of(list(SAMPLERS)),
        "pruner": _one_of(list(PRUNERS)),
        "objectives": functools.partial(_check_objectives, task),
        "trials": _whole(1, 1_000_000),
        "replicates": _whole(1, 1_000),
        "keep": _whole(0, 1_000_000),
        "timeout": parse_duration,
        "trial_timeout": parse_duration,
        "seed": _whole(0, 2**53 - 1),
    }


def checked_settings(raw: Mapping[str, Toml], task: AnyTask, mistakes: Mistakes) -> dict[str, Toml]:
    """Return the given settings, checked, plus those that depend on the trainer."""
    settings: dict[str, Toml] = {"objectives": (task.metric.name,), "direction": task.metric.direction}
    for key, check in settings_of(task).items():
        if key in raw:
            with mistakes.noted():
                settings[key] = check(key, raw[key])
    if isinstance(task, Defined):
        settings["trainer"] = task.name
    return settings
