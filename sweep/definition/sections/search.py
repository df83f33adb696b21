"""Read the section ``[search]`` of a study file: ranges and choices.

``space_of_list`` makes the space of a study that only lists its configurations. ``when`` reads conditions.
"""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

from sweep.definition.dimension import MOST_EXACT, Choices, Dimension, Range
from sweep.definition.sections.mistakes import Mistakes
from sweep.definition.space import Space
from sweep.errors import ConfigError, StudyFileError
from sweep.spelling import unknown
from sweep.task import AUTO, AnyTask, auto_fields, check_range
from sweep.values import Params, Toml, by_type

_RANGE_KEYS = {"low", "high", "log", "step", "when"}
_CHOICES_KEYS = {"choices", "when"}

_MAX_STEPS = 1_000_000_000


def parse_space(entries: Mapping[str, Toml], task: AnyTask) -> Space:
    """Read ``[search]``, without its conditions.

    Raises:
        StudyFileError: If an entry is unknown, empty, or its range or choices break a rule.
    """
    types = task.field_types()
    mistakes = Mistakes()
    dimensions: dict[str, Dimension] = {}
    for name in [*types, *(name for name in entries if name not in types)]:
        if name in entries:
            with mistakes.noted():
                dimensions[name] = _parse_dimension(name, entries[name], task)
    mistakes.refuse()
    return Space(dimensions)


def space_of_list(listed: Sequence[Params], task: AnyTask) -> Space:
    """Return the smallest space that contains all listed configurations.

    Raises:
        StudyFileError: If the configurations do not set the same, known hyperparameters, or no range can hold
            a value.
    """
    types = task.field_types()
    for name in (name for trial in listed for name in trial):
        if name not in types:
            raise StudyFileError(f"unknown key {name!r} in [[trial]]; known: {', '.join(types)}")
        if any(name not in trial for trial in listed):
            raise StudyFileError(f"every [[trial]] must set the same hyperparameters; one lacks {name}")
    configs = [task.make_config(trial).to_dict() for trial in listed]
    for number, trial in enumerate(listed, 1):
        for name, value in trial.items():
            where = f"[[trial]] number {number}: {name}"
            if types[name] in (int, float):
                _check_number(where, name, value)
            _check_choice(where, value)
    searched = [name for name in types if listed and name in listed[0]]
    return Space({name: _hull(name, types[name], [config[name] for config in configs]) for name in searched})


def checked_value(name: str, value: Toml, task: AnyTask, where: str = "search.") -> Toml:
    """Return a value converted by the hyperparameter's field.

    Raises:
        StudyFileError: If it breaks the field's rule; ``where`` begins the message.
    """
    try:
        return task.make_config({name: value}).to_dict()[name]
    except ConfigError as error:
        raise StudyFileError(f"{where}{error}") from error


def _hull(name: str, kind: type, values: Sequence[Toml]) -> Dimension:
    if kind in (int, float):
        low, high = kind(min(values)), kind(max(values))
        _check_width(f"[[trial]]: {name}", low, high)
        return Range(low, high)
    return Choices(by_type(set(values)))


def _parse_dimension(name: str, entry: Toml, task: AnyTask) -> Dimension:
    if name not in (types := task.field_types()):
        raise StudyFileError(unknown(f"hyperparameter {name!r} in [search]", name, types))
    if entry == AUTO and name in auto_fields(task):
        raise StudyFileError(f'search.{name} = "auto" is found, not searched; write it under [fixed]')
    if not isinstance(entry, Mapping) or not entry.keys() - {"when"}:
        raise StudyFileError(
            f"search.{name} must be {{ low = …, high = … }} or {{ choices = […] }}, got {entry!r}"
        )
    if "choices" in entry:
        return _parse_choices(name, entry, task)
    return _parse_range(name, entry, task)


def _parse_choices(name: str, entry: Mapping[str, Toml], task: AnyTask) -> Choices:
    _refuse_keys(name, entry, _CHOICES_KEYS)
    choices = entry["choices"]
    if not isinstance(choices, list) or not choices:
        raise StudyFileError(f"search.{name}.choices must be a list with at least one value, got {choices!r}")
    checked: list[Toml] = []
    for choice in choices:
        value = checked_value(name, choice, task)
        _check_choice(f"search.{name}.choices", value)
        if value in checked:
            raise StudyFileError(f"search.{name}.choices holds {choice!r} twice; choices must differ")
        checked.append(value)
    return Choices(tuple(checked))


