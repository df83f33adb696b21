"""Train the best configurations of a study again on fresh seeds.

A confirmation is itself a study, named ``<name>/confirm``, a name that no study file can have. It has the
candidates' hyperparameters and seeds from the plan. The driver trains it, so an interrupted confirmation
resumes in the next run.
"""

import contextlib
import dataclasses
import datetime
from collections.abc import Mapping, Sequence

from sweep.certify.confirm_plan import ConfirmPlan, ConfirmSettings, Job, round_seed
from sweep.certify.contenders import rank_configurations
from sweep.certify.stored_confirmation import Confirmation, load_confirmation
from sweep.certify.study_data import StudyData
from sweep.definition.identity import fingerprint
from sweep.definition.records import StudyRecord
from sweep.definition.spec import StudySpec
from sweep.errors import ConfigError, DataError, StudyConflictError
from sweep.execution.how import How
from sweep.execution.one_program import accepted_version, read_versions
from sweep.execution.run import run_study
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.storage.database.optuna_schema import Storage
from sweep.storage.study_files import check_files
from sweep.storage.study_names import confirmation_name
from sweep.storage.study_reader import load_study, no_complete_trial
from sweep.storage.study_store import write_plan
from sweep.task import AnyTask, Resplits, check_program, data_name, seed_bound, split_rule
from sweep.values import Json, Params


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfirmSpec(StudySpec):
    """A confirmation as a study; ``jobs`` lists its trainings in the order of their claims."""

    parent: Mapping[str, Json]
    """Identity of the confirmed study."""
    jobs: tuple[Job, ...]
    found: Mapping[int, Params]
    """Candidate -> hyperparameters that the search found for its configuration."""

    @property
    def program_keeper(self) -> str:
        """Name of the confirmed study, which has the same program."""
        return self.name.removesuffix(confirmation_name(""))

    def trial_found(self, number: int) -> Params:
        """Return the hyperparameters that the search found; they are the same on every seed."""
        return self.found[self.jobs[number].candidate]

    def trial_seed(self, number: int) -> int:
        """Return the seed of the training's round."""
        job = self.jobs[number]
        return round_seed(fingerprint(self.parent), job.phase, job.round, seed_bound(self.task))

    @property
    def cuts(self) -> Mapping[int, int]:
        """Return the cut of each training that has train and dev cut again."""
        seeds = {self.trial_seed(number): job for number, job in enumerate(self.jobs)}
        return {seed: job.round + 1 for seed, job in seeds.items() if job.phase == "resplit"}

    def trial_labels(self, number: int) -> dict[str, Json]:
        """Return the training's candidate, phase and round."""
        return self.jobs[number]._asdict()

    def identity(self, task: AnyTask, data_sha256: str) -> dict[str, Json]:
        """Return the confirmed study's identity without its search settings."""
        now = {"data_sha256": data_sha256, "split": split_rule(task), "trainer_version": task.version}
        changed = [name for name, value in now.items() if self.parent[name] != value]
        if changed:
            spoken = {"data_sha256": data_name(task, self.data)}
            names = ", ".join(spoken.get(name, name) for name in changed)
            raise DataError(f"{names} changed since the study was run; restore the former version")
        how: dict[str, Json] = {"sampler": "listed", "pruner": "none", "replicates": 1, "trial": []}
        how["objective"] = self.objectives[0]
        return {**self.parent, **how, "confirms": fingerprint(self.parent)}


