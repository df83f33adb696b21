"""Describe the keys of study files for functions and scripts, for editors and the reference.

``trainers.program.definition`` and each kind's own module check the values; a test compares the names.
"""

from sweep.definition.editor_schema.keys import DURATION, LINE, TrainerKeys, Words
from sweep.metric import DIRECTIONS
from sweep.trainers.command.styles import STYLES
from sweep.trainers.program.definition import PICKS

_TEXT: Words = {**LINE, "minLength": 1}
_TOKENS: Words = {"type": "array", "items": {"type": "string"}}
_GLOBS: Words = {"type": "array", "items": {"type": "string", "minLength": 1}}

_BOTH: dict[str, Words] = {
    "metric": {
        "description": "Name of the metric by which trials are ranked, as the program reports it.",
        **_TEXT,
    },
    "direction": {
        "description": "Whether the lowest or the highest value is best.",
        "enum": list(DIRECTIONS),
        "default": "minimize",
    },
    "unit": {"description": "Unit of the metric, shown on every axis.", **_TEXT},
    "matters": {
        "description": "The smallest difference of the metric that matters to you; sweep confirm needs it.",
        "type": "number",
        "exclusiveMinimum": 0,
    },
    "diverged": {
        "description": "A trial with this value or a worse one counts as diverged; NaN and infinity "
        "always do.",
        "type": "number",
    },
    "pick": {
        "description": "Which report of a command is a trial's value; the best is biased by luck.",
        "enum": list(PICKS),
        "default": "last",
    },
    "budget": {
        "description": "The hyperparameter that is a trial's length, such as epochs; pruners need it.",
        **_TEXT,
    },
    "step": {
        "description": "The program's name for the step of a report; by default reports are counted from 1.",
        **_TEXT,
    },
    "seeds": {"description": "The name under which the program receives the trial's seed.", **_TEXT},
    "checkpoint": {
        "description": "Whether an interrupted trial can resume from the files in its checkpoint folder.",
        "type": "boolean",
        "default": False,
    },
    "cwd": {
        "description": "Working folder of the program; {dir} is the trial's folder, {here} the study file's.",
        **_TEXT,
    },
    "grace": {
        "description": "Time that a program has to exit by itself before it is killed.",
        **DURATION,
        "default": "10s",
    },
    "quiet": {
        "description": "Silence after which a program counts as hanging.",
        **DURATION,
        "default": "none",
    },
    "env": {
        "description": "Environment variables of the program; for passwords, use secrets.",
        "type": "object",
        "additionalProperties": {"type": ["string", "number"]},
    },
    "secrets": {
        "description": "Environment variables that the program receives; never stored, masked in output.",
        **_GLOBS,
    },
    "upload": {
        "description": "Whether the best trials' checkpoints are also written to the folder or bucket of "
        "--files.",
        "type": "boolean",
        "default": False,
    },
    "feasible": {
        "description": "Bounds that a trial must meet, such as { latency_ms = { max = 20 } }.",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {"min": {"type": "number"}, "max": {"type": "number"}},
        },
    },
    "test": {
        "description": 'The function that sweep test runs on the test split, as "module:function".',
        "type": "string",
        "pattern": "^[^\\s]+:[^\\s:]+$",
    },
    "test_command": {
        "description": "The command that sweep test runs on the test split, a list of tokens.",
        **_TOKENS,
        "minItems": 1,
    },
}

_FUNCTION: dict[str, Words] = {
    "trainer": {
        "description": 'The function that trains, as "module:function" or "path/file.py:function".',
        "type": "string",
        "pattern": "^[^\\s]+:[^\\s:]+$",
    },
    "fresh_process": {
        "description": "Whether each trial has a new process; by default only on a GPU.",
        "type": "boolean",
    },
}

_COMMAND: dict[str, Words] = {
    "command": {
        "description": "The training command, a list of tokens, without a shell; {args} becomes every "
        "hyperparameter that no other token names.",
        **_TOKENS,
        "minItems": 1,
    },
    "style": {
        "description": "How the program reads hyperparameters from its command line.",
        "enum": list(STYLES),
        "default": "argparse",
    },
    "arguments": {
        "description": "Forms of single hyperparameters that differ from the style: a template with {value}, "
        'a pair for true and false, or "skip".',
        "type": "object",
        "additionalProperties": {"type": ["string", "array"]},
    },
    "metric_file": {
        "description": "File with the program's metrics: metrics.json, log.jsonl or log.csv:column.",
        **_TEXT,
    },
    "read": {
        "description": "Regular expression with (?P<value>…), and perhaps (?P<step>…), that reads the metric "
        "from a line of output.",
        "type": "string",
    },
}

_DATA: dict[str, Words] = {
    "files": {"description": "Globs of the data files; a study belongs to their contents.", **_GLOBS},
    "test_files": {"description": "Globs of the test data; each use is recorded.", **_GLOBS},
    "sources": {"description": "Globs of further source files of the program.", **_GLOBS},
}

FUNCTION = TrainerKeys(
    chosen={
        "required": ["trainer"],
        "properties": {"trainer": {"type": "string", "pattern": ":"}},
        "not": {"required": ["command"]},
    },
    keys=_BOTH | _FUNCTION,
    data=_DATA,
)

COMMAND = TrainerKeys(
    chosen={"required": ["command"], "not": {"required": ["trainer"]}},
    keys=_BOTH | _COMMAND,
    data=_DATA,
    required=("metric",),
)
