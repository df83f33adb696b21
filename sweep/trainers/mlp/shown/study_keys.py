"""Describe the MLP's hyperparameters and data keys for the schema of study files.

Descriptions are the docstrings of ``TrainConfig``'s fields.
"""

import ast
import dataclasses
import inspect
from typing import Any

from sweep.definition.editor_schema.keys import TrainerKeys, Words
from sweep.trainers.mlp.config import FIELD_RULES, TrainConfig
from sweep.trainers.mlp.words.words_file import DEDUPES, DEFAULT_WORDS

_TYPES: dict[Any, str] = {int: "integer", float: "number", str: "string"}

DATA: dict[str, Words] = {
    "words": {
        "description": "The words file: UTF-8, one word per line.",
        "type": "string",
        "default": DEFAULT_WORDS,
    },
    "dedupe": {
        "description": "Whether only the first of equal words is used; normalized also compares by spelling.",
        "enum": list(DEDUPES),
        "default": False,
    },
}


def _descriptions() -> dict[str, str]:
    """Return the docstring of each field, on one line."""
    body = ast.parse(inspect.getsource(TrainConfig)).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
        ):
            found[field.target.id] = " ".join(ast.literal_eval(text.value).replace("``", "").split())
    return found


def fields() -> dict[str, Words]:
    """Return all hyperparameters that a study may set."""
    described = _descriptions()
    return {
        field.name: {
            "description": described[field.name],
            "type": _TYPES[field.type],
            **FIELD_RULES[field.name],
            "default": field.default,
        }
        for field in dataclasses.fields(TrainConfig)
        if field.name != "seed"
    }


KEYS = TrainerKeys(
    chosen={
        "not": {
            "anyOf": [
                {"required": ["command"]},
                {"required": ["trainer"], "properties": {"trainer": {"not": {"const": "mlp"}}}},
            ]
        }
    },
    data=DATA,
    fields=fields(),
)
