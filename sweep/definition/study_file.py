"""Read and check a study file, one TOML file, completely before anything runs.

The larger sections have a module each in ``sections``.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sweep.definition.editor_schema.keys import TRAINERS
from sweep.definition.grid import MAX_DECISIONS, n_decisions
from sweep.definition.plain import check_plain
from sweep.definition.registries import named_trainer
from sweep.definition.resources import Resources, parse_resources
from sweep.definition.sections.listed import NONE_LISTED, check_listed, read_listed
from sweep.definition.sections.mistakes import Mistakes, refuse_all
from sweep.definition.sections.search import check_ranges, parse_space, space_of_list
from sweep.definition.sections.together import check_together
from sweep.definition.sections.toml_files import read_toml
from sweep.definition.sections.top_level import checked_settings, settings_of, table_of
from sweep.definition.sections.when import parse_conditions
from sweep.definition.space import Space
from sweep.definition.spec import StudySpec
from sweep.definition.variants import apply_settings, variant_name
from sweep.errors import ConfigError, DataError, OptionError, StudyFileError
from sweep.spelling import did_you_mean, unknown
from sweep.task import AUTO, PROGRAMS, AnyTask, auto_fields, definition_of, study_keys, surroundings_of
from sweep.values import Params, Toml, Value

_SECTIONS = ("data", "fixed", "search", "trial", "log", "resources")
_EMPTY: Any = {}


def load_study_file(path: Path | str, task: AnyTask | None = None, settings: Sequence[str] = ()) -> StudySpec:
    """Read and check a study file.

    Args:
        path: Path of the file.
        task: The trainer; None for the one that the file names.
        settings: Changes ``KEY=VALUE`` that make a variant of the study; see ``variants``.

    Raises:
        StudyFileError: With the file, the key, the value and the rule.
        OptionError: If a change is malformed.
    """
    path = Path(path)
    try:
        raw = read_toml(path)
    except FileNotFoundError as error:
        raise StudyFileError(f"study file {path} does not exist; {_way_to_one(path)}") from error
    except OSError as error:
        raise StudyFileError(f"study file {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise StudyFileError(f"{path}: {error}") from error
    try:
        fields = (task or named_trainer(raw, path.parent)).field_types()
        raw = apply_settings(raw, settings, fields)
        spec = parse_study(raw, task or named_trainer(raw, path.parent), default_name=path.stem)
    except OptionError:
        raise  # it names the setting, which the file does not hold
    except (StudyFileError, ConfigError, DataError) as error:
        where = f"{path}{_with(settings)}: "
        raise StudyFileError(*(f"{where}{line}{_way_out(settings, line)}" for line in error.lines)) from error
    return spec.replace(name=variant_name(spec.name, settings)) if settings else spec


def _way_to_one(path: Path) -> str:
    """Return which file beside a missing one is probably meant, or how to get one."""
    beside = sorted(other.name for other in path.parent.glob(f"*{path.suffix}"))
    return did_you_mean(path.name, beside) or "`sweep init DIR` writes examples"


def _with(settings: Sequence[str]) -> str:
    return "".join(f" with --set {setting!r}" for setting in settings)


def _way_out(settings: Sequence[str], line: str) -> str:
    return "; --set 'trial=[]' removes the listed configurations" if settings and "[[trial]]" in line else ""


def parse_study(raw: Mapping[str, Toml], task: AnyTask, default_name: str = "study") -> StudySpec:
    """Check a study, given as plain values; see ``load_study_file``.

    Raises:
        StudyFileError: If a key, a value or a combination of them breaks a rule.
        ConfigError: If a hyperparameter breaks its rule.
        DataError: If the ``[data]`` section breaks a rule.
    """
    _check_plain(raw)
    _refuse_without_program(raw, task)
    mistakes = Mistakes()
    raw = {key: value for key, value in raw.items() if key not in study_keys(task)}
    with mistakes.noted():
        _refuse_unknown_keys(raw, task)
    tables = {key: mistakes.check(_EMPTY, table_of, raw, key) for key in _SECTIONS if key != "trial"}
    settings = checked_settings({"name": default_name, **raw}, task, mistakes)
    parts = _checked_parts(tables, task, mistakes)
    defaults = mistakes.check(_EMPTY, _fixed_values, tables["fixed"], task)
    listed, logged = mistakes.check(NONE_LISTED, read_listed, raw.get("trial", []))
    space = mistakes.check(Space({}), _dimensions, tables, listed, task)
    mistakes.refuse()
    if not space:
        raise StudyFileError("nothing to search: write ranges in [search], or [[trial]] configurations")
    space = Space(space, parse_conditions(tables["search"], space, defaults, task))
    trials = _checked_trials(settings.get("sampler"), tables["search"], listed, space, task)
    if settings.get("sampler") != "listed":
        check_together(space, defaults, task)
    return StudySpec(
        **settings,
        **parts,
        program=definition_of(task),
        surroundings=surroundings_of(task),
        fixed=_complete(defaults, space, task),
        space=space,
        listed=trials,
        logged=logged,
    )


def _checked_trials(
    sampler: str | None,
    search: Mapping[str, Toml],
    listed: Sequence[dict[str, Value]],
    space: Space,
    task: AnyTask,
) -> tuple[dict[str, Value], ...]:
    """Return the listed configurations; refuse those that the sampler does not support."""
    mistakes = Mistakes()
    if sampler == "grid":
        mistakes.check(None, _check_grid, search, listed, space)
    if sampler != "listed":
        mistakes.check(None, check_ranges, space, task)
    trials = [
        mistakes.check(_EMPTY, check_listed, number, params, space, task)
        for number, params in enumerate(listed, 1)
    ]
    mistakes.refuse()
    return tuple(trials)


def _checked_parts(
    tables: Mapping[str, Mapping[str, Toml]], task: AnyTask, mistakes: Mistakes
) -> dict[str, Toml]:
    """Return the fields of the sections that do not depend on the search space."""
    return {
        "resources": mistakes.check(Resources(), parse_resources, tables["resources"]),
        "data": mistakes.check(_EMPTY, task.check_data_section, tables["data"]),
        "logged_data_sha256": mistakes.check("", _check_log, tables["log"]),
    }


def _refuse_without_program(raw: Mapping[str, Toml], task: AnyTask) -> None:
    """Refuse keys of a user's program in a file that names no program, in one line."""
    unknown_keys = [key for key in raw if key not in {*settings_of(task), *_SECTIONS}]
    if not unknown_keys or study_keys(task) or "trainer" in raw:
        return
    of_programs = {key for kind in PROGRAMS if kind in TRAINERS for key in TRAINERS[kind].keys}
    if keys := [key for key in unknown_keys if key in of_programs]:
        raise StudyFileError(
            f"{', '.join(keys)}: only for training code of your own, but the file has neither trainer nor "
            'command; add trainer = "module:function" or command = ["python", "train.py", "{args}"]'
        )


