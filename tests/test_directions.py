"""A metric that is maximised: every decision is that of the twin that minimises the negated values.

The twins are the toy and the same toy with all values negated. They are searched, confirmed and shown.
"""

import dataclasses
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from sweep import task as seam
from sweep.certify.confirm import plan_confirmation, run_confirmation
from sweep.certify.confirm_plan import ConfirmSettings
from sweep.certify.contenders import rank_configurations
from sweep.certify.stored_confirmation import Confirmation, load_confirmation
from sweep.certify.verdict import certificate_of, judge
from sweep.definition.ranking import rank_trials
from sweep.definition.records import StudyRecord
from sweep.definition.registries import SAMPLERS
from sweep.execution.how import How
from sweep.reporting.advice.checks import advise
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.cost import loss_by_objective
from sweep.reporting.figures.expected_best import expected_best_curve
from sweep.reporting.figures.history import history_by_trial
from sweep.reporting.figures.plots import draw, plots_of
from sweep.reporting.figures.rungs import rung_curves
from sweep.reporting.further_trials.expected_best import draws
from sweep.reporting.table.formats import FORMATS
from sweep.reporting.table.listing import Listing
from sweep.reporting.table.pareto_summary import describe_front
from sweep.reporting.text.confirmation import sentences
from sweep.samplers.importances import parameter_importances
from sweep.storage.study_reader import load_study
from tests.support.study_evidence import made_confirmation
from tests.support.toy_runs import database_in, run_toy, toy_study
from tests.support.toy_task import NEGATED, TOY

TWINS = {"toy": TOY, "negated-toy": NEGATED}

GRID = {"x": {"low": 0.0, "high": 1.0, "step": 0.25}, "y": {"choices": [1, 5]}}
LISTED = [{"x": n / 8, "y": 1 + n % 3} for n in range(9)]

STUDIES: dict[str, dict[str, Any]] = {
    "tpe": {"trials": 16, "pruner": "asha"},
    "gp": {"trials": 13},
    "gp_cost": {"trials": 16, "pruner": "median"},
    "random": {"trials": 16, "pruner": "median", "replicates": 2},
    "qmc": {"trials": 9, "pruner": "asha"},
    "grid": {"trials": 10, "search": GRID},
    "listed": {"trials": 9, "trial": LISTED},
}
"""Sampler -> a study that it is asked in."""


def install(patch: pytest.MonkeyPatch) -> None:
    """Let the twins be found by name."""
    for name in TWINS:
        patch.setitem(seam.BUILT_IN, name, f"tests.support.toy_task:{'TOY' if name == 'toy' else 'NEGATED'}")


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def searched(folder: Path, **settings: Any) -> list[StudyRecord]:
    """Return a study of each twin, run in real worker processes, one after the other."""
    return [
        run_toy(folder / name, toy_study(task, trainer=name, keep=3, **settings), task=task).study
        for name, task in TWINS.items()
    ]


def outcomes(study: StudyRecord, sign: int = 1) -> list[tuple[Any, ...]]:
    """Return what was decided in each trial, with its values times ``sign``."""
    return [
        (
            trial.params,
            trial.seed,
            trial.state,
            None if trial.dev_loss is None else sign * trial.dev_loss,
            {percent: sign * value for percent, value in trial.rungs.items()},
        )
        for trial in study.trials
    ]


def kept_files(folder: Path, name: str) -> list[str]:
    files = (folder / name / "toy.db.d" / "toy").rglob("state-*")
    return sorted(f"{path.parent.name}/{path.name}" for path in files)


def negated(text: str) -> str:
    """Return a text of the twin that maximises as the other one has it."""
    return re.sub(r"-(?=\d)", "", text)


def without_times(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "train_seconds"} for row in rows]


def test_every_sampler_has_a_study() -> None:
    """A new sampler joins by an entry."""
    assert STUDIES.keys() == SAMPLERS.keys()


