"""Define a study's identity: the plain values that must be equal for two runs to belong to one study.

``StudySpec.identity`` builds it; ``StudyRecord`` reads a stored one. It excludes the goal, trials, timeouts,
``keep`` and resources, which may change from run to run.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import NotRequired, TypedDict

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


def identity_changes(stored: Json, asked: Json, key: str = "") -> list[str]:
    """Return each difference between two identities as ``key: stored -> asked``.

    Examples:
        >>> identity_changes({"seed": 0, "fixed": {"momentum": 0}}, {"seed": 1, "fixed": {"momentum": 0}})
        ['seed: 0 -> 1']
    """
    if isinstance(stored, Mapping) and isinstance(asked, Mapping):
        return [
            change
            for name in sorted(stored.keys() | asked.keys())
            for change in identity_changes(stored.get(name), asked.get(name), f"{key}.{name}".lstrip("."))
        ]
    return [] if stored == asked else [f"{key}: {json.dumps(stored)} -> {json.dumps(asked)}"]
