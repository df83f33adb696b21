"""Run a range test for a study or an exported configuration.

This module chooses the configuration, runs the range test, writes the page and the raw curve, and stores the
figure in the study for the Optuna dashboard, and the suggestions as a note. No trial is changed.
"""

import dataclasses
from pathlib import Path

from sweep.certify.config_file import choose_trial, load_exported_data
from sweep.certify.provenance import Provenance
from sweep.dashboard.showcase import save_figure
from sweep.definition.spec import StudySpec
from sweep.errors import NotFoundError
from sweep.execution.machine.memory import check_fits
from sweep.storage.database import Database
from sweep.storage.study_names import study_names
from sweep.storage.study_reader import load_study
from sweep.storage.study_store import open_study, store_note
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.learning_rate.lr_finder import range_test
from sweep.trainers.mlp.learning_rate.range_curve import flat_stretch, suggestions
from sweep.trainers.mlp.learning_rate.recommendation import Recommendation, recommend
from sweep.trainers.mlp.shown.lr_finder_figure import lr_finder_curve, plot_lr_finder
from sweep.trainers.mlp.shown.lr_finder_page import write_lr_finder
from sweep.trainers.mlp.shown.note_kinds import RangeTested, best_trial_text
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.corpus import Corpus

FIGURE_ID = "lr-finder"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The tested configuration and its study."""

    config: TrainConfig
    data: Corpus
    study: str
    """Name of the report's folder, and of the stored study for the figure."""
    what: str
    """Description of the configuration."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The results of a range test."""

    what: str
    suggestions: dict[str, tuple[float | None, str]]
    """Rule -> (learning rate or None, reason)."""
    flat: tuple[float, float] | None
    """The rates around the minimum that are as good, as far as the test can tell."""
    own: float
    """Learning rate of the tested configuration."""
    paths: tuple[Path, Path]
    """Paths of the page and the raw curve."""

    @property
    def recommendation(self) -> Recommendation:
        """The rate to try first."""
        return recommend(self.suggestions, self.flat)


def subject_of_study(spec: StudySpec, database: Database) -> Subject:
    """Choose the study's best trial, else its first listed configuration, else the middle of its space.

    A missing study is created, so that the figure can be stored.
    """
    data = MLP.load_data(spec.data)
    storage = database.open_for_writing()
    open_study(storage, spec, MLP, data)
    try:
        trial = choose_trial(load_study(storage, spec.name), None)
        params, seed = {**trial.params, **trial.found}, trial.seed
        what = best_trial_text(trial.number)
    except NotFoundError:
        seed = spec.seed
        if spec.listed:
            params, what = spec.listed[0], "the first listed configuration"
        else:
            params = spec.space.point_at(0.5)
            what = "the middle of the search space"
    config = MLP.make_config({**spec.config_values(params), "seed": seed})
    return Subject(config=config, data=data, study=spec.name, what=what)


def subject_of_config(config: TrainConfig, provenance: Provenance, words: str) -> Subject:
    """Choose an exported configuration.

    Raises:
        DataError: If the words are not those of the export.
    """
    data = load_exported_data({**provenance.data, "words": words}, provenance)
    what = f"the exported trial {provenance.trial} of {provenance.study!r}"
    return Subject(config=config, data=data, study=provenance.study, what=what)


def find_learning_rate(
    subject: Subject,
    database: Database,
    reports: Path,
    *,
    seeds: int,
    low: float | None,
    high: float | None,
    steps: int,
    device: str,
) -> Found:
    """Run the range test, write ``<reports>/<study>/lr_finder.*``, and store the figure.

    Args:
        subject: The configuration.
        database: The database of the study, if it is stored.
        reports: Folder of all reports.
        seeds: Number of runs.
        low: Learning rate of the first step; by default the optimizer's usual one.
        high: Learning rate of the last step; by default the optimizer's usual one.
        steps: Number of steps of a run.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        RangeTestError: If the range is invalid or the test has no result.
        DeviceError: If the device is not present.
        TooLargeError: If the configuration cannot fit into this machine's memory.
    """
    device = MLP.resolve_device(device)
    check_fits(MLP, subject.config, subject.data, device=device)
    MLP.prepare_worker(subject.data, engine=MLP.default_engine(device), device=device)
    test = range_test(
        subject.config, subject.data, seeds=seeds, low=low, high=high, steps=steps, device=device
    )
    paths = write_lr_finder(test, subject.study, source=subject.what, reports=reports)
    own = test.config.learning_rate
    rules, flat = suggestions(test.curve), flat_stretch(test.curve)
    found = Found(what=subject.what, suggestions=rules, flat=flat, own=own, paths=paths)
    _store(subject.study, database, plot_lr_finder(lr_finder_curve(test.curve, own)), found)
    return found


def _store(study: str, database: Database, figure: object, found: Found) -> None:
    """Store the figure, and the suggestions as a note, in the study if it exists."""
    if not database.exists():
        return
    storage = database.open_for_writing()
    if study in study_names(storage):
        save_figure(storage, study, FIGURE_ID, figure)
        rates = {rule: rate for rule, (rate, _) in found.suggestions.items() if rate is not None}
        store_note(storage, study, RangeTested(what=found.what, suggestions=rates))
