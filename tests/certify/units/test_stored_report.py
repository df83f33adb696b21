"""The results on the dev units are stored when a confirmation ends, and used for its trainings alone."""

import dataclasses
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.certify.confirm_plan import Job
from sweep.certify.provenance import certificate_table, read_certificate
from sweep.certify.stored_confirmation import Confirmation, load_confirmation
from sweep.certify.study_data import StudyData
from sweep.certify.units.report import report_units
from sweep.certify.units.report_writer import store_unit_report
from sweep.certify.units.stored_report import stored_unit_report
from sweep.certify.verdict import certificate_of, judge
from sweep.cli import main
from sweep.definition.records import StudyRecord
from sweep.reporting.text.confirmation import sentences
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study

RELEASE = Path(__file__).parents[2] / "stored" / "release-0.1.0"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A copy of a finished confirmation that an earlier release stored, in the working directory."""
    shutil.copytree(RELEASE, tmp_path / "stored")
    monkeypatch.chdir(tmp_path / "stored")
    monkeypatch.setenv("SWEEP_LEDGER", str(tmp_path / "stored" / "ledger.jsonl"))
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    return Database("sqlite:///studies/sweep.db")


def confirmed(database: Database) -> tuple[StudyRecord, Confirmation]:
    reader = database.open_read_only()
    study = load_study(reader, "small")
    confirmation = load_confirmation(reader, study)
    assert confirmation is not None
    return study, confirmation


def test_what_is_stored_is_what_was_computed_and_a_report_loads_no_torch(database: Database) -> None:
    """To the last bit; the page has the same sentences."""
    study, confirmation = confirmed(database)
    computed = report_units(study, database, confirmation, judge(study, confirmation), StudyData(study))
    assert computed is not None
    assert computed.certified is not None
    assert computed.ensemble is not None
    assert stored_unit_report(database.open_read_only(), study, confirmation) is None
    assert main(["confirm", "small", "--seeds", "3", "--certify", "3", "--top", "2"]) == 0
    study, confirmation = confirmed(database)
    code = (
        "import sys; from sweep.cli import main; status = main(['report', 'small']); "
        "sys.exit(status or 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert run.returncode == 0, run.stderr
    stored = stored_unit_report(database.open_read_only(), study, confirmation)
    assert stored == report_units(study, database, confirmation, judge(study, confirmation), StudyData(study))
    page = Path("reports/small/report.html").read_text("utf-8")
    for sentence in stored.sentences() if stored else ():
        assert sentence.strip() in page


def _changed(change: Callable[[dict[str, Any]], None]) -> None:
    connection = sqlite3.connect("studies/sweep.db")
    where = "WHERE key = 'sweep:unit_report'"
    ((text,),) = connection.execute(f"SELECT value_json FROM study_system_attributes {where}")  # noqa: S608
    value = json.loads(text)
    change(value)
    connection.execute(f"UPDATE study_system_attributes SET value_json = ? {where}", (json.dumps(value),))  # noqa: S608
    connection.commit()
    connection.close()


def test_results_of_other_trainings_and_damaged_ones_are_not_used(database: Database) -> None:
    """They are computed again; a unit's name is the trainer's, whatever is stored."""
    study, confirmation = confirmed(database)
    report = report_units(study, database, confirmation, judge(study, confirmation), StudyData(study))
    assert report is not None
    store_unit_report(database, study, confirmation, report)
    reader = database.open_read_only()
    assert stored_unit_report(reader, study, confirmation) == report
    job, trial = next(iter(confirmation.trials.items()))
    other = {**confirmation.trials, job: dataclasses.replace(trial, seed=trial.seed + 1)}
    assert stored_unit_report(reader, study, dataclasses.replace(confirmation, trials=other)) is None
    _changed(lambda value: value["report"].update(unit="\x1b[31mowned"))
    assert stored_unit_report(reader, study, confirmation) == report
    _changed(lambda value: value["report"].update(n_units="many"))
    assert stored_unit_report(reader, study, confirmation) is None
    _changed(lambda value: value.update(report=[]))
    assert stored_unit_report(reader, study, confirmation) is None


@pytest.mark.parametrize("is_finished", [True, False])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_certifying_seed_without_a_value_leaves_the_others(
    database: Database, place: int, is_finished: bool
) -> None:
    """It diverged, or is not trained yet: the certified losses are those of the other seeds."""
    study, confirmation = confirmed(database)
    chosen = judge(study, confirmation).chosen
    assert chosen is not None
    job = Job(chosen.trial, "certify", place)
    trials = dict(confirmation.trials)
    lost = dataclasses.replace(trials.pop(job), state="diverged", dev_loss=None, reason="diverged")
    trials |= {job: lost} if is_finished else {}
    fewer = dataclasses.replace(confirmation, trials=trials)
    verdict = judge(study, fewer)
    report = report_units(study, database, fewer, verdict, StudyData(study))
    assert report is not None
    assert report.certified is not None
    assert len(verdict.certified) == 2
    assert report.certified.mean == pytest.approx(np.mean(verdict.certified), abs=1e-6)
    told = " ".join(sentences(study, fewer, verdict, report))
    assert (f"has no value on 1 of 3 certifying seeds ({lost.seed}: diverged)" in told) == is_finished
    certificate = certificate_of(fewer, verdict)
    assert (certificate is not None) == is_finished
    if certificate is not None:
        assert (certificate.lost, len(certificate.seeds)) == (1, 2)
        assert lost.seed not in certificate.seeds
        table = certificate_table(certificate, study.trainer)
        assert read_certificate({"certificate": table}) == certificate
