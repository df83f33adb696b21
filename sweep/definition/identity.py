"""Define a study's identity: the plain values that must be equal for two runs to belong to one study.

``StudySpec.identity`` builds it; ``StudyRecord`` reads a stored one. It excludes the goal, trials, timeouts,
``keep`` and resources, which may change from run to run.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import NotRequired, TypedDict

from sweep.definition.dimension import Choices, stored_dimension
from sweep.metric import MINIMIZE
from sweep.values import Json, Value

Identity = TypedDict(
    "Identity",
    {
        "sampler": str,
        "pruner": str,
        "seed": int,
        "replicates": int,
        "objective": str | list[str],
        "direction": NotRequired[str],
        "data_sha256": str,
        "data": dict[str, Json],
        "split": str,
        "trainer_version": int,
        "fixed": dict[str, Value],
        "search": dict[str, dict[str, Json]],
        "trial": list[dict[str, Value]],
        "when": NotRequired[dict[str, dict[str, list[Value]]]],
        "from": NotRequired[dict[str, Json]],
        "trainer": NotRequired[str],
        "program": NotRequired[dict[str, Json]],
        "ablation": NotRequired[dict[str, Json]],
    },
)
"""The keys of a stored identity with their types."""


def objectives_of(identity: Mapping[str, Json]) -> tuple[str, ...]:
    """Return the objectives of an identity: the metric, then at most one cost."""
    stored = identity["objective"]
    return (stored,) if isinstance(stored, str) else tuple(stored)


def direction_of(identity: Mapping[str, Json]) -> str:
    """Return the direction of the metric; an identity contains it only for a maximised metric."""
    return str(identity.get("direction", MINIMIZE))


def is_ablation(identity: Mapping[str, Json]) -> bool:
    """Return whether the study compares two configurations step by step."""
    return "ablation" in identity


def fingerprint(identity: Mapping[str, Json]) -> str:
    """Return the SHA-256 of a study's identity, 64 hex digits."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def identity_changes(stored: Mapping[str, Json], asked: Mapping[str, Json]) -> list[str]:
    """Return each difference between two identities, in the words of a study file.

    Examples:
        >>> identity_changes({"seed": 0, "fixed": {"momentum": 0}}, {"seed": 1, "fixed": {"decay": 0}})
        ['fixed: momentum removed, decay added', 'seed: 0 -> 1']
    """
    before, after = _as_in_file(stored), _as_in_file(asked)
    titles = [
        title for title in sorted(before.keys() | after.keys()) if before.get(title) != after.get(title)
    ]
    told = [title for title in titles if title not in _FOLLOWING] or titles
    return [change for title in told for change in _changes(title, before.get(title), after.get(title))]


_FOLLOWING = ("kinds of the hyperparameters", "searched")
"""What a program's definition says once more of ``[fixed]`` and ``[search]``."""

_TITLES = {
    "data_sha256": "content of the data files, sha256",
    "split": "rule of the split",
    "trainer_version": "version of the trainer",
    "trial": "[[trial]]",
    "parameters": _FOLLOWING[0],
}
"""What is no key of a study file, or is not found under its name there."""


def _as_in_file(identity: Mapping[str, Json]) -> dict[str, Json]:
    """Return an identity by the keys of a study file: with the keys of a program, and ranges as written."""
    program = identity.get("program", {})
    inner = ("program", "when", *(["trainer"] if program else []))
    keys = {**{key: value for key, value in identity.items() if key not in inner}, **program}
    conditions = identity.get("when", {})
    if "search" in keys:
        keys["search"] = {
            name: {**_written_dimension(stored), **({"when": conditions[name]} if name in conditions else {})}
            for name, stored in keys["search"].items()
        }
    if "trial" in keys:
        keys["trial"] = {str(number): config for number, config in enumerate(keys["trial"], 1)}
    return {_TITLES.get(key, key): value for key, value in keys.items()}


def _written_dimension(stored: Mapping[str, Json]) -> dict[str, Json]:
    """Return the entry of ``[search]`` that gives a stored dimension."""
    dimension = stored_dimension(stored)
    if isinstance(dimension, Choices):
        return {"choices": list(dimension.choices)}
    scale = {"log": True} if dimension.log else {}
    step = {} if dimension.step is None else {"step": dimension.step}
    return {"low": dimension.low, "high": dimension.high, **scale, **step}


def _changes(title: str, before: Json, after: Json) -> Iterator[str]:
    """Yield the changes of one key; of a table first what it lost and gained, then each changed entry."""
    if not isinstance(before, Mapping) and not isinstance(after, Mapping):
        yield f"{title}: {_written(before)} -> {_written(after)}"
        return
    before, after = before or {}, after or {}
    moved = [f"{name} removed" for name in before if name not in after]
    moved += [f"{name} added" for name in after if name not in before]
    if moved:
        yield f"{title}: {', '.join(moved)}"
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            yield f"{title}.{name}: {_written(before[name])} -> {_written(after[name])}"


def _written(value: Json) -> str:
    """Return a value as a study file writes it; JSON and TOML write texts and numbers alike."""
    if value is None:
        return "not set"
    if isinstance(value, Mapping):
        entries = ", ".join(f"{name} = {_written(entry)}" for name, entry in value.items())
        return f"{{ {entries} }}" if entries else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return json.dumps(value, ensure_ascii=False)