@pytest.mark.parametrize("sampler", STUDIES)
def test_proposals_prunings_and_kept_files_are_those_of_the_twin(sampler: str, tmp_path: Path) -> None:
    """Parameters, seeds, ends and values agree to the last digit, and so does which files are kept."""
    lower, higher = searched(tmp_path, sampler=sampler, **STUDIES[sampler])
    assert outcomes(lower) == outcomes(higher, -1)
    assert kept_files(tmp_path, "toy") == kept_files(tmp_path, "negated-toy") != []
    if sampler in ("tpe", "random"):
        assert {trial.state for trial in higher.trials} == {"complete", "pruned"}


def test_a_diverged_trial_is_bad_for_the_sampler_of_either(tmp_path: Path) -> None:
    """What diverges is the same, and no later proposal differs."""
    conduct = {"choices": ["learn", "nan", "huge", "minus-inf"]}
    search = {"x": {"low": 0.0, "high": 1.0}, "conduct": conduct}
    lower, higher = searched(tmp_path, sampler="tpe", trials=18, search=search)
    assert outcomes(lower) == outcomes(higher, -1)
    assert {trial.state for trial in higher.trials} == {"complete", "diverged"}
    reason = next(t.reason for t in higher.trials if t.params["conduct"] == "huge")
    assert reason == "diverged: the gain was -1e+30 at step 900"


@pytest.fixture(scope="module")
def searched_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[StudyRecord]]:
    """Studies of 30 trials, some of them pruned, and their folder."""
    folder = tmp_path_factory.mktemp("twins")
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        return folder, searched(folder, sampler="random", trials=30, pruner="median")


@pytest.fixture
def twins(searched_once: tuple[Path, list[StudyRecord]]) -> list[StudyRecord]:
    return searched_once[1]


def test_values_are_stored_and_ranked_as_they_are(
    searched_once: tuple[Path, list[StudyRecord]],
) -> None:
    """Optuna has the direction, the values and the best trial; the table has the twin's order."""
    folder, (lower, higher) = searched_once
    rows, rows_of_twin = (rank_trials(study).records for study in (higher, lower))
    assert [row["trial"] for row in rows] == [row["trial"] for row in rows_of_twin]
    ranked = [row for row in rows if row["rank"]]
    assert [-row["value"] for row in ranked] == [r["value"] for r in rows_of_twin[: len(ranked)]]
    assert [row["value_sd"] for row in ranked] == [r["value_sd"] for r in rows_of_twin[: len(ranked)]]
    storage = database_in(folder / "negated-toy").open_for_dashboard()
    import optuna

    study = optuna.load_study(study_name="toy", storage=storage)
    assert study.direction.name == "MAXIMIZE"
    assert study.metric_names == ["gain"]
    assert study.best_trial.number == higher.complete_trials()[0].number
    assert study.best_value == max(t.dev_loss for t in higher.trials if t.dev_loss is not None)
    assert (load_study(storage, "toy").direction, higher.identity["objective"]) == ("maximize", "gain")


def test_what_is_advised_and_estimated_is_the_same(twins: list[StudyRecord]) -> None:
    """Advice, importances and the draws of the expected best do not know the direction."""
    lower, higher = twins
    assert advise(lower) == advise(higher) != []
    assert draws(lower) == draws(higher)
    assert parameter_importances(lower) == parameter_importances(higher)


def test_the_text_has_the_twins_numbers_and_says_what_is_better(twins: list[StudyRecord]) -> None:
    """Every format but for the sign and the names; no row is out of order."""
    for form in ("json", "csv", "markdown", "log"):
        plain, other = (FORMATS[form](Listing(rank_trials(_timeless(study)), study)) for study in twins)
        assert negated(other).replace("gain", "dev loss") == plain.replace("dev_loss", "dev loss")
    text = FORMATS["text"](Listing(rank_trials(twins[1]), twins[1]))
    assert "gain: higher is better" in text
    assert "lower" not in text


def _timeless(study: StudyRecord) -> StudyRecord:
    segments = [tuple(dataclasses.replace(s, seconds=0.01) for s in trial.segments) for trial in study.trials]
    trials = (dataclasses.replace(t, segments=s) for t, s in zip(study.trials, segments, strict=True))
    return dataclasses.replace(study, trials=tuple(trials))