def _parse_range(name: str, entry: Mapping[str, Toml], task: AnyTask) -> Range:
    _refuse_keys(name, entry, _RANGE_KEYS)
    kind = task.field_types()[name]
    _check_scale(name, entry, kind)
    low, high = (kind(checked_value(name, entry[end], task)) for end in ("low", "high"))
    for end, value in (("low", low), ("high", high)):
        _check_number(f"search.{name}.{end}", name, value)
    if low > high:
        raise StudyFileError(f"search.{name} is empty: low {low} is above high {high}")
    _check_width(f"search.{name}", low, high)
    return Range(low, high, log=entry.get("log", False), step=_step(name, entry, low, high, kind))


def _check_number(where: str, name: str, value: Toml) -> None:
    """Refuse a number that no range can hold, or a whole one that a database would change."""
    if type(value) is float and not math.isfinite(value):
        raise StudyFileError(f"{where} must be finite, got {value}; a range goes from one number to another")
    if type(value) is int and abs(value) > MOST_EXACT:
        raise StudyFileError(
            f"{where} must be from -{MOST_EXACT:,} to {MOST_EXACT:,}, got {value:,}: a database stores the "
            f"values of a range as floats, inexact beyond that; write search.{name} = {{ choices = [...] }}"
        )


def _check_width(where: str, low: float, high: float) -> None:
    if not math.isfinite(high - low):
        raise StudyFileError(
            f"{where} is too wide: from {low} to {high} is more than a float holds; narrow it"
        )


def _check_choice(where: str, value: Toml) -> None:
    """Refuse nan, also in a list: it equals no choice, not even itself, so a stored trial would have none."""
    if isinstance(value, list | tuple):
        for entry in value:
            _check_choice(where, entry)
    elif isinstance(value, float) and math.isnan(value):
        raise StudyFileError(f'{where} must not be nan, which differs from itself; write it as text, "nan"')


def _check_scale(name: str, entry: Mapping[str, Toml], kind: type) -> None:
    if kind not in (int, float):
        raise StudyFileError(f"search.{name} is not a number and needs choices, got a range")
    for end in ("low", "high"):
        if end not in entry:
            raise StudyFileError(f"search.{name} lacks {end!r}")
    log = entry.get("log", False)
    if type(log) is not bool:
        raise StudyFileError(f"search.{name}.log must be true or false, got {log!r}")
    if log and type(entry["low"]) in (int, float) and entry["low"] <= 0:
        raise StudyFileError(f"search.{name} is logarithmic and must start above 0, got low {entry['low']}")


def _step(name: str, entry: Mapping[str, Toml], low: float, high: float, kind: type) -> float | None:
    """Return the step of a range; None if every value of its kind is allowed."""
    step = entry.get("step")
    if step is None:
        return None
    if entry.get("log"):
        raise StudyFileError(f"search.{name} cannot have both log and step")
    _check_step(name, step, low, high, kind)
    if kind is float:
        return float(step)
    return None if step == 1 else step


def _check_step(name: str, step: Toml, low: float, high: float, kind: type) -> None:
    whole = type(step) is int
    if not (whole or (kind is float and type(step) is float and math.isfinite(step))) or step <= 0:
        raise StudyFileError(f"search.{name}.step must be a number above 0 of the range's kind, got {step!r}")
    if (high - low) / step > _MAX_STEPS:
        raise StudyFileError(f"search.{name}.step must leave at most {_MAX_STEPS:,} values, got {step!r}")
    if (Decimal(str(high)) - Decimal(str(low))) % Decimal(str(step)):
        raise StudyFileError(f"search.{name}: steps of {step} from {low} do not reach high {high}")


def _refuse_keys(name: str, entry: Mapping[str, Toml], known: set[str]) -> None:
    for key in entry:
        if key not in known:
            raise StudyFileError(unknown(f"key {key!r} in search.{name}", key, sorted(known)))


def check_ranges(space: Space, task: AnyTask) -> None:
    """Refuse ranges within which a hyperparameter would change its meaning.

    Raises:
        StudyFileError: With the trainer's reason.
    """
    for name, dimension in space.items():
        if isinstance(dimension, Range):
            try:
                check_range(task, name, dimension.low, dimension.high)
            except ConfigError as error:
                raise StudyFileError(f"search.{error}") from error
