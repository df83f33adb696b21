"""Read and check a study file: one TOML file, checked completely before anything runs.

The sections with more rules have a module each in ``sections``.
"""

import functools
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sweep.definition.grid import MAX_DECISIONS, n_decisions
from sweep.definition.plain import check_plain
from sweep.definition.records import costs_of
from sweep.definition.registries import PRUNERS, SAMPLERS, check_trainer, named_trainer
from sweep.definition.resources import Resources, parse_resources
from sweep.definition.sections.listed import NONE_LISTED, check_listed, read_listed
from sweep.definition.sections.mistakes import Mistakes, refuse_all
from sweep.definition.sections.search import check_ranges, parse_space, space_of_list
from sweep.definition.sections.toml_files import read_toml
from sweep.definition.sections.when import parse_conditions
from sweep.definition.space import Space
from sweep.definition.spec import StudySpec
from sweep.definition.variants import apply_settings, variant_name
from sweep.errors import ConfigError, DataError, StudyFileError
from sweep.spelling import unknown
from sweep.task import AUTO, AnyTask, Defined, auto_fields, definition_of, study_keys, surroundings_of

NAME_RULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_SECTIONS = ("data", "fixed", "search", "trial", "log", "resources")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_FOREVER = 1e9

_EMPTY: Any = {}


