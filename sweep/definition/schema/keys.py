"""The keys of a study file, each with its description and its schema, for every trainer.

What one kind of trainer adds is described beside it and found by name. ``document`` puts all together.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from sweep.definition.registries import PRUNERS, SAMPLERS, Registry
from sweep.definition.spec import StudySpec

Words = Mapping[str, Any]
"""The JSON Schema of one value; ``description`` says what it means."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainerKeys:
    """What the study files of one kind of trainer have beside the keys of every study."""

    chosen: Words
    """Holds for the study files of this kind, and for no other."""
    keys: Mapping[str, Words] = dataclasses.field(default_factory=dict)
    """At the top level."""
    data: Mapping[str, Words] | None = None
    """In ``[data]``; None: any."""
    fields: Mapping[str, Words] | None = None
    """Hyperparameters; None: a study names its own."""
    required: tuple[str, ...] = ()
    """Keys without which there is no study."""


TRAINERS = Registry(
    {
        "mlp": "sweep.tasks.mlp.shown.study_keys:KEYS",
        "function": "sweep.tasks.program.shown.study_keys:FUNCTION",
        "command": "sweep.tasks.program.shown.study_keys:COMMAND",
    }
)
"""Kind of trainer -> its ``TrainerKeys``. A trainer of an installed package has the common keys alone."""

DURATION: Words = {"type": "string", "pattern": r"^(\d+(\.\d+)?[smh]|none)$"}
"""A time, as ``parse_duration`` reads it."""

LINE: Words = {"type": "string", "pattern": r"^[^\u0000-\u001f]*$"}
"""One line of text."""

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


def _whole(low: int, high: int) -> Words:
    return {"type": "integer", "minimum": low, "maximum": high}


_KEYS: Mapping[str, tuple[str, Words]] = {
    "name": (
        "Name under which the study is stored; by default the file's.",
        {"type": "string", "pattern": _NAME},
    ),
    "goal": ("The question that the study answers, shown above its results.", LINE),
    "trainer": (
        'What is trained: an installed trainer, or a function of yours as "module:function" or '
        '"path/file.py:function"; the built-in network if neither trainer nor command is given.',
        {"type": "string", "minLength": 1},
    ),
    "sampler": (
        "What proposes the next configuration; gp learns from complete trials only, grid runs every cell, "
        "and listed runs the [[trial]] configurations alone.",
        {"enum": list(SAMPLERS)},
    ),
    "pruner": (
        "What ends trials that fall behind, by their values at 10, 30 and 90 % of their length.",
        {"enum": list(PRUNERS)},
    ),
    "objectives": (
        "The metric, and after it at most one cost that is minimised too.",
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
    ),
    "trials": ("Total of trials across all runs, whatever their outcome.", _whole(1, 1_000_000)),
    "replicates": ("Seeds that each configuration is trained on, one trial each.", _whole(1, 1_000)),
    "keep": ("Trials, best first, whose files are kept.", _whole(0, 1_000_000)),
    "timeout": ('Time after which a run stops, such as "10m"; "none" is never.', DURATION),
    "trial_timeout": ('Time of training after which a trial is given up, such as "5m".', DURATION),
    "seed": ("Seed of the search; each trial's own seed is derived from it.", _whole(0, 2**53 - 1)),
    "data": ("The files that are trained on.", {"type": "object"}),
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
        "An earlier log whose values stand in the [[trial]] tables.",
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "data_sha256": {
                    "description": "SHA-256 of the data that the log was made on.",
                    "type": "string",
                    "pattern": "^([0-9a-f]{64})?$",
                }
            },
        },
    ),
    "resources": (
        "What one trial occupies of a machine.",
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
"""Key of every study file -> what it means, and its schema without description and default."""


def common_keys() -> dict[str, Words]:
    """Return the keys of every study file; defaults are those of ``StudySpec``."""
    defaults = {field.name: field.default for field in dataclasses.fields(StudySpec)}
    return {
        name: {"description": text, **words, **_default(defaults.get(name))}
        for name, (text, words) in _KEYS.items()
    }


def _default(value: Any) -> Words:
    return {"default": value} if isinstance(value, int | str) and value != "" else {}