def _refuse_unknown_keys(raw: Mapping[str, Toml], task: AnyTask) -> None:
    known = [*settings_of(task), *_SECTIONS]
    named = [*known, *sorted(set(study_keys(task)) - set(known))]
    refuse_all(_unknown_key(key, named, task) for key in raw if key not in known)


def _unknown_key(key: str, known: Sequence[str], task: AnyTask) -> str:
    if key in task.field_types():
        return f"{key} is a hyperparameter: write fixed.{key}, or search.{key} for a range or choices"
    return unknown(f"key {key!r} at the top level", key, known)


def _check_plain(raw: Mapping[str, Toml]) -> None:
    try:
        check_plain(raw)
    except ValueError as error:
        raise StudyFileError(str(error)) from error


def _check_log(log: Mapping[str, Toml]) -> str:
    refuse_all(unknown(f"key {key!r} in [log]", key, ["data_sha256"]) for key in log if key != "data_sha256")
    sha256 = log.get("data_sha256", "")
    if not isinstance(sha256, str) or not re.fullmatch(r"([0-9a-f]{64})?", sha256):
        raise StudyFileError(f"log.data_sha256 must be 64 hex digits, got {sha256!r}")
    return sha256


def _fixed_values(fixed: Params, task: AnyTask) -> dict[str, Value]:
    """Return every hyperparameter with its value in [fixed] or its default."""
    mistakes = Mistakes()
    found = {name: value for name, value in fixed.items() if value == AUTO and name in auto_fields(task)}
    known = {name: value for name, value in fixed.items() if name not in found}
    for name, value in known.items():
        mistakes.check(None, _check_fixed, name, value, task)
    mistakes.refuse()
    return {**task.make_config(known).to_dict(), **found}


def _check_fixed(name: str, value: object, task: AnyTask) -> None:
    if name not in task.field_types():
        raise StudyFileError(unknown(f"key {name!r} in [fixed]", name, task.field_types()))
    task.make_config({name: value})


def _dimensions(
    tables: Mapping[str, Mapping[str, Toml]], listed: Sequence[dict[str, Value]], task: AnyTask
) -> Space:
    space = parse_space(tables["search"], task) or space_of_list(listed, task)
    refuse_all(
        f"{name} is in [fixed] and is searched as well; keep one of them"
        for name in space
        if name in tables["fixed"]
    )
    return space


def _check_grid(search: Mapping[str, Toml], listed: Sequence[Params], space: Space) -> None:
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


def _complete(values: Params, space: Space, task: AnyTask) -> dict[str, Value]:
    """Return the values that hyperparameters have if they are not searched or not active."""
    return {
        name: values[name]
        for name in task.field_types()
        if name in values and (name not in space or name in space.conditions)
    }
