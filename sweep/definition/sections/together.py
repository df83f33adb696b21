"""Refuse a search space in which two values cannot occur together.

A trainer may have rules across hyperparameters: the MLP has no momentum with optimizer adamw. A study that
searches both must keep such values apart with a condition. Otherwise its run would end at the first trial
that has both. The check builds a configuration for each pair of extreme values.
"""

import itertools
from collections.abc import Iterator

from sweep.definition.dimension import Choices, Dimension, spoken_value
from sweep.definition.space import Space
from sweep.errors import ConfigError, StudyFileError
from sweep.task import AUTO, AnyTask
from sweep.values import Params, Value

_MOST_CHOICES = 16
"""Number of choices up to which each of them is tried; of a longer list, the first and the last."""


def check_together(space: Space, fixed: Params, task: AnyTask) -> None:
    """Build a configuration for each extreme value of each hyperparameter, then for each pair of them.

    All other hyperparameters have their fixed value or default. Those that a condition needs have a value
    that meets it.

    Args:
        space: The searched hyperparameters, with their conditions.
        fixed: The values of those that are not searched.
        task: The trainer.

    Raises:
        StudyFileError: If the trainer refuses a configuration, with the values, its reason and what to do.
    """
    known = {name: value for name, value in fixed.items() if name not in space and value != AUTO}
    for count in (1, 2):
        for names in itertools.combinations(space, count):
            for params in _extremes(names, space):
                try:
                    task.make_config({**known, **params})
                except ConfigError as error:
                    raise StudyFileError(_refusal(names, params, space, error)) from error


def _extremes(names: tuple[str, ...], space: Space) -> Iterator[dict[str, Value]]:
    """Yield the extreme values of some hyperparameters that are active together, with those they need."""
    for values in itertools.product(*(_tried(space[name]) for name in names)):
        params = _with_needed(dict(zip(names, values, strict=True)), space)
        if all(space.is_active(name, params) for name in params):
            yield params


def _tried(dimension: Dimension) -> tuple[Value, ...]:
    if isinstance(dimension, Choices) and len(dimension.choices) <= _MOST_CHOICES:
        return dimension.choices
    if isinstance(dimension, Choices):
        return dimension.choices[0], dimension.choices[-1]
    return dimension.low, dimension.high


def _with_needed(params: Params, space: Space) -> dict[str, Value]:
    """Return parameters with those that their conditions need, directly or through others."""
    complete = dict(params)
    for name in params:
        for other, values in space.conditions.get(name, {}).items():
            if other not in complete:
                complete = _with_needed({**complete, other: values[0]}, space)
    return complete


def _refusal(names: tuple[str, ...], params: Params, space: Space, error: ConfigError) -> str:
    """Return the message for the values that the trainer refused."""
    values = " with ".join(f"{name} = {spoken_value(params[name])}" for name in names)
    what = f"[search] allows {values}: {error}"
    if len(names) == 1:
        return f"{what}; change search.{names[0]} or the fixed value"
    conditional, needed = sorted(names, key=lambda name: _is_text(space[name]))
    return f"{what}; give search.{conditional} a condition on {needed} (when)"


def _is_text(dimension: Dimension) -> bool:
    return isinstance(dimension, Choices) and not dimension.are_numbers