def test_figures_show_the_values_and_run_the_right_way(twins: list[StudyRecord]) -> None:
    """Each number is the twin's negated one, the best so far rises, and every text names the right end."""
    lower, higher = (Evidence(study) for study in twins)
    fall, rise = history_by_trial(lower), history_by_trial(higher)
    assert rise.best_loss == [-loss for loss in fall.best_loss] == sorted(rise.best_loss)
    assert rise.points.loss_range == [-end for end in reversed(fall.points.loss_range)]
    assert rise.points.best.trial == fall.points.best.trial
    down, up = expected_best_curve(lower), expected_best_curve(higher)
    assert up.expected == [-value for value in down.expected]
    assert (up.lower, up.upper) == ([-value for value in down.upper], [-value for value in down.lower])
    assert rung_curves(higher).winner[0].trial == rung_curves(lower).winner[0].trial
    readings = " ".join(f"{plot.title} {plot.reading}" for plot in plots_of(higher.study).values())
    assert "the line is the highest gain so far" in readings
    assert not re.search(r"lowest|\blower|losses are low", readings)
    assert [trace.get("name") for trace in draw("rungs", higher).data][-1] == "highest gain"
    crosses = draw("history", higher).data[0]
    assert set(crosses["y"]) == {rise.points.loss_range[0]}


def test_a_front_is_that_of_the_twin(tmp_path: Path) -> None:
    """Ranks, front, knee and area agree; the text has the values themselves."""
    studies = [
        run_toy(
            tmp_path / name,
            toy_study(task, trainer=name, trials=20, objectives=[task.metric.name, "n_params"]),
            task=task,
        ).study
        for name, task in TWINS.items()
    ]
    lower, higher = ([dict(row) for row in rank_trials(study).records] for study in studies)
    assert [(r["trial"], r["front"]) for r in lower] == [(r["trial"], r["front"]) for r in higher]
    told, told_of_twin = (
        describe_front(rank_trials(study), study, ceiling)
        for study, ceiling in zip(studies, (3.0, -3.0), strict=True)
    )
    told_of_twin = [
        negated(line).replace("gain", "dev_loss").replace("above", "below") for line in told_of_twin
    ]
    assert told == told_of_twin
    fronts = [loss_by_objective(Evidence(study)) for study in studies]
    assert fronts[0].front.x == fronts[1].front.x
    assert fronts[0].front.dev_loss == [-value for value in fronts[1].front.dev_loss]
    assert fronts[0].loss_range == [-end for end in reversed(fronts[1].loss_range)]


def confirmed(losses: dict[int, list[float]], certified: list[float], sign: int) -> Confirmation:
    """Return a confirmation with these losses by candidate, or with their negated values."""
    made = made_confirmation(losses, certified)
    trials = {
        job: dataclasses.replace(trial, dev_loss=sign * (trial.dev_loss or 0))
        for job, trial in made.trials.items()
    }
    candidates = tuple(
        dataclasses.replace(c, search_loss=sign * c.search_loss, estimate=sign * c.estimate)
        for c in made.plan.candidates
    )
    plan = dataclasses.replace(made.plan, candidates=candidates)
    direction = "minimize" if sign > 0 else "maximize"
    return dataclasses.replace(made, plan=plan, trials=trials, direction=direction)


def test_contenders_are_those_of_the_twin(twins: list[StudyRecord]) -> None:
    """The same configurations in the same order, by means that borrow from neighbours."""
    lower, higher = (rank_configurations(study) for study in twins)
    assert [c.trial for c in lower] == [c.trial for c in higher]
    assert [(c.estimate, c.search_loss) for c in lower] == [(-c.estimate, -c.search_loss) for c in higher]


