"""Train an ablation. It is a study of its own, so an interrupted one resumes in the next run."""

import dataclasses
from collections.abc import Mapping

from sweep.certify.ablation.ablation_plan import Ablation
from sweep.certify.ablation.pair import Pair
from sweep.certify.ablation.stored_ablation import StoredAblation, acceptance, stored_ablation
from sweep.certify.config_file import load_exported_data
from sweep.certify.confirm_plan import Job
from sweep.definition.identity import fingerprint
from sweep.definition.seeds import part_seed
from sweep.definition.spec import StudySpec
from sweep.errors import StudyConflictError
from sweep.execution.how import How
from sweep.execution.run import run_study
from sweep.storage.database import Database
from sweep.storage.study_names import study_names
from sweep.storage.study_reader import load_study
from sweep.task import AnyTask, definition_of, seed_bound, surroundings_of
from sweep.values import Json, Toml

_PURPOSES = {"choice": "ablate-order", "certify": "ablate-steps"}
"""Phase -> what its seeds are derived from."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AblationSpec(StudySpec):
    """An ablation as a study; ``jobs`` lists its trainings in the order of their claims."""

    ablation: Ablation
    jobs: tuple[Job, ...]

    def trial_seed(self, number: int) -> int:
        """Return the seed of the training's round, the same for all configurations."""
        job, bound = self.jobs[number], seed_bound(self.task)
        return part_seed(bound, job.phase, self._key, _PURPOSES[job.phase], job.round)

    @property
    def _key(self) -> str:
        return fingerprint({"fixed": dict(self.fixed), **self.ablation.to_dict()})

    def trial_labels(self, number: int) -> dict[str, Json]:
        """Return the training's configuration, phase and round."""
        return self.jobs[number]._asdict()

    def identity(self, task: AnyTask, data_sha256: str) -> dict[str, Json]:
        """Return the identity of a study of listed configurations, with the ablation instead of the list."""
        return {**super().identity(task, data_sha256), "trial": [], "ablation": self.ablation.to_dict()}


def run_ablation(
    pair: Pair,
    database: Database,
    *,
    name: str,
    section: Mapping[str, Toml],
    how: How | None = None,
) -> bool:
    """Run the trainings of an ablation; return whether all are finished.

    Args:
        pair: The two configurations.
        database: Database that stores the trainings.
        name: Name of the study that stores them.
        section: The ``[data]`` section of the exports, perhaps with another source.
        how: How to run.

    Raises:
        DataError: If the data are not those of the exports.
        StudyConflictError: If another study of that name is stored.
        SweepError: As ``run.run_study``.
    """
    data = load_exported_data(section, pair.origins[0])
    while True:
        stored = earlier_ablation(pair, database, name)
        if not stored.course.jobs:
            return True
        spec = _spec(pair, name, section, stored)
        if run_study(pair.task, spec, database, how, data=data).stopped_by:
            return False


def earlier_ablation(pair: Pair, database: Database, name: str) -> StoredAblation:
    """Return what is stored of an ablation, with no training if there is none.

    Raises:
        StudyConflictError: If another study of that name is stored.
    """
    if not database.exists() or name not in study_names(reader := database.open_read_only()):
        accepts = acceptance(pair.task, pair.fixed, pair.ablation)
        direction = pair.task.metric.direction
        return StoredAblation(ablation=pair.ablation, trials={}, direction=direction, accepts=accepts)
    stored = stored_ablation(load_study(reader, name))
    if stored is None or stored.ablation.to_dict() != pair.ablation.to_dict():
        raise StudyConflictError(f"another study {name!r} is stored; choose another name with --as NAME")
    return stored


def _spec(pair: Pair, name: str, section: Mapping[str, Toml], stored: StoredAblation) -> AblationSpec:
    """Return the study of all trainings: the stored ones, in order, then the next ones."""
    task, jobs, origin = pair.task, stored.jobs, pair.origins[1]
    every = (*jobs, *(job for job in stored.course.jobs if job not in jobs))
    return AblationSpec(
        name=name,
        goal=pair.goal,
        trainer=origin.trainer,
        program=definition_of(task),
        surroundings=surroundings_of(task),
        sampler="listed",
        objectives=(task.metric.name,),
        direction=task.metric.direction,
        data=dict(section),
        fixed=dict(pair.fixed),
        space=pair.ablation.space,
        listed=tuple(pair.ablation.params(job.candidate) for job in every),
        ablation=pair.ablation,
        jobs=every,
    )