def plan_confirmation(
    study: StudyRecord, earlier: Confirmation | None, asked: ConfirmSettings
) -> ConfirmPlan:
    """Return the plan of a confirmation with these settings.

    Return the latest plan if it has these settings and is either unfinished or was made from the same number
    of complete trials; otherwise a new plan.

    Raises:
        NotFoundError: If the study has no complete trial.
        ConfigError: If train and dev are to be cut again, and the trainer cannot.
        DataError: If its data cannot be read for that.
    """
    if asked.resplit and not isinstance(study.task, Resplits):
        raise ConfigError(f"trainer {study.task.name} cannot cut train and dev again; leave out --resplit")
    complete = len(study.complete_trials())
    if not complete:
        raise no_complete_trial(study)
    if earlier is not None and earlier.plan.settings == asked:
        is_current = earlier.plan.trials_seen == complete
        if is_current or earlier.remaining:
            return earlier.plan
    return ConfirmPlan(
        made=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        fingerprint=study.fingerprint,
        trials_seen=complete,
        candidates=tuple(rank_configurations(study)[: asked.top]),
        settings=asked,
        dev_to_train=_dev_to_train(study) if asked.resplit else None,
    )


def _dev_to_train(study: StudyRecord) -> float:
    """Return the number of dev units over that of train units."""
    task, data = study.task, StudyData(study).data
    assert isinstance(task, Resplits), "the caller checked it"
    return len(task.units(data, "dev")) / len(task.units(data, "train"))


def run_confirmation(
    task: AnyTask, study: StudyRecord, plan: ConfirmPlan, database: Database, how: How | None = None
) -> bool:
    """Run the trainings of a plan; return whether all are finished.

    Raises as ``run.run_study``; refuses a changed program before it stores the plan.
    """
    how = how or How()
    if (code := check_program(task, study.data)) is not None:
        versions = read_versions(study.name, study.code)
        accepted_version(study.name, versions, code, how.code_changed)
    storage = database.open_for_writing()
    if not study.plans or study.plans[-1] != plan.to_dict():
        _write_plan(storage, study, plan, database)
    while True:
        study = load_study(storage, study.name)
        confirmation = load_confirmation(storage, study)
        assert confirmation is not None, "its plan was written above"
        jobs = confirmation.remaining
        if not jobs:
            _tidy(confirmation, database)
            return True
        spec = _confirm_spec(study, confirmation, jobs)
        summary = run_study(task, spec, database, how)
        if summary.stopped_by:
            return False


def _write_plan(storage: Storage, study: StudyRecord, plan: ConfirmPlan, database: Database) -> None:
    """Store a plan; refuse if another confirmation is running or was planned since the study was read."""
    with database.driver_lock(confirmation_name(study.name)):
        check_files(database, storage, study.name)
        if load_study(storage, study.name).plans != study.plans:
            raise StudyConflictError(
                f"another confirmation of {study.name!r} was planned meanwhile; run the command again"
            )
        write_plan(storage, study.name, plan.to_dict())


def _tidy(confirmation: Confirmation, database: Database) -> None:
    """Clean up the files of a finished confirmation, in case its last driver was killed."""
    checkpoints = Checkpoints(database.files / confirmation.name)
    with contextlib.suppress(StudyConflictError), database.driver_lock(confirmation.name):
        for trial in confirmation.trials.values():
            checkpoints.close(trial.number, keep=trial.dev_loss is not None)


def _confirm_spec(study: StudyRecord, confirmation: Confirmation, jobs: Sequence[Job]) -> ConfirmSpec:
    """Return the study of all trainings: the stored ones, in order, then the next ones."""
    stored = sorted(confirmation.trials, key=lambda job: confirmation.trials[job].number)
    every = (*stored, *(job for job in jobs if job not in confirmation.trials))
    params = {trial.number: trial.params for trial in study.trials}
    return ConfirmSpec(
        name=confirmation.name,
        goal=f"confirms {study.name}",
        trainer=study.trainer,
        program=study.program,
        surroundings=study.surroundings,
        sampler="listed",
        objectives=study.objectives[:1],
        direction=study.direction,
        keep=len(every),
        resources=study.resources,
        data=study.data,
        fixed=dict(study.fixed),
        space=study.space,
        listed=tuple(params[job.candidate] for job in every),
        parent=study.identity,
        jobs=every,
        found={trial.number: trial.found for trial in study.trials},
    )
