"""Several drivers of one toy study, and what must be true of it whatever befell them."""

import contextlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from tests.support.postgres_server import Server
from tests.support.toy_runs import toy_study

HERE = Path(__file__).resolve().parent


def start_driver(
    url: str,
    files: Path | str,
    *,
    trials: int,
    workers: int,
    lease_s: float,
    segment_s: float = 0.0,
    folder: Path | None = None,
    inside: Sequence[str] = (),
) -> subprocess.Popen[str]:
    """Start a driver in a folder; ``inside`` is a command that runs another one elsewhere."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    settings = [url, str(files), str(trials), str(workers), str(lease_s), str(segment_s)]
    return subprocess.Popen(
        [*inside, sys.executable, "-m", "tests.support.toy_driver", *settings],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextlib.contextmanager
def ended_at_last(drivers: Sequence[subprocess.Popen[str]]) -> Iterator[None]:
    try:
        yield
    finally:
        for driver in drivers:
            driver.kill()
            driver.communicate()


def count_ended(server: Server, database: str) -> int:
    """Return how many trials are finished, past the product; -1 where it cannot be asked."""
    import psycopg

    try:
        with server.connect(database) as connection:
            row = connection.execute(
                "SELECT count(*) FROM trials WHERE state NOT IN ('RUNNING', 'WAITING')"
            ).fetchone()
    except psycopg.Error:
        return -1
    assert row is not None
    return int(row[0])


def check_study(server: Server, database: str, files: Path, trials: int) -> None:
    """Nothing lost, nothing doubled: numbers 0 to n - 1, each complete with all its segments, once."""
    study = load_study(Database(server.url(database), files).open_read_only(), "toy")
    assert [trial.number for trial in study.trials] == list(range(trials))
    assert Counter(trial.state for trial in study.trials) == {"complete": trials}
    assert {len(trial.segments) for trial in study.trials} == {4}
    spec = toy_study(trials=trials)
    assert [trial.seed for trial in study.trials] == [spec.trial_seed(number) for number in range(trials)]
    with server.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM sweep_claims").fetchone() == (0,)
        reports = "SELECT count(*), count(DISTINCT (trial_id, step)) FROM trial_intermediate_values"
        assert connection.execute(reports).fetchone() == (4 * trials, 4 * trials)
