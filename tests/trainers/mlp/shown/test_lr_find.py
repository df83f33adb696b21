"""The range test of a study or an exported configuration: which one, its files, its figure."""

import contextlib
import csv
import json
import sqlite3
from pathlib import Path

import pytest

from sweep.certify.config_file import choose_trial, load_config, write_config
from sweep.definition.study_file import load_study_file
from sweep.errors import DataError, RangeTestError
from sweep.storage.database import Database
from sweep.storage.study_names import study_names
from sweep.storage.study_reader import load_study
from sweep.task import identifying_values
from sweep.trainers.mlp.learning_rate.lr_suggestions import RULES
from sweep.trainers.mlp.shown.lr_find import (
    Found,
    Subject,
    find_learning_rate,
    subject_of_config,
    subject_of_study,
)
from sweep.trainers.mlp.shown.note_kinds import RangeTested
from sweep.trainers.mlp.trainer import MLP
from tests.support.small_study import STUDY, _own_ledger, made_up_words, small, trained, write_words

__all__ = ["_own_ledger", "small", "trained"]  # fixtures

LISTED = """
[[trial]]
block_size = 2
hidden_neurons = 7
num_steps = 200
"""


@pytest.fixture
def database(small: Path) -> Database:
    """The database of the small study, in the working directory."""
    assert Path.cwd() == small
    return Database("sqlite:///studies/sweep.db")


def subject(name: str, text: str, database: Database) -> Subject:
    path = Path("studies") / f"{name}.toml"
    path.write_text(text)
    return subject_of_study(load_study_file(path, MLP), database)


def find(chosen: Subject, database: Database, *, high: float = 1.0) -> Found:
    return find_learning_rate(
        chosen, database, Path("reports"), seeds=2, low=1e-3, high=high, steps=60, device="cpu"
    )


def saved_figure() -> str:
    """Return the figure that the database holds, put together from its parts past the product."""
    query = (
        "SELECT key, value_json FROM study_system_attributes WHERE key LIKE 'dashboard:plot_data:lr-finder:%'"
    )
    with contextlib.closing(sqlite3.connect("studies/sweep.db")) as connection:
        parts = dict(connection.execute(query))
    keys = [f"dashboard:plot_data:lr-finder:{place}" for place in range(len(parts))]
    return "".join(json.loads(parts[key]) for key in keys)


def test_a_study_with_trials_gives_its_best(database: Database) -> None:
    """The best trial's configuration is tested, its seed included."""
    study = load_study(database.open_read_only(), "small")
    best = min(study.trials, key=lambda trial: trial.dev_loss or 99)
    chosen = subject("small", STUDY, database)
    assert identifying_values(MLP, chosen.config.to_dict()) == study.config_values(best)
    assert chosen.what == f"the best trial, number {best.number}"


def test_a_new_study_gives_its_first_listed_configuration(database: Database) -> None:
    """Without a complete trial the first [[trial]] is taken, and the study is made."""
    chosen = subject("listed", STUDY + LISTED, database)
    assert (chosen.config.block_size, chosen.config.hidden_neurons) == (2, 7)
    assert chosen.what == "the first listed configuration"
    assert study_names(database.open_read_only()) == ["small", "listed"]


def test_a_new_study_without_a_list_gives_the_middle(database: Database) -> None:
    """The middle of the range of 2 to 4 is 3, that of 5 to 30 is 17 or 18."""
    chosen = subject("empty", STUDY, database)
    assert chosen.config.block_size == 3
    assert chosen.config.hidden_neurons in (17, 18)
    assert chosen.what == "the middle of the search space"


def test_files_and_figure_are_made_and_no_trial_changed(database: Database) -> None:
    """A page and the raw curve lie in reports/, one figure in the study; the trials stay as they are."""
    before = load_study(database.open_read_only(), "small").trials
    chosen = subject("small", STUDY, database)
    found = find(chosen, database)
    page, curve = found.paths
    assert page == Path("reports/small/lr_finder.html")
    assert "Learning-rate finder: small" in page.read_text()
    with curve.open() as file:
        records = list(csv.DictReader(file))
    assert len(records) == 60
    assert float(records[0]["learning_rate"]) == pytest.approx(1e-3)
    assert float(records[-1]["learning_rate"]) == pytest.approx(1.0)
    assert found.suggestions.keys() == RULES.keys()
    figure = saved_figure()
    names = [trace["name"] for trace in json.loads(figure)["data"]]
    assert "smoothed, median of 2 seeds" in names

    note = load_study(database.open_read_only(), "small").note(RangeTested)
    rates = {rule: rate for rule, (rate, _) in found.suggestions.items() if rate is not None}
    assert note == RangeTested(what=chosen.what, suggestions=rates)

    find(chosen, database)
    assert saved_figure() == figure
    assert load_study(database.open_read_only(), "small").trials == before


def test_every_rate_is_run_from_the_same_numbers(database: Database) -> None:
    """The same test again gives the same raw curve, byte for byte."""
    chosen = subject("small", STUDY, database)
    first = find(chosen, database).paths[1].read_bytes()
    assert find(chosen, database).paths[1].read_bytes() == first


def test_an_exported_configuration_is_tested(database: Database) -> None:
    """It says which trial it is; without a database there is no figure and no new file."""
    study = load_study(database.open_read_only(), "small")
    write_config(study, choose_trial(study, 4), Path("four.toml"))
    config, provenance = load_config("four.toml")
    chosen = subject_of_config(config, provenance, provenance.data["words"])
    assert chosen.what == "the exported trial 4 of 'small'"
    assert chosen.config == config
    find(chosen, Database("sqlite:///nowhere.db"))
    assert not Path("nowhere.db").exists()
    assert saved_figure() == ""

    write_words(Path("other.txt"), made_up_words(seed=2))
    with pytest.raises(DataError, match=r"other\.txt does not hold the data of the export"):
        subject_of_config(config, provenance, "other.txt")


def test_a_range_that_ends_before_it_starts_is_refused(database: Database) -> None:
    """Nothing is written for a range that is none."""
    chosen = subject("small", STUDY, database)
    with pytest.raises(RangeTestError):
        find(chosen, database, high=1e-4)
    assert not Path("reports").exists()
    assert saved_figure() == ""
