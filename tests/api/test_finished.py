"""Whether a study is finished is asked before its lock is held."""

from pathlib import Path

import optuna

from sweep.api.finished import finished_study
from sweep.storage.database import Database
from tests.support.toy_runs import toy_study


def test_a_study_that_another_process_is_making_is_not_judged(tmp_path: Path) -> None:
    """Its row is there and its identity is not: the run finds out what it is once it has the lock."""
    database = Database(f"sqlite:///{tmp_path}/new.db")
    spec = toy_study()
    assert finished_study(spec, database) is None
    storage = database.open_for_writing()
    assert finished_study(spec, database) is None
    storage.create_new_study([optuna.study.StudyDirection.MINIMIZE], spec.name)
    assert finished_study(spec, database) is None
