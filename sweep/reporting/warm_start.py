"""Begin a study with the best configurations of an earlier one.

These are the best ones inside the new space, by the mean over replicates. They are trained again, because
seeds, data or fixed values may differ, so that the earlier losses are not comparable.
"""

from collections import Counter
from collections.abc import Mapping

from sweep.definition.dimension import Dimension, Range, is_number
from sweep.definition.ranking import ranked_replicates
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.definition.spec import StudySpec
from sweep.errors import NotFoundError, StudyFileError
from sweep.storage.guests.values import unshown_name
from sweep.task import AnyTask
from sweep.values import Toml, Value

TOP = 5
"""Configurations that are taken over where nothing else is asked for."""


def warm_start(
    task: AnyTask, spec: StudySpec, study: StudyRecord, top: int = TOP, *, label: str | None = None
) -> StudySpec:
    """Return the study with the best configurations of another one as its first trials.

    Args:
        task: The trainer.
        spec: The new study.
        study: The earlier one.
        top: Configurations to be taken over, at most.
        label: What is stored of the earlier study, if not its name.

    Raises:
        NotFoundError: If the earlier study has no complete trial, or none lies in the new space.
        StudyFileError: If the new study runs a grid, which has each cell already.
    """
    if spec.sampler == "grid":
        raise StudyFileError("--from: sampler grid runs every cell already; leave out --from")
    ranked = [group.trials[0] for group in ranked_replicates(study)]
    if not ranked:
        raise NotFoundError(f"--from {study.name}: it has no complete trial yet")
    chosen: dict[int, dict[str, Value]] = {}
    outside: Counter[str] = Counter()
    for trial in ranked:
        values = _values(task, study, trial)
        params = spec.space.active_part(
            {**dict.fromkeys(spec.space), **values}
        )  # None: it has no value there
        faults = [name for name, value in params.items() if not _lies_in(spec.space[name], value)]
        outside.update(faults)
        if not faults and params not in [*chosen.values(), *spec.listed]:
            chosen[trial.number] = params
        if len(chosen) == top:
            break
    if not chosen:
        raise NotFoundError(f"--from {study.name}: {_why(outside, len(ranked))}")
    origin = {"study": label or study.name, "trials": list(chosen)}
    return _begin_with(spec, list(chosen.values()), origin)


def _values(task: AnyTask, study: StudyRecord, trial: TrialRecord) -> dict[str, Value]:
    """Return the hyperparameters of a trial; a guest's are not those of the trainer."""
    if study.is_guest:
        return {unshown_name(name, study.objectives): value for name, value in trial.params.items()}
    values: dict[str, Value] = task.make_config(study.config_values(trial)).to_dict()
    return values


def _lies_in(dimension: Dimension, value: Value) -> bool:
    """Return whether a value is one of a dimension's; None is none."""
    if value is None or (isinstance(dimension, Range) and not is_number(value)):
        return False
    return dimension.contains(value)


def resume_warm_start(spec: StudySpec, stored: StudyRecord) -> StudySpec:
    """Return the study with the configurations that it began with, as they are stored."""
    origin = stored.origin
    return _begin_with(spec, stored.listed[: len(origin["trials"])], origin)


def _begin_with(spec: StudySpec, params: list[dict[str, Value]], origin: Mapping[str, Toml]) -> StudySpec:
    logged = (*(None for _ in params), *spec.logged) if spec.logged else ()
    return spec.replace(listed=(*params, *spec.listed), logged=logged, origin=origin)


def _why(outside: Counter[str], count: int) -> str:
    if not outside:
        return f"its {count} configurations are listed in this study already"
    faults = ", ".join(f"{name} in {times}" for name, times in outside.most_common())
    return f"none of its {count} configurations lies in this space; outside of it: {faults}"
