"""Write plain values as JSON for other programs."""

import json
import math
from collections.abc import Mapping

from sweep.values import Json


def json_text(value: Json, *, indent: int | None = None) -> str:
    """Write a value as JSON; numbers that JSON lacks, such as a hyperparameter of infinity, as text.

    Examples:
        >>> json_text({"clip": float("inf"), "lr": 0.1})
        '{"clip": "inf", "lr": 0.1}'
    """
    try:
        return json.dumps(value, indent=indent, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), indent=indent)


def _finite(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
