"""Read the configurations that a study file lists as ``[[trial]]``, with the values of an earlier log."""

from collections.abc import Mapping

from sweep.definition.space import Space
from sweep.errors import ConfigError, StudyFileError
from sweep.spelling import did_you_mean
from sweep.task import AnyTask
from sweep.values import Toml, Value

Listed = tuple[list[dict[str, Value]], tuple[float | None, ...]]
"""Configurations, and the logged value of each."""

NONE_LISTED: Listed = ([], ())


def read_listed(trials: Toml) -> Listed:
    """Return the listed configurations and, separately, the logged value of each.

    Raises:
        StudyFileError: If ``trials`` is not a list of tables, or a logged value is not a loss.
    """
    if not isinstance(trials, list) or not all(isinstance(trial, Mapping) for trial in trials):
        raise StudyFileError("trial must be a list of tables; write each configuration as [[trial]]")
    logged = tuple(_check_logged(trial.get("logged")) for trial in trials)
    return [{key: value for key, value in trial.items() if key != "logged"} for trial in trials], logged


def _check_logged(value: object) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= float(str(value)) < float("inf"):
        raise StudyFileError(f"trial.logged must be a loss, at least 0; got {value!r}")
    return float(str(value))


def check_listed(number: int, params: dict[str, Value], space: Space, task: AnyTask) -> dict[str, Value]:
    """Check one listed configuration and convert its values to the types of their fields.

    Raises:
        StudyFileError: If it lacks a searched hyperparameter, sets another, or lies outside the search space.
    """
    where = f"[[trial]] number {number}"
    for name in params:
        if name not in space:
            hint = did_you_mean(name, space, "{} ")
            known = ", ".join(space)
            raise StudyFileError(f"{where} sets {name}, which is not searched; {hint}searched: {known}")
    for name in space.asking_order():
        active = space.is_active(name, params)
        if active and name not in params:
            raise StudyFileError(f"{where} lacks {name}, which is searched")
        if not active and name in params:
            needed = space.spoken_condition(name)
            raise StudyFileError(f"{where} sets {name}, which is active only if {needed}")
    try:
        config = task.make_config(params).to_dict()
    except ConfigError as error:
        raise StudyFileError(f"{where}: {error}") from error
    checked = {name: config[name] for name in space if name in params}
    for name, value in checked.items():
        if not space[name].contains(value):
            raise StudyFileError(f"{where}: {name} = {value!r} lies outside the search space")
    return checked