def test_a_confirmation_chooses_as_the_twin(twins: list[StudyRecord]) -> None:
    """Candidates, tied sets, intervals, powers and the certificate agree to the last digit."""
    numbers = [trial.number for trial in twins[0].complete_trials()[:3]]
    losses = dict(
        zip(numbers, ([0.31, 0.35, 0.3, 0.33], [0.3, 0.36, 0.3, 0.34], [0.5, 0.52, 0.55, 0.51]), strict=True)
    )
    both = [confirmed(losses, [0.32, 0.33], sign) for sign in (1, -1)]
    lower, higher = (judge(study, made) for study, made in zip(twins, both, strict=True))
    same = ["trial", "rank", "n", "sd", "tied", "reason", "certified_sd", "optimism", "seeds"]
    assert [lower.rows[name] for name in same] == [higher.rows[name] for name in same]
    for row, twin in zip(lower.rows.records, higher.rows.records, strict=True):
        assert row["mean"] == -twin["mean"]
        assert row["losses"] == [-value for value in twin["losses"]]
        assert row["search_loss"] == -twin["search_loss"]
        assert row["diff"] == -twin["diff"]
        assert (row["ci_low"], row["ci_high"]) == (-twin["ci_high"], -twin["ci_low"])
    assert lower.chosen is not None
    assert higher.chosen is not None
    assert (lower.chosen.trial, lower.rounds) == (higher.chosen.trial, higher.rounds)
    assert lower.smallest_difference == higher.smallest_difference
    assert lower.seeds_to_decide == higher.seeds_to_decide
    certificate, other = (
        certificate_of(made, verdict) for made, verdict in zip(both, (lower, higher), strict=True)
    )
    assert certificate is not None
    assert other is not None
    assert certificate.dev_losses == tuple(-value for value in other.dev_losses)
    assert (certificate.seeds, certificate.sd, certificate.optimism) == (
        other.seeds,
        other.sd,
        other.optimism,
    )
    assert higher.choice is not None
    assert higher.choice.reason == "the highest mean"
    told, told_of_twin = (
        " ".join(sentences(study, made, verdict, None))
        for study, made, verdict in zip(twins, both, (lower, higher), strict=True)
    )
    assert negated(told_of_twin).replace("highest", "lowest").replace("gain", "dev loss") == negated(told)


def test_a_race_of_negated_values_eliminates_as_the_twin(twins: list[StudyRecord]) -> None:
    """The rounds to come are the same, as the race sees the loss form."""
    numbers = [trial.number for trial in twins[0].complete_trials()[:2]]
    losses = dict(zip(numbers, ([0.31, 0.35, 0.3, 0.33, 0.3], [0.9, 0.96, 0.9, 0.94, 0.93]), strict=True))
    both = [confirmed(losses, [], sign) for sign in (1, -1)]
    settings = ConfirmSettings(top=2, seeds=8, certify=2, method="race", delta=0.003)
    races = [
        dataclasses.replace(
            made,
            plan=dataclasses.replace(made.plan, settings=settings),
            trials={job: trial for job, trial in made.trials.items() if job.phase == "choice"},
        )
        for made in both
    ]
    assert races[0].remaining == races[1].remaining
    assert {job.candidate for job in races[1].remaining} == {numbers[0]}


def test_a_real_confirmation_takes_the_highest_mean(
    searched_once: tuple[Path, list[StudyRecord]], tmp_path: Path
) -> None:
    """Its candidates are the highest estimates, and the chosen one has the highest mean."""
    shutil.copytree(searched_once[0] / "negated-toy", tmp_path / "copy")
    database = database_in(tmp_path / "copy")
    study = load_study(database.open_read_only(), "toy")
    plan = plan_confirmation(study, None, ConfirmSettings(top=2, seeds=2, certify=2, delta=0.003))
    assert run_confirmation(NEGATED, study, plan, database, how=How(workers=1))
    storage = database.open_read_only()
    study = load_study(storage, "toy")
    confirmation = load_confirmation(storage, study)
    assert confirmation is not None
    verdict = judge(study, confirmation)
    means = {row["trial"]: row["mean"] for row in verdict.rows.records}
    assert verdict.chosen is not None
    assert verdict.chosen.trial == max(means, key=means.__getitem__)
    assert all(mean < 0 for mean in means.values())
