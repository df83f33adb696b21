"""What does a study ask for?

A study is one TOML file. It is read, checked completely and only then returned, so nothing
runs on a study that breaks a rule.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from optuna.distributions import FloatDistribution, IntDistribution

from sweep.errors import ConfigError, DataError, StudyFileError
from sweep.search.conditions import describe_condition, parse_conditions
from sweep.search.files import read_toml
from sweep.search.grid import MAX_DECISIONS, n_decisions
from sweep.search.plain import check_plain
from sweep.search.pruners import PRUNERS
from sweep.search.records import COSTS
from sweep.search.resources import parse_resources
from sweep.search.samplers import SAMPLERS
from sweep.search.space import Space, contains, parse_space, space_of_list
from sweep.search.study_spec import DEV_LOSS, StudySpec
from sweep.search.variants import apply_settings, variant_name
from sweep.task.protocol import AUTO, AnyTask

NAME_RULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_SECTIONS = ("data", "fixed", "search", "trial", "log", "resources")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_FOREVER = 1e9


def load_study_file(path: Path | str, task: AnyTask, settings: Sequence[str] = ()) -> StudySpec:
    """Read and check a study file.

    Args:
        path: Of the file.
        task: The trainer.
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
        spec = parse_study(apply_settings(raw, settings), task, default_name=path.stem)
    except (StudyFileError, ConfigError, DataError) as error:
        raise StudyFileError(f"{path}{_with(settings)}: {error}{_way_out(settings, error)}") from error
    return spec.replace(name=variant_name(spec.name, settings)) if settings else spec


def _with(settings: Sequence[str]) -> str:
    return "".join(f" with --set {setting!r}" for setting in settings)


def _way_out(settings: Sequence[str], error: Exception) -> str:
    return "; --set 'trial=[]' leaves the listed ones out" if settings and "[[trial]]" in str(error) else ""


