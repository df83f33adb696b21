"""A journal of Optuna's beside Optuna's own reading of the same file."""

import datetime
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState, create_trial

from sweep.cli import main
from sweep.errors import NotFoundError, StorageAddressError, StorageError
from sweep.storage.database import Database
from sweep.storage.database.schema import DIRECTIONS, OF_STUDY, REPORTS
from sweep.storage.guests.reader import load_guest
from sweep.storage.stored_trials import StoredTrial, read_trials
from sweep.storage.study_names import study_ids, study_names
from sweep.storage.study_reader import study_attributes
from tests.support.command_line import Capture
from tests.support.guest_studies import HOSTILE, KINDS, make_guests
from tests.support.zones import zone

__all__ = ["zone"]

Folder = pytest.TempPathFactory


def journal(path: Path) -> JournalStorage:
    return JournalStorage(JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path))))


@pytest.fixture(scope="module")
def path(tmp_path_factory: Folder) -> Path:
    """Guests of all kinds in one journal, one study of it deleted and one made again."""
    path = tmp_path_factory.mktemp("journal") / "journal.log"
    storage = journal(path)
    make_guests(storage, ["two"])
    optuna.delete_study(study_name="two", storage=storage)
    make_guests(storage)
    study = optuna.load_study(study_name="empty", storage=storage)
    study.set_user_attr("a", 1)
    study.set_user_attr("a", [math.inf, {"b": "zoë"}])
    return path


def open_journal(path: Path) -> Any:
    return Database(f"journal:///{path}").open_read_only()


def without_zone(moment: datetime.datetime | None) -> datetime.datetime | None:
    """Return a local time as Optuna has it."""
    return moment and moment.replace(tzinfo=None)


def assert_same(ours: StoredTrial, theirs: FrozenTrial) -> None:
    assert (ours.trial_id, ours.number, ours.state) == (theirs._trial_id, theirs.number, theirs.state.name)
    assert ours.values == (theirs.values or [])
    shown = {key: tuple(v) if isinstance(v, list) else v for key, v in theirs.params.items()}
    assert (ours.params, list(ours.params)) == (shown, list(theirs.params))
    assert repr(ours.user_attrs) == repr(theirs.user_attrs)
    assert repr(ours.system_attrs) == repr(theirs.system_attrs)
    assert without_zone(ours.started) == theirs.datetime_start
    assert without_zone(ours.ended) == theirs.datetime_complete


@pytest.mark.usefixtures("zone")
def test_times_are_what_optuna_reads(path: Path) -> None:
    """In any time zone, of trials and in the record that is shown."""
    theirs = optuna.load_study(study_name="mixed", storage=journal(path)).trials
    ours = load_guest(open_journal(path), "mixed").trials
    for our, their in zip(ours, theirs, strict=True):
        assert without_zone(our.started) == their.datetime_start
        assert without_zone(our.ended) == their.datetime_complete


@pytest.mark.parametrize("name", KINDS)
def test_every_study_is_what_optuna_reads(path: Path, name: str) -> None:
    """Directions, attributes, trials with their states, values, hyperparameters, times and reports."""
    theirs = optuna.load_study(study_name=name, storage=journal(path))
    reader = open_journal(path)
    study_id = study_ids(reader)[name]
    assert study_id == theirs._study_id
    with reader.snapshot() as snapshot:
        directions = [way for (way,) in snapshot.rows(DIRECTIONS, study_id)]
        assert directions == [way.name for way in theirs.directions]
        assert study_attributes(snapshot, study_id) == theirs.user_attrs
        trials = read_trials(snapshot, OF_STUDY, study_id)
        reports = snapshot.rows(REPORTS, study_id)
    assert len(trials) == len(theirs.trials)
    for ours, trial in zip(trials, theirs.trials, strict=True):
        assert_same(ours, trial)
        found = {step: value for which, step, value, _ in reports if which == ours.trial_id}
        assert found == trial.intermediate_values


def test_a_journal_is_shown_and_left_as_it_was(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """All commands that show a study show it; no lock, no snapshot and no byte is written."""
    monkeypatch.chdir(tmp_path)
    before = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in path.parent.iterdir()}
    storage = ["--storage", f"journal:///{path}"]
    assert main(["list", *storage]) == 0
    for name in ("mixed", "two", "bad", HOSTILE):
        assert main(["report", name, *storage]) == 0
    capsys.readouterr()
    assert main(["table", "mixed", "--format", "json", *storage]) == 0
    rows = json.loads(capsys.readouterr().out)
    best = optuna.load_study(study_name="mixed", storage=journal(path)).best_trial
    assert (rows[0]["trial"], rows[0]["value"]) == (best.number, best.value)
    after = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in path.parent.iterdir()}
    assert after == before


