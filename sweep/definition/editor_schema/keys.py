"""Describe the keys of study files, each with its schema, for every trainer.

Each kind of trainer describes its own keys and is found by name. ``document`` combines them.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from sweep.definition.registries import PRUNERS, SAMPLERS, Registry
from sweep.definition.spec import StudySpec

Words = Mapping[str, Any]
"""The JSON Schema of one value, with its meaning in ``description``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainerKeys:
    """The keys that one kind of trainer adds to study files."""

    chosen: Words
    """Schema that matches exactly the study files of this kind."""
    keys: Mapping[str, Words] = dataclasses.field(default_factory=dict)
    """Keys at the top level."""
    data: Mapping[str, Words] | None = None
    """Keys of ``[data]``; None allows any."""
    fields: Mapping[str, Words] | None = None
    """Hyperparameters; None if each study names its own."""
    required: tuple[str, ...] = ()
    """Keys that every study needs."""


TRAINERS = Registry(
    {
        "mlp": "sweep.trainers.mlp.shown.study_keys:KEYS",
        "function": "sweep.trainers.program.shown.study_keys:FUNCTION",
        "command": "sweep.trainers.program.shown.study_keys:COMMAND",
    }
)
"""Kind of trainer -> its ``TrainerKeys``. A trainer of an installed package has only the common keys."""

DURATION: Words = {"type": "string", "pattern": r"^(\d+(\.\d+)?[smh]|none)$"}
"""A duration, in the syntax of ``parse_duration``."""

LINE: Words = {"type": "string", "pattern": r"^[^\u0000-\u001f]*$"}
"""One line of text."""

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


def _whole(low: int, high: int) -> Words:
    return {"type": "integer", "minimum": low, "maximum": high}


_KEYS: Mapping[str, tuple[str, Words]] = {
    "name": (
        "Name of the stored study; by default that of the file.",
        {"type": "string", "pattern": _NAME},
    ),
    "goal": ("Question that the study answers, shown above its results.", LINE),
    "trainer": (
        'The trainer: an installed trainer, or your function or task class as "module:name" or '
        '"path/file.py:name"; the built-in network if neither trainer nor command is given.',
        {"type": "string", "minLength": 1},
    ),
    "sampler": (
        "Method that proposes configurations; gp_cost models all losses and prefers what takes little work, "
        "gp learns from complete trials only, grid runs every cell, and listed runs only the [[trial]] "
        "configurations.",
        {"enum": list(SAMPLERS)},
    ),
    "pruner": (
        "Method that stops trials that fall behind, by their values at 10, 30 and 90 % of their length.",
        {"enum": list(PRUNERS)},
    ),
    "objectives": (
        "The metric, then at most one cost to minimise as well.",
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
    ),
    "trials": ("Total number of trials in all runs, whatever their outcome.", _whole(1, 1_000_000)),
    "replicates": ("Number of seeds for each configuration, one trial each.", _whole(1, 1_000)),
    "keep": ("Number of best trials whose files are kept.", _whole(0, 1_000_000)),
    "timeout": ('Time limit of a run, such as "10m"; "none" for no limit.', DURATION),
    "trial_timeout": ('Limit of a trial\'s training time, such as "5m".', DURATION),
    "seed": ("Seed of the search; each trial's seed is derived from it.", _whole(0, 2**53 - 1)),
    "data": ("Files of the data to train on.", {"type": "object"}),
    "fixed": ("Hyperparameters that have the same value in every trial.", {"type": "object"}),
    "search": (
        "Hyperparameters that are searched: { low = …, high = … } or { choices = […] } for each.",
        {"type": "object"},
    ),
    "trial": (
        "Configurations that run first, one [[trial]] table each.",
        {"type": "array", "items": {"type": "object"}},
    ),
    "log": (
        "The earlier log that the values in the [[trial]] tables come from.",
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "data_sha256": {
                    "description": "SHA-256 of the data that the log refers to.",
                    "type": "string",
                    "pattern": "^([0-9a-f]{64})?$",
                }
            },
        },
    ),
    "resources": (
        "Resources that one trial occupies on a machine.",
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "cpus": {
                    "description": "Cores of one trial; 1 by default.",
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "maximum": 1_024,
                },
                "gpus": {
                    "description": "GPUs of one trial; a fraction lets several trials share one.",
                    "type": "number",
                    "minimum": 0,
                    "maximum": 1_024,
                },
            },
        },
    ),
}
"""Key of study files -> its meaning, and its schema without description and default."""


def common_keys() -> dict[str, Words]:
    """Return the schema of the keys that all study files share, with the defaults of ``StudySpec``."""
    defaults = {field.name: field.default for field in dataclasses.fields(StudySpec)}
    return {
        name: {"description": text, **words, **_default(defaults.get(name))}
        for name, (text, words) in _KEYS.items()
    }


def _default(value: object) -> Words:
    return {"default": value} if isinstance(value, int | str) and value != "" else {}
