"""The command replay."""

import contextlib
import sqlite3
from pathlib import Path

from sweep.cli import main
from tests.support.command_line import (
    Capture,
)
from tests.support.small_study import (
    rows,
)


def test_replay_comes_out_equal(small: Path, capsys: Capture) -> None:
    """Training a stored trial again on the same machine gives the stored loss bit for bit."""
    assert main(["table", "small", "--format", "json"]) == 0
    stored = {row["trial"]: row["dev_loss"] for row in rows(capsys.readouterr().out)}
    assert main(["replay", "small", "--trial", "3"]) == 0
    assert capsys.readouterr().out.startswith(f"equal: stored {stored[3]!r}, again {stored[3]!r} (")


def test_replay_on_another_engine_is_within_tolerance(small: Path, capsys: Capture) -> None:
    """Another engine adds in another order, so its loss is close and not equal."""
    assert main(["replay", "small", "--trial", "3", "--engine", "autograd"]) == 0
    assert capsys.readouterr().out.split(":")[0] in ("within tolerance", "equal")


def test_replay_of_a_changed_trial_is_refused(small: Path, capsys: Capture) -> None:
    """A loss that was changed in the database does not fit its trial's seal: status 3, nothing is trained."""
    with contextlib.closing(sqlite3.connect("studies/sweep.db")) as connection, connection:
        connection.execute("UPDATE trial_values SET value = value - 0.5 WHERE trial_id = 4")
    assert main(["replay", "small", "--trial", "3"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "trial 3" in said.err