def test_nothing_is_written_to_a_journal(path: Path, capsys: Capture) -> None:
    """A run names what can be written; the dashboard names Optuna's own; one line each, exit status 1."""
    with pytest.raises(StorageAddressError, match="reads and never writes") as refusal:
        Database(f"journal:///{path}").open_for_writing()
    assert refusal.value.exit_status == 1
    for command in (["dashboard"], ["delete", "mixed", "--yes"], ["confirm", "mixed"]):
        assert main([*command, "--storage", f"journal:///{path}"]) == 1
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_operation_on_what_has_ended_is_ignored_as_optuna_ignores_it(tmp_path: Path) -> None:
    """Two workers may write about one trial; the first one that ends it wins."""
    path = tmp_path / "journal.log"
    study = optuna.create_study(storage=journal(path), study_name="raced")
    trial = study.ask()
    trial.suggest_categorical("kind", ["a", "b"])
    study.tell(trial, 1.0)
    study.add_trial(create_trial(state=TrialState.WAITING))
    other = '{"name": "CategoricalDistribution", "attributes": {"choices": ["c"]}}'
    lines: list[dict[str, Any]] = [
        {"op_code": 6, "worker_id": "x", "trial_id": 0, "state": 3, "values": None},
        {"op_code": 8, "worker_id": "x", "trial_id": 0, "user_attr": {"late": 1}},
        {"op_code": 8, "worker_id": "x", "trial_id": 99, "user_attr": {"late": 1}},
        {"op_code": 0, "worker_id": "x", "study_name": "raced", "directions": [2]},
        {"op_code": 2, "worker_id": "x", "study_id": 7, "user_attr": {"late": 1}},
        {
            "op_code": 5,
            "worker_id": "x",
            "trial_id": 1,
            "param_name": "kind",
            "param_value_internal": 0,
            "distribution": other,
        },
    ]
    with path.open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    theirs = optuna.load_study(study_name="raced", storage=journal(path))
    reader = open_journal(path)
    study_id = study_ids(reader)["raced"]
    with reader.snapshot() as snapshot:
        trials = read_trials(snapshot, OF_STUDY, study_id)
    for ours, frozen in zip(trials, theirs.trials, strict=True):
        assert_same(ours, frozen)
    assert (trials[0].state, trials[1].params) == ("COMPLETE", {})


DAMAGE: dict[str, bytes] = {
    "not JSON": b"{",
    "no operation": b"[]",
    "no code": b"{}",
    "code": b'{"op_code": 99}',
    "code of another kind": b'{"op_code": "0"}',
    "name": b'{"op_code": 0, "study_name": 3, "directions": [1]}',
    "surrogate": b'{"op_code": 0, "study_name": "\\ud800", "directions": [1]}',
    "direction": b'{"op_code": 0, "study_name": "x", "directions": [9]}',
    "id": b'{"op_code": 1, "study_id": -1}',
    "value": b'{"op_code": 4, "study_id": 0, "datetime_start": null, "state": 1, "value": "x"}',
    "time": b'{"op_code": 4, "study_id": 0, "datetime_start": "yesterday"}',
    "parameter": b'{"op_code": 5, "trial_id": 0, "param_name": "x", "param_value_internal": 1, '
    b'"distribution": "os.system"}',
    "step": b'{"op_code": 7, "trial_id": 0, "step": 1e400, "intermediate_value": 1}',
    "bytes": b"\x80\x04.",
    "nested": b"[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_line_is_named(damage: str, tmp_path: Path) -> None:
    """In one line, exit status 3; a line that is still being written is no damage."""
    path = tmp_path / "journal.log"
    optuna.create_study(storage=journal(path), study_name="s").ask()
    with path.open("ab") as file:
        file.write(DAMAGE[damage])
    assert study_names(open_journal(path)) == ["s"]
    with path.open("ab") as file:
        file.write(b"\n")
    with pytest.raises(StorageError, match="line 3 is not an operation") as refusal:
        open_journal(path)
    assert (refusal.value.exit_status, "\n" in str(refusal.value)) == (3, False)


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder, a link, and an address without a path."""
    with pytest.raises(NotFoundError, match="no journal at"):
        open_journal(tmp_path / "none")
    with pytest.raises(StorageError):
        open_journal(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "none")
    with pytest.raises((StorageError, NotFoundError)):
        open_journal(tmp_path / "link")
    with pytest.raises(StorageAddressError, match="without a path"):
        Database("journal:///")
