"""The best configurations trained again: in a real database, by real workers."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from sweep.certify.confirm import plan_confirmation, run_confirmation
from sweep.certify.confirm_plan import ConfirmPlan, ConfirmSettings, Job
from sweep.certify.earlier_confirmations import earlier_confirmations
from sweep.certify.provenance import certificate_table, read_certificate
from sweep.certify.stored_confirmation import Confirmation, load_confirmation
from sweep.certify.verdict import certificate_of, judge
from sweep.definition.records import StudyRecord
from sweep.errors import DataError, NotFoundError, StudyConflictError
from sweep.execution.how import How
from sweep.reporting.text.confirmation import sentences
from sweep.storage.study_names import all_study_names, study_names
from sweep.storage.study_reader import load_study
from sweep.storage.study_store import delete_study, rename_study
from tests.support.toy_runs import Watcher, database_in, run_toy, toy_study
from tests.support.toy_task import TOY, ToyTask

ASKED = ConfirmSettings(top=2, seeds=2, certify=2, delta=0.003)


def stored(folder: Path, name: str = "toy") -> tuple[StudyRecord, Confirmation | None]:
    storage = database_in(folder).open_read_only()
    study = load_study(storage, name)
    return study, load_confirmation(storage, study)


def confirm(
    folder: Path, asked: ConfirmSettings = ASKED, watcher: Watcher | None = None, task: ToyTask = TOY
) -> tuple[bool, ConfirmPlan]:
    """Confirm the toy study as the command does."""
    watcher = watcher or Watcher()
    study, earlier = stored(folder)
    plan = plan_confirmation(study, earlier, asked)
    database = database_in(folder)
    finished = run_confirmation(
        task, study, plan, database, how=How(workers=1, observe=watcher, should_stop=watcher.should_stop)
    )
    return finished, plan


def losses(folder: Path, name: str = "toy") -> dict[Job, float | None]:
    _, confirmation = stored(folder, name)
    assert confirmation is not None
    return dict(confirmation.losses)


@pytest.fixture(scope="module")
def toy_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which the toy study was run."""
    folder = tmp_path_factory.mktemp("searched")
    run_toy(folder, toy_study())
    return folder


@pytest.fixture
def searched(toy_once: Path, tmp_path: Path) -> Path:
    """A copy of the folder in which the toy study was run."""
    return shutil.copytree(toy_once, tmp_path / "searched")


@pytest.fixture(scope="module")
def confirmed_once(toy_once: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ConfirmPlan]:
    """Folder in which the toy study was confirmed by the plan."""
    folder = shutil.copytree(toy_once, tmp_path_factory.mktemp("confirmed") / "toy")
    finished, plan = confirm(folder)
    assert finished
    return folder, plan


@pytest.fixture
def confirmed(confirmed_once: tuple[Path, ConfirmPlan], tmp_path: Path) -> tuple[Path, ConfirmPlan]:
    """A copy of the folder in which the toy study was confirmed by the plan."""
    folder, plan = confirmed_once
    return shutil.copytree(folder, tmp_path / "confirmed"), plan


def test_the_candidates_are_trained_on_seeds_of_their_own(confirmed: tuple[Path, ConfirmPlan]) -> None:
    """Two candidates have the same two seeds, the chosen one two more, and the search has none of them."""
    folder, plan = confirmed
    study, confirmation = stored(folder)
    assert confirmation is not None
    assert confirmation.plan == plan
    seeds = {job: trial.seed for job, trial in confirmation.trials.items()}
    first, second = (candidate.trial for candidate in plan.candidates)
    assert [seeds[Job(first, "choice", r)] for r in (0, 1)] == [
        seeds[Job(second, "choice", r)] for r in (0, 1)
    ]
    assert len(set(seeds.values())) == 4
    assert not {trial.seed for trial in study.trials} & set(seeds.values())
    assert len(seeds) == 6
    params = {trial.number: trial.params for trial in study.trials}
    assert all(trial.params == params[job.candidate] for job, trial in confirmation.trials.items())


def test_of_two_confirmations_at_once_one_is_planned(searched: Path) -> None:
    """Who read the study before the other's plan was stored is refused, and no plan is added or lost."""
    study, earlier = stored(searched)
    plan = plan_confirmation(study, earlier, ASKED)
    confirm(searched)
    before, _ = stored(searched)
    with pytest.raises(StudyConflictError, match="another confirmation of 'toy' was planned meanwhile"):
        run_confirmation(TOY, study, plan, database_in(searched), how=How(workers=1))
    assert stored(searched)[0] == before
    assert len(before.plans) == 1


def test_the_search_is_left_alone(searched: Path) -> None:
    """A confirmation changes no trial of its study and is not listed among the studies."""
    before, _ = stored(searched)
    confirm(searched)
    after, _ = stored(searched)
    assert after.trials == before.trials
    storage = database_in(searched).open_read_only()
    assert study_names(storage) == ["toy"]
    assert all_study_names(storage) == ["toy", "toy/confirm"]


def test_an_interrupted_confirmation_goes_on(searched: Path, confirmed: tuple[Path, ConfirmPlan]) -> None:
    """Stopped after some segments and run again, it has the numbers of one that was not, by the same plan."""
    straight, _ = confirmed
    finished, plan = confirm(searched, watcher=Watcher(stop_after=7))
    assert not finished
    finished, again = confirm(searched)
    assert finished
    assert again == plan
    assert losses(searched) == losses(straight)


