"""Turn names and values of a guest, which may be any, into some that tables, figures and pages can show."""

import json
import math
from collections.abc import Collection, Iterable, Mapping

from sweep.definition.dimension import Choices, Dimension, Range
from sweep.definition.ranking import TAKEN
from sweep.values import Json, Params, Value


def distinct_names(names: Iterable[str], kind: str, taken: Collection[str] = ()) -> dict[str, str]:
    """Return name -> how it is shown: as it is, or behind its kind where the name is taken.

    Examples:
        >>> distinct_names(["lr", "rank"], "param"), distinct_names(["lr"], "objective", ["lr"])
        ({'lr': 'lr', 'rank': 'param.rank'}, {'lr': 'objective.lr'})
    """
    return {name: f"{kind}.{name}" if name in TAKEN or name in taken else name for name in names}


def unshown_name(shown: str, objectives: Collection[str]) -> str:
    """Return the name that Optuna stored of a hyperparameter; see ``distinct_names``.

    Examples:
        >>> unshown_name("param.rank", ()), unshown_name("param.x", ())
        ('rank', 'param.x')
    """
    name = shown.removeprefix("param.")
    return name if name in TAKEN or name in objectives else shown


def shown_choice(value: Value) -> Value:
    """Return a choice as a table shows it: what is no number, boolean or text becomes a text.

    An empty cell is a hyperparameter that a trial does not have, so that None is shown by its name.

    Examples:
        >>> [shown_choice(value) for value in (None, True, 3, float("nan"), (1, None), {"a": [1]})]
        ['None', True, 3, 'nan', (1, 'None'), '{"a": [1]}']
    """
    if isinstance(value, list | tuple):
        return tuple(map(shown_choice, value))
    if value is None:
        return "None"
    return shown_attribute(value)


def shown_attribute(value: Json) -> Json:
    """Return a user attribute as a cell: a finite number, a boolean, None or a text; others as JSON."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return json.dumps(value, ensure_ascii=False)


def shown_dimension(dimension: Dimension) -> Dimension:
    """Return a dimension whose choices can be shown."""
    if isinstance(dimension, Choices):
        return Choices(tuple(dict.fromkeys(map(shown_choice, dimension.choices))))
    return dimension


def joined_dimension(name: str, stored: Iterable[Dimension]) -> Dimension:
    """Return the dimension that holds all values of some; Optuna's trials may have different ranges.

    Raises:
        ValueError: If they are of different kinds.

    Examples:
        >>> joined_dimension("lr", [Range(0.1, 1.0, log=True), Range(0.5, 2.0, log=True)])
        Range(low=0.1, high=2.0, log=True, step=None)
    """
    first, *others = stored
    if not others:
        return first
    ranges = [each for each in (first, *others) if isinstance(each, Range)]
    if isinstance(first, Choices) and not ranges:
        return Choices(tuple(dict.fromkeys(c for each in (first, *others) for c in _choices(each))))
    if len(ranges) <= len(others) or len({each.is_int for each in ranges}) > 1:
        raise ValueError(f"hyperparameter {name!r:.80} has distributions of two kinds")
    steps = {each.step for each in ranges}
    return Range(
        min(each.low for each in ranges),
        max(each.high for each in ranges),
        log=all(each.log for each in ranges),
        step=steps.pop() if len(steps) == 1 else None,
    )


def _choices(dimension: Dimension) -> tuple[Value, ...]:
    assert isinstance(dimension, Choices), "others are ranges"
    return dimension.choices


def shown_params(params: Params, names: Mapping[str, str]) -> dict[str, Value]:
    """Return the hyperparameters of a trial under the names that are shown, in the study's order."""
    return {shown: shown_choice(params[name]) for name, shown in names.items() if name in params}
