"""The JSON Schema of study files, with which editors check and complete them.

Every key has its description here or beside its trainer, and nowhere else. The schema is looser than
``study_file`` if a rule needs more than one value, and never stricter.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

from sweep.definition.records import costs_of
from sweep.definition.registries import PRUNERS, SAMPLERS, Registry
from sweep.definition.spec import StudySpec
from sweep.task import AUTO, auto_fields, load_task

SCHEMA_FILE = "study.schema.json"
"""Name of the schema beside study files; their first line is ``#:schema study.schema.json``."""

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
_WHEN: Words = {
    "description": "Makes the hyperparameter apply only for these values of others.",
    "type": "object",
    "minProperties": 1,
}
_VALUE: Words = {"type": ["string", "number", "boolean", "array"]}
"""Of a hyperparameter that a study names itself."""


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


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema, draft 7, of study files for every trainer that travels with sweep."""
    common, kinds = common_keys(), list(TRAINERS.values())
    added = {name: words for kind in kinds for name, words in kind.keys.items()}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Study file of sweep",
        "type": "object",
        "properties": common | {name: added[name] for name in added if name not in common},
        "additionalProperties": False,
        "anyOf": [{"required": ["search"]}, {"required": ["trial"]}],
        "allOf": [{"if": kind.chosen, "then": _rules(name, kind, common)} for name, kind in TRAINERS.items()]
        + [{"if": _of_package(kinds), "then": {"propertyNames": {"enum": list(common)}}}],
        "definitions": {"when": _WHEN},
    }


def schema_text() -> str:
    """Return the schema as the text of ``SCHEMA_FILE``."""
    return json.dumps(study_schema(), indent=1, ensure_ascii=False) + "\n"


def _of_package(kinds: list[TrainerKeys]) -> Words:
    return {"not": {"anyOf": [kind.chosen for kind in kinds]}}


def _rules(name: str, kind: TrainerKeys, common: Mapping[str, Words]) -> Words:
    """Return what holds for the study files of one kind of trainer."""
    parts = {} if kind.data is None else {"data": _table(kind.data)}
    return {
        "propertyNames": {"enum": [*common, *(key for key in kind.keys if key not in common)]},
        "properties": parts | (_own_fields() if kind.fields is None else _known_fields(name, kind.fields)),
        **({"required": list(kind.required)} if kind.required else {}),
    }


def _table(properties: Mapping[str, Words]) -> Words:
    return {"type": "object", "properties": properties, "additionalProperties": False}


_LOGGED: Words = {
    "description": "The value that an earlier log gives for this configuration.",
    "type": "number",
    "minimum": 0,
}


def _own_fields() -> dict[str, Words]:
    """Return the sections of hyperparameters that a study names itself."""
    names = {"not": {"const": "seed"}}
    section = {"type": "object", "propertyNames": names}
    trial = {**section, "properties": {"logged": _LOGGED}, "additionalProperties": _VALUE}
    return {
        "fixed": {**section, "additionalProperties": _VALUE},
        "search": {**section, "additionalProperties": _entry(_VALUE)},
        "trial": {"type": "array", "items": trial},
    }


def _known_fields(name: str, fields: Mapping[str, Words]) -> dict[str, Words]:
    """Return the sections of a trainer's own hyperparameters, and its objectives."""
    task = load_task(name)
    found = auto_fields(task)
    fixed = {name: _or_auto(words) if name in found else words for name, words in fields.items()}
    pairs = [[task.metric.name], *([task.metric.name, cost] for cost in costs_of(task))]
    return {
        "objectives": {"enum": pairs},
        "fixed": _table(fixed),
        "search": _table({name: _entry(words) for name, words in fields.items()}),
        "trial": {"type": "array", "items": _table({**fields, "logged": _LOGGED})},
    }


def _or_auto(words: Words) -> Words:
    own = {key: value for key, value in words.items() if key != "description"}
    return {"description": words["description"], "anyOf": [own, {"const": AUTO}]}


def _entry(words: Words) -> Words:
    """Return the schema of an entry of [search]: a range of numbers, or choices."""
    own = {key: value for key, value in words.items() if key not in ("description", "default")}
    ends = {} if own.get("type") == "string" or "enum" in own else dict(_ends(own))
    choices = {"description": "The values to choose from.", "type": "array", "items": own, "minItems": 1}
    return {
        **({"description": words["description"]} if "description" in words else {}),
        "type": "object",
        "properties": {**ends, "choices": choices, "when": {"$ref": "#/definitions/when"}},
        "additionalProperties": False,
        "oneOf": [{"required": ["choices"]}, *([{"required": ["low", "high"]}] if ends else [])],
        **({"dependencies": {"log": ["low"], "step": ["low"]}} if ends else {}),
    }


def _ends(own: Words) -> Iterator[tuple[str, Words]]:
    """Yield the keys of a range of numbers."""
    number = own if own.get("type") in ("integer", "number") else {"type": "number"}
    yield "low", {"description": "The least value.", **number}
    yield "high", {"description": "The greatest value.", **number}
    yield "log", {"description": "Whether equal ratios are equally likely.", "type": "boolean"}
    yield "step", {"description": "Distance of the values.", "type": "number", "exclusiveMinimum": 0}
