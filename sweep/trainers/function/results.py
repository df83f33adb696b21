"""Check the result of a function."""

import inspect
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.client import number
from sweep.spelling import did_you_mean
from sweep.trainers.function.faults import RefusedError


def as_values(returned: object, metrics: Sequence[str], name: str) -> dict[str, float]:
    """Return a result as values by name.

    Args:
        returned: A number, or a mapping with each metric; other entries that are not numbers are ignored,
            with a line on stderr.
        metrics: The study's metrics, one or two.
        name: Name of the function for messages.

    Returns:
        ``{"value": number}``, or the numbers of the mapping.

    Raises:
        RefusedError: If the result is anything else.

    Examples:
        >>> as_values(0.5, ["accuracy"], "train")
        {'value': 0.5}
        >>> as_values({"accuracy": 0.5, "epochs": 3}, ["accuracy"], "train")
        {'accuracy': 0.5, 'epochs': 3.0}
    """
    if isinstance(returned, Mapping):
        return _entries(returned, metrics, name)
    if len(metrics) > 1:
        raise RefusedError(f"{name} must return a dict with {' and '.join(metrics)}, one number each")
    if inspect.isawaitable(returned) or inspect.isgenerator(returned):
        raise RefusedError(f"{name} returned a {type(returned).__name__}; it must return a number itself")
    try:
        return {"value": number(returned, f"the result of {name}")}
    except (TypeError, ValueError) as error:
        raise RefusedError(f"{error}; return {metrics[0]!r} as a number, or in a dict") from None


def _entries(returned: Mapping[Any, Any], metrics: Sequence[str], name: str) -> dict[str, float]:
    for metric in metrics:
        if metric not in returned:
            raise RefusedError(_lacking(metric, [str(key) for key in returned], name))
    values = {}
    for key, entry in returned.items():
        try:
            values[str(key)] = number(entry, repr(key))
        except (TypeError, ValueError) as error:
            if key in metrics:
                raise RefusedError(f"in the result of {name} {error}") from None
            sys.stderr.write(f"sweep: {error}; this entry of the result of {name} is ignored\n")
    return values


def _lacking(metric: str, keys: list[str], name: str) -> str:
    hint = did_you_mean(metric, keys, "{} ")
    held = ", ".join(keys) or "nothing"
    return f"the dict that {name} returned lacks the metric {metric!r}; {hint}it contains: {held}"
