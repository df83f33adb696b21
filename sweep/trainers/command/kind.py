"""Train with an unmodified script: ``command = ["python", "train.py", "{args}"]`` in a study file."""

import math
import os
import re
import shlex
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sweep.definition.sections.mistakes import refuse_all
from sweep.errors import NotFoundError, StudyFileError
from sweep.trainers.command.arguments import DEFAULT_STYLE, CommandLine
from sweep.trainers.command.config_files import nested, write_config
from sweep.trainers.command.metric_file import parse_metric_file
from sweep.trainers.command.placeholders import Place
from sweep.trainers.command.running import RunningCommand
from sweep.trainers.command.sources import command_code
from sweep.trainers.program.definition import PARAMETERS, listed_values
from sweep.trainers.program.process.supervised import Supervised
from sweep.trainers.program.program import Launch, ProgramKind, Startable
from sweep.trainers.program.testing.keys import USES_ALL
from sweep.values import Toml, Value


def command_line(definition: Mapping[str, Toml], conditional: tuple[str, ...] = ()) -> CommandLine:
    """Return the command of a definition.

    Raises:
        StudyFileError: With a line for each mistake.
    """
    params = list(definition[PARAMETERS])
    return CommandLine.parse(
        definition["command"],
        params=[*params, definition["seeds"]] if "seeds" in definition else params,
        conditional=conditional,
        style=definition.get("style", DEFAULT_STYLE),
        arguments=definition.get("arguments"),
        uses_all=definition.get(USES_ALL, True),
    )


def _check(definition: Mapping[str, Toml], surroundings: Mapping[str, Toml], raw: Mapping[str, Toml]) -> None:
    """Refuse a command whose tokens, style and values are inconsistent, or a study without a metric."""
    if "metric" not in definition:
        raise StudyFileError('metric is missing; name the metric that the command prints, such as "val_loss"')
    if definition.get("pick") == "best" and "metric_file" in definition:
        raise StudyFileError(
            'pick = "best" chooses among the values that a command prints or reports, but metric_file is '
            "read once, at its end; remove one of them"
        )
    search = {name: entry for name, entry in raw.get("search", {}).items() if isinstance(entry, Mapping)}
    conditional = [name for name, entry in search.items() if "when" in entry]
    tried = _tried(raw, search)
    command_line(definition, tuple(conditional)).check_values(tried)
    seeds = [definition["seeds"]] if "seeds" in definition else []
    _check_config(
        [*(name for name in definition[PARAMETERS] if name not in conditional), *seeds],
        {name: values for name, values in tried.items() if "choices" in search.get(name, {"choices": []})},
    )


def _tried(raw: Mapping[str, Toml], search: Mapping[str, Mapping[str, Toml]]) -> dict[str, list[Any]]:
    """Return the values that the file gives each hyperparameter, once each; of a range its ends."""
    tried: dict[str, dict[str, Any]] = {}
    fixed = {name: [value] for name, value in raw.get("fixed", {}).items()}
    searched = {name: _choices_or_ends(entry) for name, entry in search.items()}
    for values_of in (fixed, searched, listed_values(raw)):
        for name, values in values_of.items():
            tried.setdefault(name, {}).update({repr(value): value for value in values})
    return {name: list(values.values()) for name, values in tried.items()}


def _choices_or_ends(entry: Mapping[str, Toml]) -> list[Any]:
    choices = entry.get("choices")
    return choices if isinstance(choices, list) else [entry[end] for end in ("low", "high") if end in entry]


def _check_config(always: Sequence[str], values: Mapping[str, Sequence[Any]]) -> None:
    """Refuse names and values that ``config.json`` cannot hold, which is written for each trial.

    Args:
        always: The names that each trial has, that of its seed too.
        values: Hyperparameter -> its fixed value, its choices or listed values.
    """
    nested(dict.fromkeys(always))
    refuse_all(
        f"{name} = {value!r}: a command finds its hyperparameters in config.json, and JSON has no such "
        f'number; write it as text, "{text}"'
        for name, tried in values.items()
        for value in tried
        if (text := _not_finite(value))
    )


def _not_finite(value: Value) -> str:
    """Return the text of the first number in a value that is not finite; empty if there is none."""
    if isinstance(value, list | tuple):
        return next(filter(None, map(_not_finite, value)), "")
    return str(value) if isinstance(value, float) and not math.isfinite(value) else ""


