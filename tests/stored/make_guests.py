"""Write guests of all kinds as an installed Optuna makes them, and what that Optuna says of them.

Run it once with a Python that has the Optuna and nothing of sweep, ``python make_guests.py``, and commit both
files beside this one: the database as SQL, and Optuna's own numbers as JSON.
"""

import contextlib
import importlib.util
import json
import math
import sqlite3
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import optuna

FOLDER = Path(__file__).parent


def kinds() -> types.ModuleType:
    """Return the module of all kinds, which needs pytest only for a fixture."""
    if importlib.util.find_spec("pytest") is None:
        stand_in: Any = types.ModuleType("pytest")
        stand_in.fixture = lambda **_: lambda function: function
        stand_in.TempPathFactory = object
        sys.modules["pytest"] = stand_in
    sys.path.insert(0, str(FOLDER.parents[1]))
    from tests.support import guest_studies

    return guest_studies


def text(value: float) -> float | str:
    """Return a value that JSON has."""
    return value if math.isfinite(value) else str(value)


def numbers_of(study: optuna.Study) -> dict[str, Any]:
    """Return what Optuna says of a study."""
    try:
        best = sorted(trial.number for trial in study.best_trials)
    except ValueError:
        best = []
    return {
        "directions": [way.name.lower() for way in study.directions],
        "states": [trial.state.name for trial in study.trials],
        "values": [[text(value) for value in trial.values or ()] for trial in study.trials],
        "params": [
            {key: value if value is not None else "None" for key, value in trial.params.items()}
            for trial in study.trials
        ],
        "best": best,
    }


def main() -> None:
    """Make the database in a folder of its own and dump it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "g.db"

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(path, check_same_thread=False)
            connection.execute("PRAGMA synchronous = OFF")
            return connection

        storage = optuna.storages.RDBStorage(f"sqlite:///{path}", engine_kwargs={"creator": connect})
        kinds().make_guests(storage)
        numbers = {
            name: numbers_of(optuna.load_study(study_name=name, storage=storage))
            for name in optuna.get_all_study_names(storage)
        }
        storage.remove_session()
        with contextlib.closing(sqlite3.connect(path)) as connection:
            dump = "\n".join(connection.iterdump())
    stem = FOLDER / f"guests-optuna-{optuna.__version__}"
    stem.with_name(f"{stem.name}.sql").write_text(f"{dump}\n")
    stem.with_name(f"{stem.name}.json").write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main()