def test_a_finished_confirmation_trains_nothing(confirmed: tuple[Path, ConfirmPlan]) -> None:
    """The same command again makes no plan and no training."""
    folder, plan = confirmed
    before = losses(folder)
    watcher = Watcher()
    assert confirm(folder, watcher=watcher) == (True, plan)
    assert watcher.events == []
    assert losses(folder) == before


def test_what_a_kill_left_after_the_last_training_is_tidied(confirmed: tuple[Path, ConfirmPlan]) -> None:
    """The next confirmation has nothing to train, yet no temporary file stays and no curve in parts."""
    folder, _ = confirmed
    files = database_in(folder).files.path / "toy/confirm/000005"
    (files / "curve.safetensors").rename(files / ".tmp-1-0123456789abcdef")
    steps, losses = np.arange(3_000), np.zeros(3_000, np.float32)
    parts = {"losses-0000000000-0000003000.safetensors": {"step": steps, "loss": losses}}
    for name, arrays in parts.items():
        safetensors.numpy.save_file(arrays, files / name)
    assert confirm(folder)[0]
    assert sorted(path.name for path in files.iterdir()) == [
        "curve.safetensors",
        "state-0000003000.safetensors",
    ]


def test_more_seeds_are_a_new_plan_that_uses_what_is_there(confirmed: tuple[Path, ConfirmPlan]) -> None:
    """Every plan is kept; rounds that are trained already are not trained again."""
    folder, first = confirmed
    before = losses(folder)
    finished, second = confirm(folder, ConfirmSettings(top=2, seeds=3, certify=2, delta=0.003))
    study, _ = stored(folder)
    assert finished
    assert [ConfirmPlan.from_dict(plan) for plan in study.plans] == [first, second]
    after = losses(folder)
    assert {job: after[job] for job in before} == before
    assert len(after) - len(before) in (2, 4)  # one more round each, and perhaps another one chosen


def test_an_earlier_result_stays_visible(confirmed: tuple[Path, ConfirmPlan]) -> None:
    """As it was printed then; the certificate has the number of its confirmation."""
    folder, _ = confirmed
    study, first = stored(folder)
    assert first is not None
    then = judge(study, first)
    assert list(earlier_confirmations(study, first)) == []
    confirm(folder, ConfirmSettings(top=2, seeds=3, certify=3, delta=0.003))
    study, second = stored(folder)
    assert second is not None
    (earlier,) = earlier_confirmations(study, second)
    assert (earlier.number, earlier.is_finished) == (1, True)
    assert earlier.verdict.certified == then.certified
    assert earlier.verdict.rows.records == then.rows.records
    now = judge(study, second)
    *_, last = sentences(study, second, now, None)
    assert last.startswith("confirmation 1 of 2, ")
    assert last.endswith(f"seeds): trial {then.chosen.trial}, certified dev loss {then.certified_mean:.4f}")
    table = certificate_table(certificate_of(second, now), "toy")
    assert table["confirmation"] == 2
    assert "confirmation" not in certificate_table(certificate_of(first, then), "toy")
    assert read_certificate({"certificate": table}) == certificate_of(second, now)


def test_more_trials_are_a_new_plan(confirmed: tuple[Path, ConfirmPlan]) -> None:
    """A search that went on may have better candidates, so they are chosen anew."""
    folder, first = confirmed
    run_toy(folder, toy_study(trials=12))
    study, earlier = stored(folder)
    second = plan_confirmation(study, earlier, ASKED)
    assert (first.trials_seen, second.trials_seen) == (6, 12)


def test_a_study_without_a_loss_cannot_be_confirmed(tmp_path: Path) -> None:
    """The error says so and what to do."""
    trials = [{"x": 0.2, "y": 2, "conduct": "nan"}]
    run_toy(tmp_path, toy_study(sampler="listed", trials=1, trial=trials))
    with pytest.raises(NotFoundError, match="all 1 ended without one; `sweep table toy` shows why"):
        confirm(tmp_path)


def test_another_trainer_confirms_nothing(searched: Path) -> None:
    """Losses of another version of the trainer are not compared with the search's."""
    with pytest.raises(DataError, match="trainer_version changed since the study was run"):
        confirm(searched, task=ToyTask(version=2))


def test_the_confirmation_follows_its_study(confirmed: tuple[Path, ConfirmPlan]) -> None:
    """Renamed and deleted with it."""
    folder, _ = confirmed
    before = losses(folder)
    storage = database_in(folder).open_for_writing()
    rename_study(storage, "toy", "play")
    assert losses(folder, "play") == before
    delete_study(storage, "play")
    assert all_study_names(storage) == []


def test_what_was_found_for_a_configuration_is_kept(tmp_path: Path) -> None:
    """What the search found for a candidate holds on all its seeds, and is not looked for again."""
    space = {"y": {"low": 1, "high": 9}}
    run_toy(tmp_path, toy_study(fixed={"x": "auto"}, search=space, data={"words": str(tmp_path)}))
    confirm(tmp_path)
    study, confirmation = stored(tmp_path)
    assert confirmation is not None
    found = {trial.number: trial.found for trial in study.trials}
    assert len({values["x"] for values in found.values()}) > 1
    assert all(trial.found == found[job.candidate] for job, trial in confirmation.trials.items())
    asked = {path.name for path in tmp_path.glob("asked-*")}
    assert asked == {f"asked-{trial.seed}" for trial in study.trials}
