"""Find a trainer by its name: built in, installed as a package, or defined by a study file."""

import importlib
import importlib.metadata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from sweep.errors import NotFoundError
from sweep.task.core import AnyTask
from sweep.values import Toml

BUILT_IN = {"mlp": "sweep.trainers.mlp.trainer:MLP"}
"""Name -> ``module:object`` of the built-in trainers."""

PROGRAMS = {
    "function": "sweep.trainers.function.kind:FUNCTION",
    "command": "sweep.trainers.command.kind:COMMAND",
    "python": "sweep.trainers.function.given.trainer:PYTHON",
}
"""Kind of program -> its ``module:object``; a study file can define the first two."""

_PROGRAM_TRAINER = "sweep.trainers.program.trainer"

DEFAULT_TASK = "mlp"
"""The trainer of a study that names none."""

ENTRY_POINTS = "sweep.trainers"
"""Entry-point group for the trainers of installed packages."""


def load_task(
    name: str, definition: Mapping[str, Toml] | None = None, surroundings: Mapping[str, Toml] | None = None
) -> AnyTask:
    """Return the trainer with a name; look up entry points only if it is not built in.

    Args:
        name: A trainer's name in a study, or one of ``PROGRAMS``.
        definition: The study's definition of a program (``Defined.definition``); None for other trainers.
        surroundings: How the program runs (``Defined.surroundings``); needed only to train.

    Raises:
        NotFoundError: If no trainer has that name, or it cannot be imported.
    """
    if name in PROGRAMS:
        made = _imported(f"{_PROGRAM_TRAINER}:ProgramTask")(name, definition or {}, surroundings or {})
        return cast("AnyTask", made)
    if name in BUILT_IN:
        return cast("AnyTask", _imported(BUILT_IN[name]))
    points = {point.name: point for point in importlib.metadata.entry_points(group=ENTRY_POINTS)}
    if name not in points:
        known = ", ".join([*BUILT_IN, *sorted(points)])
        raise NotFoundError(f"no trainer {name!r} is installed; known: {known}")
    try:
        return cast("AnyTask", points[name].load())
    except (ImportError, AttributeError) as error:
        raise NotFoundError(
            f"trainer {name!r} cannot be loaded from {points[name].value}: {error}"
        ) from error


def guest_task(objectives: Mapping[str, str]) -> AnyTask:
    """Return what stands for the unknown trainer of a study that Optuna made without sweep.

    No study can name it: ``load_task`` does not know it.

    Args:
        objectives: Name -> direction of each objective; the first is the metric.
    """
    made = _imported("sweep.trainers.guest.trainer:GuestTask")(objectives)
    return cast("AnyTask", made)


def program_of_study(kind: str, raw: Mapping[str, Toml], here: Path) -> AnyTask:
    """Return the trainer that a study file defines, which runs the user's program.

    Args:
        kind: One of ``PROGRAMS``.
        raw: The file's values.
        here: The file's folder.

    Raises:
        StudyFileError: If the file has mistakes; one line for each.
    """
    made = _imported(f"{_PROGRAM_TRAINER}:program_of_study")(program_kind_named(kind), raw, here)
    return cast("AnyTask", made)


def trainer_of_function(function: Callable[..., Any], raw: Mapping[str, Toml], here: Path) -> AnyTask:
    """Return a function object as a trainer.

    Args:
        function: Takes ``(config)`` or ``(config, report)``.
        raw: The values that a study file would have.
        here: The folder that it would be in.

    Raises:
        StudyFileError: If the file has mistakes; one line for each.
    """
    made = _imported("sweep.trainers.function.given.trainer:trainer_of_function")(function, raw, here)
    return cast("AnyTask", made)


def program_kind_named(kind: str) -> Any:
    """Return one of ``PROGRAMS``, a ``trainers.program.program.ProgramKind``."""
    return _imported(PROGRAMS[kind])


def _imported(place: str) -> Any:
    module, _, target = place.partition(":")
    return getattr(importlib.import_module(module), target)
