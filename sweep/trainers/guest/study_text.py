"""Write the study file of a guest: its objective and search space; who trains it is left to fill in."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sweep.definition.dimension import Choices, Dimension
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.errors import DataError
from sweep.storage.guests.values import unshown_name
from sweep.trainers.command.from_script.first_study import FirstStudy
from sweep.trainers.command.from_script.toml_text import SCHEMA_LINE, note_text, toml_key, toml_value
from sweep.trainers.program.config import SEED
from sweep.trainers.program.definition import is_parameter_name
from sweep.values import Value

_COMMAND = ["python", "train.py", "{args}"]

_CONTROLS = re.compile(r"[\0-\x1f\x7f\ud800-\udfff]")
"""Characters that no value of a study file may hold."""


def study_of_guest(study: StudyRecord) -> FirstStudy:
    """Return the study file of a guest.

    Raises:
        DataError: If none of its hyperparameters can be searched.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", study.name).strip("._-")[:64] or "study"
    entries = [line for parameter in study.space for line in _entry_lines(study, parameter)]
    if not any(line.startswith("search.") for line in entries):
        raise DataError(
            f"study {study.name!r} has no hyperparameter that can be searched; write the study file by hand",
            key="no-options",
        )
    complete = len(study.complete_trials())
    lines = [
        SCHEMA_LINE,
        f"# The search space of study {note_text(study.name)}, as Optuna stored it: {len(study.trials):,} "
        f"trials, {complete:,} of them complete.",
        f"name = {toml_value(name)}",
        f"command = {toml_value(_COMMAND)}    # fill in what trains one configuration, or name a trainer",
        *_objective_lines(study),
        "",
        *entries,
    ]
    to_do = ("fill in command", *(() if _is_named(study) else ("name the metric",)))
    return FirstStudy(name=name, text="\n".join(lines) + "\n", to_do=to_do)


def _is_named(study: StudyRecord) -> bool:
    """Return whether the metric has a name of its user's own."""
    return study.metric.name not in ("value", "values_0") and not _CONTROLS.search(study.metric.name)


def _objective_lines(study: StudyRecord) -> Iterator[str]:
    metric, *others = study.directions.items()
    name = metric[0] if _is_named(study) else "value"
    todo = "" if _is_named(study) else "    # fill in the name that is printed or returned"
    yield f"metric = {toml_value(name)}{todo}"
    yield f"direction = {toml_value(metric[1])}"
    for other, direction in others:
        yield f"# Not taken over: the objective {note_text(other)} ({direction}); a file names one metric."


def _entry_lines(study: StudyRecord, parameter: str) -> Iterator[str]:
    """Yield the entry of one hyperparameter, or why it has none."""
    dimension, name = study.space[parameter], unshown_name(parameter, study.objectives)
    if name == SEED or not is_parameter_name(name) or not _can_be_written(dimension):
        why = "each trial has a seed of its own" if name == SEED else "a study file cannot hold it"
        yield f"# Not taken over: {note_text(name)}, {note_text(dimension.spoken())}; {why}."
        return
    key = toml_key(name)
    if isinstance(dimension, Choices) and "None" in dimension.choices:
        yield f'# {note_text(name)}: None is the text "None" here.'
    if dimension.low == dimension.high:
        value = dimension.choices[0] if isinstance(dimension, Choices) else dimension.low
        yield f"fixed.{key} = {toml_value(value)}"
        return
    when, note = _condition(study, parameter)
    parts = [*_range_parts(dimension), *([f"when = {{ {when} }}"] if when else [])]
    yield f"search.{key} = {{ {', '.join(parts)} }}{note}"


def _can_be_written(dimension: Dimension) -> bool:
    if isinstance(dimension, Choices):
        return not any(_CONTROLS.search(text) for choice in dimension.choices for text in _texts(choice))
    return dimension.low != float("-inf") and dimension.high != float("inf")


def _texts(choice: Value) -> Iterator[str]:
    if isinstance(choice, tuple):
        for entry in choice:
            yield from _texts(entry)
    elif isinstance(choice, str):
        yield choice


def _range_parts(dimension: Dimension) -> list[str]:
    if isinstance(dimension, Choices):
        return [f"choices = {toml_value(dimension.choices)}"]
    step = [] if dimension.step is None else [f"step = {toml_value(dimension.step)}"]
    ends = [f"low = {toml_value(dimension.low)}", f"high = {toml_value(dimension.high)}"]
    return [*ends, *(["log = true"] if dimension.log else []), *step]


def _condition(study: StudyRecord, parameter: str) -> tuple[str, str]:
    """Return the condition of a hyperparameter that not all complete trials have, and a note on it."""
    trials = study.complete_trials()
    having = [trial for trial in trials if parameter in trial.params]
    if len(having) == len(trials):
        return "", ""
    count = f"in {len(having):,} of {len(trials):,} complete trials"
    for other, dimension in study.space.items():
        values = _values_that_decide(parameter, other, dimension, trials)
        if values:
            when = f"{toml_key(unshown_name(other, study.objectives))} = {toml_value(values)}"
            return when, f"    # {count}; the condition is a guess from them"
    return "", f"    # {count}; its condition is not stored"


def _values_that_decide(
    parameter: str, other: str, dimension: Dimension, trials: Sequence[TrialRecord]
) -> list[Any]:
    """Return the choices with which trials have a hyperparameter, if trials with other choices never do."""
    if other == parameter or not isinstance(dimension, Choices):
        return []
    having = {trial.params.get(other) for trial in trials if parameter in trial.params}
    lacking = {
        trial.params[other] for trial in trials if parameter not in trial.params and other in trial.params
    }
    if len({type(value) for value in having}) != 1 or None in having or having & lacking or not lacking:
        return []
    return [choice for choice in dimension.choices if choice in having]