def parse_study(raw: Mapping[str, Any], task: AnyTask, default_name: str = "study") -> StudySpec:
    """Check a study given as plain values; see ``load_study_file``.

    Raises:
        StudyFileError: If a key, a value or a combination of them breaks a rule.
        ConfigError: If a hyperparameter breaks its rule.
        DataError: If the ``[data]`` section does.
    """
    _refuse_unknown(raw, [*_SETTINGS, *_SECTIONS], "at the top level")
    _check_plain(raw)
    named = {"name": default_name, **raw}
    settings = {key: check(key, named[key]) for key, check in _SETTINGS.items() if key in named}
    if len(settings.get("objectives", ())) > 1:
        settings.setdefault("sampler", "tpe")  # the default one minimises one objective
    fixed, search = _table(raw, "fixed"), _table(raw, "search")
    _refuse_unknown(fixed, task.field_types(), "in [fixed]")
    listed, logged = _listed(raw)
    space = parse_space(search, task) or space_of_list(listed, task)
    _check_overlap(fixed, space)
    auto = {name: AUTO for name in task.auto_fields if fixed.get(name) == AUTO}
    known = {name: value for name, value in fixed.items() if name not in auto}
    defaults = {**task.make_config(known).to_dict(), **auto}
    space = Space(space, parse_conditions(search, space, defaults, task))
    if settings.get("sampler") == "grid":
        _check_grid(search, listed, space)
    if settings.get("sampler") != "listed":
        _check_ranges(space, task)
    return StudySpec(
        **settings,
        resources=parse_resources(_table(raw, "resources")),
        data=task.check_data_section(_table(raw, "data")),
        fixed=_complete(defaults, space, task),
        space=space,
        listed=tuple(_check_listed(number, params, space, task) for number, params in enumerate(listed, 1)),
        logged=logged,
        logged_data_sha256=_check_log(_table(raw, "log")),
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


def _check_objectives(key: str, value: object) -> tuple[str, ...]:
    allowed = [[DEV_LOSS], *([DEV_LOSS, cost] for cost in COSTS)]
    if value not in allowed:
        rule = f'["{DEV_LOSS}"], or that and one of {", ".join(COSTS)} after it'
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


_SETTINGS: dict[str, Callable[[str, Any], Any]] = {
    "name": check_name,
    "goal": _check_goal,
    "sampler": _one_of(list(SAMPLERS)),
    "pruner": _one_of(list(PRUNERS)),
    "objectives": _check_objectives,
    "trials": _whole(1, 1_000_000),
    "replicates": _whole(1, 1_000),
    "keep": _whole(0, 1_000_000),
    "timeout": parse_duration,
    "trial_timeout": parse_duration,
    "seed": _whole(0, 2**53 - 1),
}


def _refuse_unknown(table: Mapping[str, Any], known: Sequence[str] | Mapping[str, Any], where: str) -> None:
    for key in table:
        if key not in known:
            raise StudyFileError(f"unknown key {key!r} {where}; known: {', '.join(known)}")


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


def _listed(raw: Mapping[str, Any]) -> tuple[list[dict[str, Any]], tuple[float | None, ...]]:
    """Return the listed configurations and, apart, the loss that a log gives for each."""
    trials = raw.get("trial", [])
    if not isinstance(trials, list) or not all(isinstance(trial, Mapping) for trial in trials):
        raise StudyFileError("listed configurations are written as [[trial]] tables")
    logged = tuple(_check_logged(trial.get("logged")) for trial in trials)
    return [{key: value for key, value in trial.items() if key != "logged"} for trial in trials], logged


def _check_logged(value: object) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= float(str(value)) < float("inf"):
        raise StudyFileError(f"trial.logged must be a loss, at least 0; got {value!r}")
    return float(str(value))


def _check_log(log: Mapping[str, Any]) -> str:
    _refuse_unknown(log, ["data_sha256"], "in [log]")
    sha256 = log.get("data_sha256", "")
    if not isinstance(sha256, str) or not re.fullmatch(r"([0-9a-f]{64})?", sha256):
        raise StudyFileError(f"log.data_sha256 must be 64 hex digits, got {sha256!r}")
    return sha256


def _check_overlap(fixed: Mapping[str, Any], space: Space) -> None:
    for name in space:
        if name in fixed:
            raise StudyFileError(f"{name} stands in [fixed] and is searched as well; keep one of them")
    if not space:
        raise StudyFileError("nothing to search: give ranges in [search], or [[trial]] configurations")


def _check_grid(search: Mapping[str, Any], listed: Sequence[Mapping[str, Any]], space: Space) -> None:
    for name, entry in search.items():
        if "choices" not in entry and "step" not in entry:
            raise StudyFileError(
                f"search.{name} is a range without step; sampler grid needs a step or choices"
            )
    if listed:
        raise StudyFileError("sampler grid runs every cell; remove the [[trial]] configurations")
    if n_decisions(space) > MAX_DECISIONS:
        raise StudyFileError(
            f"sampler grid takes at most {MAX_DECISIONS:,} combinations of hyperparameters that conditions "
            f"need, got {n_decisions(space):,}"
        )


def _check_ranges(space: Space, task: AnyTask) -> None:
    for name, dimension in space.items():
        if isinstance(dimension, (IntDistribution, FloatDistribution)):
            try:
                task.check_range(name, dimension.low, dimension.high)
            except ConfigError as error:
                raise StudyFileError(f"search.{error}") from error


def _complete(values: Mapping[str, Any], space: Space, task: AnyTask) -> dict[str, Any]:
    """Return what every hyperparameter is where it is not searched, or not active."""
    return {
        name: values[name] for name in task.field_types() if name not in space or name in space.conditions
    }


def _check_listed(number: int, params: dict[str, Any], space: Space, task: AnyTask) -> dict[str, Any]:
    where = f"[[trial]] number {number}"
    for name in params:
        if name not in space:
            raise StudyFileError(f"{where} sets {name}, which is not searched; searched: {', '.join(space)}")
    for name in space.asking_order():
        active = space.is_active(name, params)
        if active and name not in params:
            raise StudyFileError(f"{where} lacks {name}, which is searched")
        if not active and name in params:
            needed = describe_condition(space.conditions[name])
            raise StudyFileError(f"{where} sets {name}, which is active only where {needed}")
    try:
        config = task.make_config(params)
    except ConfigError as error:
        raise StudyFileError(f"{where}: {error}") from error
    checked = {name: getattr(config, name) for name in space if name in params}
    for name, value in checked.items():
        if not contains(space[name], value):
            raise StudyFileError(f"{where}: {name} = {value!r} lies outside the search space")
    return checked
