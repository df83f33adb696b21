"""Build the JSON Schema of study files, with which editors check and complete them.

It is never stricter than ``study_file``. It is looser for rules that involve more than one value.
"""

import json
from collections.abc import Iterator, Mapping

from sweep.definition.editor_schema.keys import TRAINERS, TrainerKeys, Words, common_keys
from sweep.task import AUTO, auto_fields, costs_of, load_task
from sweep.values import Toml

SCHEMA_FILE = "study.schema.json"
"""Name of the schema beside study files; their first line is ``#:schema study.schema.json``."""

_WHEN: Words = {
    "description": "Makes the hyperparameter apply only for these values of others.",
    "type": "object",
    "minProperties": 1,
}
_VALUE: Words = {"type": ["string", "number", "boolean", "array"]}
"""Value of a hyperparameter of a user's program."""


def study_schema() -> dict[str, Toml]:
    """Return the JSON Schema, draft 7, of study files for every built-in trainer."""
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
    """Return the rules for study files of one kind of trainer."""
    parts = {} if kind.data is None else {"data": _table(kind.data)}
    return {
        "propertyNames": {"enum": [*common, *(key for key in kind.keys if key not in common)]},
        "properties": parts | (_own_fields() if kind.fields is None else _known_fields(name, kind.fields)),
        **({"required": list(kind.required)} if kind.required else {}),
    }


def _table(properties: Mapping[str, Words]) -> Words:
    return {"type": "object", "properties": properties, "additionalProperties": False}


_LOGGED: Words = {
    "description": "Value of this configuration in an earlier log.",
    "type": "number",
    "minimum": 0,
}


def _own_fields() -> dict[str, Words]:
    """Return the sections for hyperparameters of a user's program."""
    names = {"not": {"const": "seed"}}
    section = {"type": "object", "propertyNames": names}
    trial = {**section, "properties": {"logged": _LOGGED}, "additionalProperties": _VALUE}
    return {
        "fixed": {**section, "additionalProperties": _VALUE},
        "search": {**section, "additionalProperties": _entry(_VALUE)},
        "trial": {"type": "array", "items": trial},
    }


def _known_fields(name: str, fields: Mapping[str, Words]) -> dict[str, Words]:
    """Return the sections for an installed trainer's hyperparameters, and its objectives."""
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
    choices = {"description": "The possible values.", "type": "array", "items": own, "minItems": 1}
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
    yield "low", {"description": "Smallest value.", **number}
    yield "high", {"description": "Largest value.", **number}
    yield "log", {"description": "Whether to sample uniformly in the logarithm.", "type": "boolean"}
    yield "step", {"description": "Step between values.", "type": "number", "exclusiveMinimum": 0}
