"""Studies that an earlier release stored open, resume, confirm, export and replay with the same numbers."""

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llvmlite import binding

from sweep.certify.config_file import load_config
from sweep.cli import main
from sweep.definition.identity import fingerprint
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from sweep.trainers.mlp.trainer import MLP
from tests.support.postgres_server import Server, running_server

RELEASES = sorted(Path(__file__).with_name("stored").glob("release-*"))
FINISHED = ("small", "mixed", "auto", "front", "diverging")

Capture = pytest.CaptureFixture[str]


@pytest.fixture(params=RELEASES, ids=lambda path: path.name)
def stored(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what a release stored, which is also the working directory, with the ledger of its user."""
    folder = tmp_path / "stored"
    shutil.copytree(request.param, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SWEEP_LEDGER", str(folder / "ledger.jsonl"))
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


def expected(folder: Path) -> dict[str, Any]:
    """Return what the release itself printed and stored."""
    read: dict[str, Any] = json.loads((folder / "expected.json").read_text())
    return read


def printed(capsys: Capture, *arguments: str) -> str:
    """Run a command that must succeed and return its stdout."""
    assert main(list(arguments)) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def table(capsys: Capture, *arguments: str) -> list[dict[str, Any]]:
    """Return the rows of ``sweep table`` without the seconds, which differ from run to run."""
    return without_seconds(json.loads(printed(capsys, "table", *arguments, "--format", "json")))


def without_seconds(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if "seconds" not in key} for row in rows]


@pytest.mark.parametrize("study", FINISHED)
def test_a_stored_study_has_its_table_and_nothing_left_to_train(
    stored: Path, study: str, capsys: Capture
) -> None:
    """The study file still describes the stored study: the run finds nothing to do and changes no number."""
    wanted = without_seconds(expected(stored)["tables"][study])
    assert table(capsys, study) == wanted
    assert "nothing was trained" in run_and_read_stderr(capsys, study)
    assert table(capsys, study) == wanted


def run_and_read_stderr(capsys: Capture, study: str) -> str:
    assert main(["run", study]) == 0
    return capsys.readouterr().err


def test_stored_identities_and_seeds_are_unchanged(stored: Path) -> None:
    """Fingerprints are compared as literals, so that no field that is added later can enter them."""
    storage = Database("sqlite:///studies/sweep.db").open_read_only()
    for name, wanted in expected(stored)["fingerprints"].items():
        assert fingerprint(load_study(storage, name).identity) == wanted
    for key, seed in expected(stored)["seeds"].items():
        name, _, number = key.rpartition("/")
        assert load_study(storage, name).trials[int(number)].seed == seed
    for line in (stored / "ledger.jsonl").read_text().splitlines():
        assert load_config("best.toml")[0].sha256() == json.loads(line)["config_sha256"]


def test_an_interrupted_trial_resumes_to_the_losses_of_an_undisturbed_run(
    stored: Path, capsys: Capture
) -> None:
    """Equal to the last bit on a processor of the same kind, else within replay's tolerance."""
    run_and_read_stderr(capsys, "cut")
    check_resumed(stored, table(capsys, "cut"))


def check_resumed(stored: Path, rows: list[dict[str, Any]]) -> None:
    wanted = expected(stored)
    losses = {row["trial"]: row.pop("dev_loss") for row in rows}
    rows_then = without_seconds(wanted["tables"]["cut"])
    losses_then = {row["trial"]: row.pop("dev_loss") for row in rows_then}
    if binding.get_host_cpu_name() == wanted["processor"]:
        assert losses == losses_then
    assert losses == pytest.approx(losses_then, abs=MLP.metric.tolerance)
    by_trial = {row["trial"]: {**row, "rank": None} for row in rows}
    assert by_trial == {row["trial"]: {**row, "rank": None} for row in rows_then}


def test_a_stored_confirmation_is_read_and_not_trained_again(stored: Path, capsys: Capture) -> None:
    """The same command prints the same verdict."""
    asked = ["--top", "2", "--seeds", "3", "--certify", "3", "--format", "json"]
    again = json.loads(printed(capsys, "confirm", "small", *asked))
    assert [approximate(row) for row in again] == [
        approximate(row) for row in expected(stored)["confirmation"]
    ]


def approximate(row: dict[str, Any]) -> dict[str, Any]:
    """Round the floats: other machines differ in the last digits of integrals and of losses of words."""
    return {key: round(value, 6) if isinstance(value, float) else value for key, value in row.items()}


def test_an_export_is_the_one_of_then(stored: Path, capsys: Capture) -> None:
    """Configuration, provenance and certificate, apart from moments and versions."""
    for study, file in (("small", "best.toml"), ("mixed", "mixed.toml")):
        printed(capsys, "export", study, "-o", "again.toml", "--force")
        then, now = (tomllib.loads(Path(path).read_text()) for path in (file, "again.toml"))
        for key in ("exported", "sweep", "torch"):
            then["provenance"].pop(key), now["provenance"].pop(key)
        assert now == then


def test_stored_weights_give_the_losses_and_words_of_then(stored: Path, capsys: Capture) -> None:
    """Replay trains the winner again; samples come from stored weights; the report shows all of it."""
    assert printed(capsys, "replay", "small").partition(":")[0] in ("equal", "within tolerance")
    for file, key in (("best.toml", "sample"), ("mixed.toml", "samples_of_mixed")):
        assert printed(capsys, "sample", file, "-n", "8", "--seed", "5") == expected(stored)[key]
    printed(capsys, "report", "small")


def test_a_recorded_look_still_guards_the_test_words(stored: Path, capsys: Capture) -> None:
    """A second look is refused; with a reason it is the second one and has the numbers of the first."""
    assert main(["test", "best.toml"]) == 1
    assert "looked at before" in capsys.readouterr().err
    again = printed(capsys, "test", "best.toml", "--again", "the first release is compared")
    assert numbers_in(again.replace("look 2", "look 1")) == numbers_in(expected(stored)["test"])


def numbers_in(text: str) -> list[str]:
    return re.findall(r"\d[\d.]*", text)


def test_a_dump_of_postgresql_opens_and_resumes(stored: Path, server: Server, capsys: Capture) -> None:
    """The same studies on a server, with the files of the SQLite database."""
    url = server.make_database(f"stored_{stored.parent.name.replace('-', '_')[-20:]}".lower())
    with server.connect(url.rpartition("/")[2]) as connection:
        connection.execute((stored / "postgres.sql").read_text())
    where = ["--storage", url, "--files", str(stored / "studies" / "sweep.db.d")]
    for study in ("small", "mixed"):
        assert table(capsys, study, *where) == without_seconds(expected(stored)["tables"][study])
    assert main(["run", "cut", "--workers", "1", *where]) == 0
    capsys.readouterr()
    check_resumed(stored, table(capsys, "cut", *where))