def _check_read(key: str, value: Toml) -> str:
    """Return ``value`` if it is a regular expression with a group ``value``."""
    try:
        pattern = re.compile(value)
    except (TypeError, re.error) as error:
        raise StudyFileError(f"{key} must be a regular expression ({error}), got {value!r}") from error
    if "value" not in pattern.groupindex:
        raise StudyFileError(f"{key} must have a group (?P<value>...), got {value!r}")
    return str(value)


def _check_metric_file(key: str, value: Toml) -> Toml:
    """Return ``value`` if it names a metric file of a known format."""
    parse_metric_file(value)
    return value


def _preflight(
    definition: Mapping[str, Toml], surroundings: Mapping[str, Toml], sources: Sequence[str]
) -> Startable:
    """Return the code of a command; refuse a missing program or script."""
    _check_files(definition, surroundings)
    return Startable(command_code(definition, surroundings, sources))


def _check_files(definition: Mapping[str, Toml], surroundings: Mapping[str, Toml]) -> None:
    """Refuse a missing program or script.

    Raises:
        NotFoundError: With the folder that was searched.
    """
    start, here = surroundings["start"], surroundings["here"]
    cwd = surroundings.get("cwd", ".")
    tokens = [token.replace("{here}", here) for token in definition["command"]]
    if tokens[0] != "python" and "{" not in tokens[0]:
        _check_executable(tokens[0], Path(start))
    if "{dir}" in cwd:
        return
    folder = Path(start, cwd.replace("{here}", here))
    script = tokens[1] if len(tokens) > 1 else ""
    if tokens[0] == "python" and script.endswith(".py") and not (folder / script).is_file():
        raise NotFoundError(f"script {script!r} does not exist in {folder}", key="no-script")


def _check_executable(command: str, start: Path) -> None:
    if "/" in command:
        found = start / command
    else:
        found = Path(shutil.which(command) or Path(sys.executable).parent / command)
    if not found.exists():
        raise NotFoundError(f"command {command!r} is neither in {start} nor on PATH", key="no-command")
    if not found.is_file() or not os.access(found, os.X_OK):
        raise NotFoundError(
            f"command {command!r} is not executable; chmod +x {found}, or name its interpreter first",
            key="not-executable",
        )


class CommandStarter:
    """Starts a command, a new process for each trial."""

    def __init__(self, definition: Mapping[str, Toml], surroundings: Mapping[str, Toml]) -> None:
        """Initialize from the checked definition and its surroundings."""
        self._line, self._definition = command_line(definition), definition

    def start(self, launch: Launch) -> RunningCommand:
        """Start the command of a trial.

        Raises:
            NotFoundError: If the program does not exist.
            MachineError: If the program cannot start.
        """
        running = RunningCommand(launch)
        try:
            argv = self._line.expand(self._values(launch), self._place(launch))
            environment = launch.environment()
            environment.setdefault("MASTER_PORT", str(_free_port()))
            launch.folder.write_command(argv, launch.cwd, launch.shown_environment(environment))
            stdout, stderr = running.files.descriptors
            supervised = Supervised(
                argv,
                cwd=launch.cwd,
                env=environment,
                grace=launch.grace_s,
                stdout=stdout,
                stderr=stderr,
                held=[launch.attempt.lock],
            )
        except BaseException:
            running.files.close(was_killed=True)
            raise
        running.begin(supervised, shlex.join(argv))
        return running

    def close(self) -> None:
        """Do nothing: the process of a trial ends with the trial."""

    def _values(self, launch: Launch) -> dict[str, Value]:
        values = dict(launch.config.values)
        if "seeds" in self._definition:
            values[self._definition["seeds"]] = launch.config.seed
        return values

    def _place(self, launch: Launch) -> Place:
        folder, values = launch.folder.path, self._values(launch)
        formats = {"json", *self._line.formats}
        return Place(
            seed=launch.config.seed,
            dir=folder,
            here=launch.here,
            checkpoint=launch.folder.checkpoint,
            trial=launch.trial,
            study=launch.study,
            python=sys.executable,
            port=_free_port(),
            configs={kind: write_config(folder, kind, values) for kind in sorted(formats)},
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _as_given(key: str, value: Toml) -> Toml:
    """Return a value unchecked: ``CommandLine.parse`` checks all values together."""
    return value


COMMAND = ProgramKind(
    name="command",
    defining={
        "command": _as_given,
        "style": _as_given,
        "arguments": _as_given,
        "metric_file": _check_metric_file,
        "read": _check_read,
    },
    surrounding={},
    check=_check,
    preflight=_preflight,
    starter=CommandStarter,
)
