"""What a study carries for the dashboard: written whole or not at all, and never over somebody's own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import optuna_dashboard
import plotly.graph_objects as go
import pytest
from optuna.artifacts.exceptions import ArtifactNotFound

from sweep.dashboard.showcase import SIGNATURE, Artifact, ArtifactFiles, Showcase, save_figure, save_showcase
from sweep.errors import NotFoundError
from sweep.storage.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A study of three trials."""
    database = Database(f"sqlite:///{tmp_path}/sweep.db")
    study = optuna.create_study(storage=database.open_for_writing(), study_name="made")
    study.add_trials([optuna.create_trial(value=float(n)) for n in range(3)])
    return database


def figure(points: int = 3) -> go.Figure:
    return go.Figure(data=[{"type": "scatter", "y": list(range(points))}])


def showcase(**changes: Any) -> Showcase:
    values: dict[str, Any] = {
        "figures": {"curve": figure()},
        "note": "what came out",
        "trial_notes": {1: "rank 1"},
        "artifacts": [Artifact(filename="best.toml", mimetype="text/plain", content=b"a = 1\n")],
    }
    return Showcase(**{**values, **changes})


def save(database: Database, shown: Showcase) -> None:
    save_showcase(database.open_for_writing(), database.files, "made", shown)


def stored(database: Database) -> optuna.Study:
    return optuna.load_study(storage=database.open_for_dashboard(), study_name="made")


def notes(database: Database) -> list[str]:
    """Return the notes on the study and on its trials, as the dashboard's own function reads them."""
    study = stored(database)
    trials = [optuna.trial.Trial(study, trial._trial_id) for trial in study.get_trials(deepcopy=False)]
    return [optuna_dashboard.get_note(owner).removesuffix(f"\n\n{SIGNATURE}") for owner in [study, *trials]]


def figures(database: Database) -> dict[str, list[int]]:
    """Return the heights of each figure, as the dashboard's own function joins them."""
    from optuna_dashboard._custom_plot_data import get_plotly_graph_objects

    storage = database.open_for_dashboard()
    joined = get_plotly_graph_objects(storage.get_study_system_attrs(1))
    return {name: json.loads(text)["data"][0]["y"] for name, text in joined.items()}


def artifacts(database: Database) -> dict[str, bytes]:
    """Return name and content of each artifact, as the dashboard finds and opens them."""
    metas = optuna.artifacts.get_all_artifact_meta(stored(database))
    files = ArtifactFiles(database.open_read_only(), database.files)
    found = {}
    for meta in metas:
        with files.open_reader(meta.artifact_id) as file:
            found[meta.filename] = file.read()
    return found


def test_what_is_saved_is_what_the_dashboard_reads(database: Database) -> None:
    """A figure of many pieces, notes on study and trial, and a file."""
    save(database, showcase(figures={"curve": figure(3_000)}))
    assert figures(database) == {"curve": list(range(3_000))}
    assert notes(database) == ["what came out", "", "rank 1", ""]
    assert artifacts(database) == {"best.toml": b"a = 1\n"}


def test_saving_the_same_again_writes_nothing(database: Database) -> None:
    """The database and the files stay byte for byte and minute for minute the same."""
    save(database, showcase())
    before = database.path.read_bytes(), [p.stat().st_mtime_ns for p in database.files.path.rglob("*-*")]
    save(database, showcase())
    assert (
        database.path.read_bytes(),
        [p.stat().st_mtime_ns for p in database.files.path.rglob("*-*")],
    ) == before


def test_what_is_saved_takes_the_place_of_what_was(database: Database) -> None:
    """Shorter figures and notes leave no piece of longer ones; old files and notes go; others stay."""
    save_figure(database.open_for_writing(), "made", "lr-finder", figure(5))
    save(database, showcase(figures={"curve": figure(3_000)}, note="long " * 2_000, trial_notes={0: "best"}))
    new = Artifact(filename="best.toml", mimetype="text/plain", content=b"a = 2\n")
    save(database, showcase(note="short", artifacts=[new]))
    assert figures(database) == {"curve": [0, 1, 2], "lr-finder": [0, 1, 2, 3, 4]}
    assert notes(database) == ["short", "", "rank 1", ""]
    assert artifacts(database) == {"best.toml": b"a = 2\n"}
    assert len(list((database.files.path / "made" / "artifacts").iterdir())) == 1
    save(database, showcase(figures={"curve": None}))
    assert set(figures(database)) == {"lr-finder"}


def test_notes_and_files_of_others_stay(database: Database) -> None:
    """A note without our last line, and an artifact that we did not make, are left alone."""
    save(database, showcase())
    study = optuna.load_study(storage=database.open_for_writing(), study_name="made")
    optuna_dashboard.save_note(study, "my own words")
    meta = {"artifact_id": "mine", "filename": "mine.txt", "mimetype": "text/plain", "encoding": None}
    study._storage.set_study_system_attr(1, "artifacts:mine", json.dumps(meta))
    save(database, showcase(artifacts=[]))
    assert notes(database) == ["my own words", "", "rank 1", ""]
    assert [m.filename for m in optuna.artifacts.get_all_artifact_meta(stored(database))] == ["mine.txt"]


def test_a_kill_while_saving_leaves_the_old_state_and_saving_again_mends_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped at any of its statements, the dashboard still reads what was there before, whole."""
    import sweep.dashboard.showcase as module

    save(database, showcase())
    put = module._Attributes.put
    for stop_after in range(1, 8, 2):
        calls: Iterator[int] = iter(range(stop_after))

        def put_or_die(self: Any, key: str, value: Any, calls: Iterator[int] = calls) -> None:
            if next(calls, None) is None:
                raise KeyboardInterrupt
            put(self, key, value)

        monkeypatch.setattr(module._Attributes, "put", put_or_die)
        with pytest.raises(KeyboardInterrupt):
            save(database, showcase(figures={"curve": figure(3_000)}, note="new", artifacts=[]))
        assert figures(database) == {"curve": [0, 1, 2]}
        assert notes(database)[0] == "what came out"
        assert artifacts(database) == {"best.toml": b"a = 1\n"}
    monkeypatch.undo()
    save(database, showcase(figures={"curve": figure(3_000)}, note="new", artifacts=[]))
    assert (len(figures(database)["curve"]), notes(database)[0], artifacts(database)) == (3_000, "new", {})


def test_a_study_that_is_not_there_is_told(database: Database) -> None:
    """Nothing is made for it in the database."""
    with pytest.raises(NotFoundError, match="no study 'other'"):
        save_figure(database.open_for_writing(), "other", "curve", figure())


@pytest.mark.parametrize("artifact_id", ["", "..", "../../sweep.db", "*", "0" * 36, "A" * 8, "\0"])
def test_only_artifacts_can_be_opened(artifact_id: str, database: Database) -> None:
    """No other file is reached by a made-up id, and nothing can be written or removed."""
    save(database, showcase())
    files = ArtifactFiles(database.open_read_only(), database.files)
    with pytest.raises(ArtifactNotFound):
        files.open_reader(artifact_id)
    with pytest.raises(PermissionError):
        files.remove(artifact_id)
    with pytest.raises(PermissionError), database.path.open("rb") as file:
        files.write(artifact_id, file)