def load_study_file(path: Path | str, task: AnyTask | None = None, settings: Sequence[str] = ()) -> StudySpec:
    """Read and check a study file.

    Args:
        path: Of the file.
        task: The trainer; None is the one that the file names.
        settings: Changes ``KEY=VALUE`` that make a variant of it; see ``variants``.

    Raises:
        StudyFileError: With the file, the key, the value and the rule.
    """
    path = Path(path)
    try:
        raw = read_toml(path)
    except FileNotFoundError as error:
        raise StudyFileError(
            f"study file {path} does not exist; `sweep init DIR` lays out examples"
        ) from error
    except OSError as error:
        raise StudyFileError(f"study file {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise StudyFileError(f"{path}: {error}") from error
    try:
        fields = (task or named_trainer(raw, path.parent)).field_types()
        raw = apply_settings(raw, settings, fields)
        spec = parse_study(raw, task or named_trainer(raw, path.parent), default_name=path.stem)
    except (StudyFileError, ConfigError, DataError) as error:
        where = f"{path}{_with(settings)}: "
        raise StudyFileError(*(f"{where}{line}{_way_out(settings, line)}" for line in error.lines)) from error
    return spec.replace(name=variant_name(spec.name, settings)) if settings else spec


def _with(settings: Sequence[str]) -> str:
    return "".join(f" with --set {setting!r}" for setting in settings)


def _way_out(settings: Sequence[str], line: str) -> str:
    return "; --set 'trial=[]' leaves the listed ones out" if settings and "[[trial]]" in line else ""


def parse_study(raw: Mapping[str, Any], task: AnyTask, default_name: str = "study") -> StudySpec:
    """Check a study given as plain values; see ``load_study_file``.

    Raises:
        StudyFileError: If a key, a value or a combination of them breaks a rule.
        ConfigError: If a hyperparameter breaks its rule.
        DataError: If the ``[data]`` section does.
    """
    _check_plain(raw)
    mistakes = Mistakes()
    raw = {key: value for key, value in raw.items() if key not in study_keys(task)}
    with mistakes.noted():
        _refuse_unknown_keys(raw, task)
    tables = {key: mistakes.check(_EMPTY, _table, raw, key) for key in _SECTIONS if key != "trial"}
    settings = _checked_settings({"name": default_name, **raw}, task, mistakes)
    if isinstance(task, Defined):
        settings["trainer"] = task.name
    parts = _checked_parts(tables, task, mistakes)
    defaults = mistakes.check(_EMPTY, _fixed_values, tables["fixed"], task)
    listed, logged = mistakes.check(NONE_LISTED, read_listed, raw.get("trial", []))
    space = mistakes.check(Space({}), _dimensions, tables, listed, task)
    mistakes.refuse()
    if not space:
        raise StudyFileError("nothing to search: give ranges in [search], or [[trial]] configurations")
    space = Space(space, parse_conditions(tables["search"], space, defaults, task))
    if settings.get("sampler") == "grid":
        mistakes.check(None, _check_grid, tables["search"], listed, space)
    if settings.get("sampler") != "listed":
        mistakes.check(None, check_ranges, space, task)
    trials = [
        mistakes.check(_EMPTY, check_listed, number, params, space, task)
        for number, params in enumerate(listed, 1)
    ]
    mistakes.refuse()
    return StudySpec(
        **settings,
        **parts,
        program=definition_of(task),
        surroundings=surroundings_of(task),
        fixed=_complete(defaults, space, task),
        space=space,
        listed=tuple(trials),
        logged=logged,
    )


def check_name(key: str, name: object) -> str:
    """Return ``name`` if it can name a study; ``key`` is where it was given."""
    if not isinstance(name, str) or not NAME_RULE.fullmatch(name):
        rule = "1 to 64 letters, digits, '.', '_' or '-', the first one a letter or digit"
        raise StudyFileError(f"{key} must be {rule}; got {name!r}")
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
        raise StudyFileError(
            f'{key} must be a time above 0 with s, m or h, as "10m", or "none"; got {text!r}'
        )
    return float(match[1]) * _SECONDS[match[2]]


def _check_goal(key: str, value: object) -> str:
    if not isinstance(value, str) or any(unicodedata.category(c) == "Cc" for c in value):
        raise StudyFileError(f"{key} must be one line of text, got {value!r}")
    return value


def _check_objectives(task: AnyTask, key: str, value: Any) -> tuple[str, ...]:
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


def _settings_of(task: AnyTask) -> dict[str, Callable[[str, Any], Any]]:
    """Return the keys at the top level, each with its check."""
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


def _checked_settings(raw: Mapping[str, Any], task: AnyTask, mistakes: Mistakes) -> dict[str, Any]:
    settings: dict[str, Any] = {"objectives": (task.metric.name,), "direction": task.metric.direction}
    for key, check in _settings_of(task).items():
        if key in raw:
            with mistakes.noted():
                settings[key] = check(key, raw[key])
    if len(settings["objectives"]) > 1:
        settings.setdefault("sampler", "tpe")  # the default one minimises one objective
    return settings


def _checked_parts(
    tables: Mapping[str, Mapping[str, Any]], task: AnyTask, mistakes: Mistakes
) -> dict[str, Any]:
    """Return what the sections that do not depend on the search space become."""
    return {
        "resources": mistakes.check(Resources(), parse_resources, tables["resources"]),
        "data": mistakes.check(_EMPTY, task.check_data_section, tables["data"]),
        "logged_data_sha256": mistakes.check("", _check_log, tables["log"]),
    }


def _refuse_unknown_keys(raw: Mapping[str, Any], task: AnyTask) -> None:
    known = [*_settings_of(task), *_SECTIONS]
    named = [*known, *sorted(set(study_keys(task)) - set(known))]
    refuse_all(_unknown_key(key, named, task) for key in raw if key not in known)


def _unknown_key(key: str, known: Sequence[str], task: AnyTask) -> str:
    if key in task.field_types():
        return f"{key} is a hyperparameter: write fixed.{key}, or search.{key} for a range or choices"
    return unknown(f"key {key!r} at the top level", key, known)


def _check_plain(raw: Mapping[str, Any]) -> None:
    try:
        check_plain(raw)
    except ValueError as error:
        raise StudyFileError(str(error)) from error


def _table(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = raw.get(key, {})
    if not isinstance(table, Mapping):
        raise StudyFileError(f"[{key}] must be a table, got {table!r}")
    return table


def _check_log(log: Mapping[str, Any]) -> str:
    refuse_all(unknown(f"key {key!r} in [log]", key, ["data_sha256"]) for key in log if key != "data_sha256")
    sha256 = log.get("data_sha256", "")
    if not isinstance(sha256, str) or not re.fullmatch(r"([0-9a-f]{64})?", sha256):
        raise StudyFileError(f"log.data_sha256 must be 64 hex digits, got {sha256!r}")
    return sha256


def _fixed_values(fixed: Mapping[str, Any], task: AnyTask) -> dict[str, Any]:
    """Return every hyperparameter as [fixed] or its default has it."""
    mistakes = Mistakes()
    found = {name: value for name, value in fixed.items() if value == AUTO and name in auto_fields(task)}
    known = {name: value for name, value in fixed.items() if name not in found}
    for name, value in known.items():
        mistakes.check(None, _check_fixed, name, value, task)
    mistakes.refuse()
    return {**task.make_config(known).to_dict(), **found}


def _check_fixed(name: str, value: Any, task: AnyTask) -> None:
    if name not in task.field_types():
        raise StudyFileError(unknown(f"key {name!r} in [fixed]", name, task.field_types()))
    task.make_config({name: value})


def _dimensions(
    tables: Mapping[str, Mapping[str, Any]], listed: Sequence[dict[str, Any]], task: AnyTask
) -> Space:
    space = parse_space(tables["search"], task) or space_of_list(listed, task)
    refuse_all(
        f"{name} is in [fixed] and is searched as well; keep one of them"
        for name in space
        if name in tables["fixed"]
    )
    return space


def _check_grid(search: Mapping[str, Any], listed: Sequence[Mapping[str, Any]], space: Space) -> None:
    refuse_all(
        f"search.{name} is a range without step; sampler grid needs a step or choices"
        for name, entry in search.items()
        if "choices" not in entry and "step" not in entry
    )
    if listed:
        raise StudyFileError("sampler grid runs every cell; remove the [[trial]] configurations")
    if n_decisions(space) > MAX_DECISIONS:
        raise StudyFileError(
            f"sampler grid takes at most {MAX_DECISIONS:,} combinations of hyperparameters that conditions "
            f"need, got {n_decisions(space):,}"
        )


def _complete(values: Mapping[str, Any], space: Space, task: AnyTask) -> dict[str, Any]:
    """Return what every hyperparameter that has a default is where it is not searched, or not active."""
    return {
        name: values[name]
        for name in task.field_types()
        if name in values and (name not in space or name in space.conditions)
    }
