"""Register the samplers and pruners that a study file may name, and load each on first use.

Sweep can check a study file without loading a sampler's libraries. This room knows the names only; the
functions are in rooms above it.
"""

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sweep.errors import NotFoundError, StudyFileError
from sweep.task import DEFAULT_TASK, PROGRAMS, AnyTask, load_task, program_of_study
from sweep.values import Toml


class Registry(Mapping[str, Any]):
    """A mapping of names to objects that are imported on access.

    Examples:
        >>> list(Registry({"root": "math:sqrt"}))
        ['root']
        >>> Registry({"root": "math:sqrt"})["root"](9)
        3.0
    """

    def __init__(self, targets: Mapping[str, str]) -> None:
        """Take name -> ``module:object``."""
        self._targets = dict(targets)

    def __getitem__(self, name: str) -> Any:
        module, _, target = self._targets[name].partition(":")
        return getattr(importlib.import_module(module), target)

    def __contains__(self, name: object) -> bool:
        return name in self._targets

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def __len__(self) -> int:
        return len(self._targets)


SAMPLERS = Registry(
    {
        "tpe": "sweep.samplers.make_samplers:tpe",
        "gp": "sweep.samplers.make_samplers:gp",
        "gp_cost": "sweep.samplers.make_samplers:gp_cost",
        "random": "sweep.samplers.make_samplers:random",
        "qmc": "sweep.samplers.make_samplers:qmc",
        "grid": "sweep.samplers.make_samplers:grid",
        "listed": "sweep.samplers.make_samplers:listed",
    }
)
"""Name -> ``MakeSampler``, which proposes configuration ``number`` of a study."""

PRUNERS = Registry(
    {
        "none": "sweep.execution.pruners:never",
        "median": "sweep.execution.pruners:median",
        "asha": "sweep.execution.pruners:asha",
    }
)
"""Name -> function of (rungs, trial, rung) that returns whether to prune the trial."""


def named_trainer(raw: Mapping[str, Toml], here: Path) -> AnyTask:
    """Return the trainer that a study file names or defines; ``DEFAULT_TASK`` if it does neither.

    Args:
        raw: The file's values.
        here: The file's folder.

    Raises:
        StudyFileError: If no trainer has that name, or its definition breaks a rule.
    """
    kind = program_kind(raw)
    if kind is not None:
        return program_of_study(kind, raw, here)
    try:
        return load_task(check_trainer("trainer", raw.get("trainer", DEFAULT_TASK)))
    except NotFoundError as error:
        raise StudyFileError(f"trainer: {error}", key="no-trainer") from error


def program_kind(raw: Mapping[str, Toml]) -> str | None:
    """Return the kind of program, of ``PROGRAMS``, that a study file defines; None for an installed trainer.

    Raises:
        StudyFileError: If it has both a trainer and a command.
    """
    if "command" in raw and "trainer" in raw:
        raise StudyFileError("trainer and command exclude each other; keep one of them")
    if "command" in raw:
        return "command"
    return "function" if ":" in str(raw.get("trainer", "")) else None


def check_trainer(key: str, value: object) -> str:
    """Return ``value`` if it can name a trainer; ``key`` is its key in messages."""
    if not isinstance(value, str) or not value or value in PROGRAMS:
        raise StudyFileError(f'{key} must be the name of a trainer, or "module:function", got {value!r}')
    return value
