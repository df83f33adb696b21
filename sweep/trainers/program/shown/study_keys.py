"""What study files say of a function or a script: each key with its description, for editors.

``tasks.program.definition`` and each kind's own module check the values; a test compares the names.
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
        "description": "Name of the figure that a trial is judged by, as the program reports it.",
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
        "description": "A value from which on, on the bad side, a trial counts as diverged; NaN and infinity "
        "always do.",
        "type": "number",
    },
    "pick": {
        "description": "Whether the last or the best report is a trial's value; best is optimistic.",
        "enum": list(PICKS),
        "default": "last",
    },
    "budget": {
        "description": "The hyperparameter that is a trial's length, such as epochs; pruners need it.",
        **_TEXT,
    },
    "step": {
        "description": "What the program calls the step of a report; by default reports are counted from 1.",
        **_TEXT,
    },
    "seeds": {"description": "The hyperparameter that takes the trial's seed.", **_TEXT},
    "checkpoint": {
        "description": "Whether a trial that was cut can go on from the files in its checkpoint folder.",
        "type": "boolean",
        "default": False,
    },
    "cwd": {
        "description": "Folder that the program starts in; {dir} is the trial's, {here} the study file's.",
        **_TEXT,
    },
    "grace": {
        "description": "Time that a program gets to end by itself before it is killed.",
        **DURATION,
        "default": "10s",
    },
    "quiet": {
        "description": "Silence after which a program counts as hanging.",
        **DURATION,
        "default": "none",
    },
    "env": {
        "description": "Environment variables of the program; passwords belong to secrets.",
        "type": "object",
        "additionalProperties": {"type": ["string", "number"]},
    },
    "secrets": {
        "description": "Environment variables that are passed on, never stored, and masked in output.",
        **_GLOBS,
    },
    "upload": {
        "description": "Whether the best trials' checkpoints are also written to the folder or bucket of "
        "--files.",
        "type": "boolean",
        "default": False,
    },
    "feasible": {
        "description": "Bounds that a trial has to meet, such as { latency_ms = { max = 20 } }.",
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
        "description": "Whether each trial gets a new process; by default only on a GPU.",
        "type": "boolean",
    },
}

_COMMAND: dict[str, Words] = {
    "command": {
        "description": "The command that trains, a list of tokens that no shell reads; {args} is every "
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
        "description": "For single hyperparameters, another form than the style's: a template with {value}, "
        'a pair for true and false, or "skip".',
        "type": "object",
        "additionalProperties": {"type": ["string", "array"]},
    },
    "metric_file": {
        "description": "File with the program's figures: metrics.json, log.jsonl or log.csv:column.",
        **_TEXT,
    },
    "read": {
        "description": "Regular expression with (?P<value>…), and perhaps (?P<step>…), that reads the metric "
        "from a line of output.",
        "type": "string",
    },
}

_DATA: dict[str, Words] = {
    "files": {"description": "Globs of the data files; a study is tied to their contents.", **_GLOBS},
    "test_files": {"description": "Globs of the test data; looks at them are counted.", **_GLOBS},
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
