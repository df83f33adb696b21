"""Read the conditions of a study file: ``when = { schedule = "step" }`` in an entry of ``[search]``.

A condition may only refer to a searched hyperparameter with choices or whole numbers. A condition that always
or never holds is refused as a mistake.
"""

from collections.abc import Mapping

from sweep.definition.dimension import Range
from sweep.definition.sections.search import checked_value
from sweep.definition.space import Conditions, Space, either
from sweep.errors import StudyFileError
from sweep.spelling import unknown
from sweep.task import AnyTask
from sweep.values import Params, Toml, Value, ordered


def parse_conditions(entries: Mapping[str, Toml], space: Space, fixed: Params, task: AnyTask) -> Conditions:
    """Read the conditions of ``[search]``.

    Args:
        entries: The section ``[search]``.
        space: The dimensions of the section.
        fixed: The values of hyperparameters that are not searched.
        task: The trainer.

    Raises:
        StudyFileError: If a condition is malformed, refers to itself or to an unknown hyperparameter, is
            circular, or always or never holds.
    """
    given = {name: entries[name]["when"] for name in space if name in entries and "when" in entries[name]}
    parsed = {name: _parse(name, when, space, fixed, task) for name, when in given.items()}
    for name in parsed:
        _refuse_circle([name], parsed)
    for name in parsed:
        _refuse_impossible(name, parsed)
        _refuse_certain(name, parsed, space)
    return parsed


def _parse(
    name: str, when: Value, space: Space, fixed: Params, task: AnyTask
) -> dict[str, tuple[Value, ...]]:
    if not isinstance(when, Mapping) or not when:
        raise StudyFileError(
            f"search.{name}.when must be {{ other = value }} or {{ other = [values] }}, got {when!r}"
        )
    types = task.field_types()
    for other in when:
        if other not in types:
            raise StudyFileError(unknown(f"hyperparameter {other!r} in search.{name}.when", other, types))
        if other == name:
            raise StudyFileError(f"search.{name}.when names {name} itself; it needs another hyperparameter")
    needed = {other: _parse_values(name, other, when[other], task) for other in types if other in when}
    for other, values in needed.items():
        if other not in space:
            _refuse_fixed(name, other, values, fixed)
        _check_values(name, other, values, space)
    return needed


def _parse_values(name: str, other: str, given: Value, task: AnyTask) -> tuple[Value, ...]:
    listed = given if isinstance(given, list) else [given]
    if not listed:
        raise StudyFileError(f"search.{name}.when.{other} must have at least one value, got {given!r}")
    values = [checked_value(other, value, task, f"search.{name}.when: ") for value in listed]
    for value in values:
        if values.count(value) > 1:
            raise StudyFileError(f"search.{name}.when.{other} holds {value!r} twice")
    return ordered(values)


def _check_values(name: str, other: str, values: tuple[Value, ...], space: Space) -> None:
    dimension = space[other]
    if isinstance(dimension, Range) and not dimension.is_int:
        raise StudyFileError(
            f"search.{name}.when needs choices or whole numbers, but {other} is a range of fractions"
        )
    for value in values:
        if not dimension.contains(value):
            raise StudyFileError(
                f"search.{name}.when: {other} = {value!r} lies outside the search space of {other}"
            )


def _refuse_fixed(name: str, other: str, values: tuple[Value, ...], fixed: Params) -> None:
    if other not in fixed:
        what = f"never holds, because {other} has no value; set search.{other}"
    elif fixed[other] in values:
        what = f"always holds, because {other} is fixed at {fixed[other]!r}; remove the condition"
    else:
        what = f"never holds, because {other} is fixed at {fixed[other]!r}; remove search.{name}"
    raise StudyFileError(f"search.{name}.when: {other} = {either(values)} {what}")


def _refuse_circle(path: list[str], conditions: Conditions) -> None:
    for other in conditions.get(path[-1], ()):
        if other == path[0]:
            circle = " needs ".join([*path, other])
            raise StudyFileError(f"search.{path[0]}.when is circular: {circle}")
        if other not in path:
            _refuse_circle([*path, other], conditions)


def _refuse_impossible(name: str, conditions: Conditions) -> None:
    possible: dict[str, set[Value]] = {}
    for other, values in _everything_needed(name, conditions):
        left = possible.setdefault(other, set(values)) & set(values)
        if not left:
            needs = f"{other} = {either(values)} and {either(ordered(possible[other]))} at once"
            raise StudyFileError(f"search.{name}.when never holds: it needs {needs}")
        possible[other] = left


def _everything_needed(name: str, conditions: Conditions) -> list[tuple[str, tuple[Value, ...]]]:
    """Return each (hyperparameter, values) that must hold, directly or through other conditions."""
    needed = list(conditions.get(name, {}).items())
    return needed + [deeper for other, _ in needed for deeper in _everything_needed(other, conditions)]


def _refuse_certain(name: str, conditions: Conditions, space: Space) -> None:
    for other, values in conditions[name].items():
        if other not in conditions and len(values) == space[other].cells:
            raise StudyFileError(
                f"search.{name}.when: {other} = {either(values)} always holds, because these are all its "
                "values; remove it"
            )
