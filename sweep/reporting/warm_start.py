"""Which configurations of an earlier study does a new one begin with?

Its best ones that lie in the new space, by pooled replicates. They are trained again: seeds, data
or fixed values may differ, and a loss from elsewhere would be taken for one from here.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sweep.definition.ranking import rank_pools
from sweep.definition.records import StudyRecord
from sweep.definition.spec import StudySpec
from sweep.errors import NotFoundError, StudyFileError
from sweep.task import AnyTask

TOP = 5
"""Configurations that are taken over where nothing else is asked for."""


def warm_start(task: AnyTask, spec: StudySpec, study: StudyRecord, top: int = TOP) -> StudySpec:
    """Return the study with the best configurations of another one as its first trials.

    Args:
        task: The trainer.
        spec: The new study.
        study: The earlier one.
        top: Configurations to be taken over, at most.

    Raises:
        NotFoundError: If the earlier study has no complete trial, or none lies in the new space.
        StudyFileError: If the new study runs a grid, which has each cell already.
    """
    if spec.sampler == "grid":
        raise StudyFileError("--from: sampler grid runs every cell, there is nothing to begin with")
    ranked = [pool.trials[0] for pool in rank_pools(study)]
    if not ranked:
        raise NotFoundError(f"--from {study.name}: it has no complete trial yet")
    chosen: dict[int, dict[str, Any]] = {}
    outside: Counter[str] = Counter()
    for trial in ranked:
        values = task.make_config(study.config_values(trial)).to_dict()
        params = spec.space.active_part(
            {**dict.fromkeys(spec.space), **values}
        )  # None: it has no value there
        faults = [n for n, value in params.items() if value is None or not spec.space[n].contains(value)]
        outside.update(faults)
        if not faults and params not in [*chosen.values(), *spec.listed]:
            chosen[trial.number] = params
        if len(chosen) == top:
            break
    if not chosen:
        raise NotFoundError(f"--from {study.name}: {_why(outside, len(ranked))}")
    return _begin_with(spec, list(chosen.values()), {"study": study.name, "trials": list(chosen)})


def resume_warm_start(spec: StudySpec, stored: StudyRecord) -> StudySpec:
    """Return the study with the configurations that it began with, as they are stored."""
    origin = stored.origin
    return _begin_with(spec, stored.listed[: len(origin["trials"])], origin)


def _begin_with(spec: StudySpec, params: list[dict[str, Any]], origin: Mapping[str, Any]) -> StudySpec:
    logged = (*(None for _ in params), *spec.logged) if spec.logged else ()
    return spec.replace(listed=(*params, *spec.listed), logged=logged, origin=origin)


def _why(outside: Counter[str], count: int) -> str:
    if not outside:
        return f"its {count} configurations are listed in this study already"
    faults = ", ".join(f"{name} in {times}" for name, times in outside.most_common())
    return f"none of its {count} configurations lies in this space; outside of it: {faults}"
