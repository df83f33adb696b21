"""What must hold after every case, whatever was killed, filled or damaged in it?

(I1) what was acknowledged is stored, to the last bit; (I2) numbers have no gap, and nothing is
done twice; (I3) nothing runs that nobody runs; (I4) stored losses are those of the stored weights;
(I5) database and files are whole, and nothing half-written is left; (I6) as many trials as were
asked for; (I7) exit statuses as documented, no traceback; (I8) every look at the test words counts.
"""

import collections
import contextlib
import dataclasses
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sweep.definition.records import StudyRecord
from sweep.errors import SweepError
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.storage.folders import LocalFolder
from sweep.storage.study_reader import load_study
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.corpus import decode_words, load_corpus
from tests.faults.launcher import Ended
from tests.support.sweep_command import is_alive

STATUSES = (0, 1, 2, 3, 130, 143, 129)
"""What the command may return: the documented ones, and 128 with the number of a signal."""


@dataclasses.dataclass(slots=True)
class Findings:
    """What was tried, and what went wrong; a campaign adds them up."""

    tried: int = 0
    lost: int = 0
    """Acknowledged results that are not stored as they were told."""
    doubled: int = 0
    """Trials or looks that were done, or told, twice."""
    zombies: int = 0
    """Trials without an owner, and processes without a driver."""
    tracebacks: int = 0
    """Ends with a traceback, with an unknown status, or not at all."""
    others: list[str] = dataclasses.field(default_factory=list)
    """Everything else that does not hold."""
    notes: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    """What happened how often, where nothing is wrong."""

    def __iadd__(self, other: "Findings") -> "Findings":
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        return self

    def __add__(self, other: "Findings") -> "Findings":
        both = Findings()
        both += self
        both += other
        return both

    def to_dict(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @property
    def faults(self) -> int:
        return self.lost + self.doubled + self.zombies + self.tracebacks + len(self.others)

    def must(self, holds: bool, otherwise: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.others.append(otherwise)


def database_of(folder: Path) -> Database:
    return Database(f"sqlite:///{folder / 'studies' / 'sweep.db'}")


def check_ends(ends: Iterable[Ended], may_be_killed: bool = True) -> Findings:
    """(I7) Every command ended, with a status that is documented and without a traceback."""
    found = Findings()
    for end in ends:
        killed = may_be_killed and end.status == -9
        if end.status is None or not (killed or end.status in STATUSES) or "Traceback" in end.err + end.out:
            found.tracebacks += 1
            found.notes[f"status {end.status}: {end.err.strip()[-300:]}"] += 1
        lines = [line for line in end.err.splitlines() if line.startswith("sweep: ")]
        found.must(len(lines) <= 1, f"more than one line of complaint: {lines}")
    return found


def check_acknowledged(folder: Path, ends: Iterable[Ended], study: str) -> Findings:
    """(I1), (I2) What was told is stored as it was told, and was told once."""
    found = Findings()
    told = [line for end in ends for line in end.acknowledged]
    times = collections.Counter(line["trial"] for line in told)
    found.doubled += sum(n - 1 for n in times.values())
    stored = _values(folder, study)
    for line in told:
        state, loss = stored.get(line["trial"], ("", None))
        kept = loss == line["dev_loss"] and state in ("COMPLETE", "PRUNED", "FAIL")
        found.lost += not kept
    found.notes["results acknowledged"] += len(told)
    return found


def check_owners(folder: Path) -> Findings:
    """(I3) A running trial has an owner that lives."""
    query = (
        "SELECT value_json FROM trials JOIN trial_user_attributes USING (trial_id) "
        "WHERE state = 'RUNNING' AND key = 'owner'"
    )
    with _rows(folder) as connection:
        owners = [json.loads(owner) for (owner,) in connection.execute(query)]
    return Findings(zombies=sum(not is_alive(int(owner.rpartition(":")[2])) for owner in owners))


def check_study(folder: Path, study: str, asked: int, table: Sequence[Any] | None) -> Findings:
    """(I2) to (I6) after a study's last run; with the table that an undisturbed run has."""
    found = check_owners(folder) + check_files(folder, study)
    record = load_study(database_of(folder).open_read_only(), study)
    numbers = [trial.number for trial in record.trials]
    found.doubled += len(numbers) - len(set(numbers))
    found.must(numbers == list(range(len(numbers))), f"trial numbers are {numbers}")
    unfinished = [trial.number for trial in record.trials if not trial.is_finished]
    found.zombies += len(unfinished)
    found.must(len(numbers) == asked, f"{len(numbers)} trials where {asked} were asked for")
    found += check_losses(folder, study, record)
    if table is not None:
        found.must(outcome_of(record) == list(table), "the table is not that of an undisturbed run")
    return found


def check_losses(folder: Path, study: str, record: StudyRecord, sample: int = 3) -> Findings:
    """(I4), (I5) The best trials' losses are those of their weights, which are whole."""
    found, data = Findings(), load_corpus(folder / "words.txt")
    files = Checkpoints(database_of(folder).files / study)
    dev = decode_words(data.dev, data.vocabulary)
    for trial in record.complete_trials()[: min(sample, record.keep)]:
        last = trial.segments[-1]
        state = files.read_state(trial.number, last.step, last.state_sha256)
        if state is None:
            found.others.append(f"the weights of trial {trial.number} are lost")
            continue
        again = MLP.units_loss(MLP.make_config(record.config_values(trial)), data, state, dev)
        found.lost += again != trial.dev_loss
    return found


def check_files(folder: Path, study: str) -> Findings:
    """(I5) The database is whole and no file is left that a kill may leave."""
    found = Findings()
    with _rows(folder) as connection:
        verdict = connection.execute("PRAGMA integrity_check").fetchall()
    found.must(verdict == [("ok",)], f"integrity_check says {verdict}")
    strays = [
        p.name for p in folder.rglob("*") if p.name.startswith((".tmp-", ".new.db")) or "-journal" in p.name
    ]
    found.must(not strays, f"left behind: {strays}")
    for curve in database_of(folder).files.path.glob(f"{study}/*/curve.safetensors"):
        steps, losses = Checkpoints(LocalFolder(curve.parents[1])).read_curve(int(curve.parent.name))
        found.must(0 < len(steps) == len(losses), f"{curve} holds no curve")
    return found


def outcome_of(record: StudyRecord) -> list[Any]:
    """Return everything of a study's trials that is the same in every run: no seconds, no times."""
    return [
        (
            trial.number,
            trial.state,
            trial.params,
            trial.seed,
            trial.dev_loss,
            trial.reason,
            trial.found,
            trial.labels,
            [(s.step, s.percent, s.dev_loss, s.average_loss, s.state_sha256) for s in trial.segments],
        )
        for trial in record.trials
    ]


def outcome(folder: Path, study: str) -> list[Any]:
    return outcome_of(load_study(database_of(folder).open_read_only(), study))


def digest(folder: Path) -> dict[str, str]:
    """Return the hash of every file in a folder but the logs of its commands."""
    files = [path for path in folder.rglob("*") if path.is_file() and ".logs" not in path.parts]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def is_readable(folder: Path, study: str) -> bool:
    try:
        load_study(database_of(folder).open_read_only(), study)
    except SweepError:
        return False
    return True


def _values(folder: Path, study: str) -> dict[int, tuple[str, float | None]]:
    """Return trial number -> (state, value), read past the product."""
    query = (
        "SELECT number, state, value FROM trials JOIN studies USING (study_id) "
        "LEFT JOIN trial_values USING (trial_id) WHERE study_name = ? AND coalesce(objective, 0) = 0"
    )
    with _rows(folder) as connection:
        return {number: (state, value) for number, state, value in connection.execute(query, (study,))}


@contextlib.contextmanager
def _rows(folder: Path) -> Iterator[sqlite3.Connection]:
    path = folder / "studies" / "sweep.db"
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as connection:
        yield connection
