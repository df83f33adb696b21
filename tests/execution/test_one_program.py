"""One study is trained by one program; a change stops it, or marks its trials."""

import sqlite3
import subprocess
from pathlib import Path

import pytest

from sweep.code import Code
from sweep.errors import ConfigError, StudyConflictError
from sweep.execution.one_program import Version, accepted_version
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from tests.support.postgres_server import running_server
from tests.support.program_studies import FUNCTION, WAYS, change_helper, lay_out, n_ran, rows, run, sweep

FIRST, SECOND = Code(files={"a.py": "01", "b.py": "02"}), Code(files={"a.py": "01", "b.py": "03"})


@pytest.fixture(params=WAYS)
def own(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's file of a study that was run; its folder is the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    file = lay_out(tmp_path, request.param)
    assert run() == (0, "")
    return file


class TestAcceptedVersion:
    """Which version a program is."""

    def test_a_new_study_takes_what_there_is(self) -> None:
        """The first version has no reason."""
        assert accepted_version("s", [], FIRST, None) == Version(code=FIRST)

    def test_a_change_names_the_files(self) -> None:
        """Only what differs is named."""
        with pytest.raises(StudyConflictError, match=r"has changed: b\.py;"):
            accepted_version("s", [Version(code=FIRST)], SECOND, None)

    def test_a_reason_makes_a_new_version_and_an_old_one_stays_known(self) -> None:
        """Who restores the first version needs no reason and marks nothing."""
        second = accepted_version("s", [Version(code=FIRST)], SECOND, "faster")
        assert second == Version(code=SECOND, why="faster")
        assert accepted_version("s", [Version(code=FIRST), second], FIRST, None).why is None
        assert accepted_version("s", [Version(code=FIRST), second], SECOND, None).why == "faster"

    def test_a_blank_reason_is_refused(self) -> None:
        """A mark without a reason explains nothing."""
        with pytest.raises(ConfigError, match="must say why"):
            accepted_version("s", [Version(code=FIRST)], SECOND, " ")


def test_a_changed_module_stops_the_study_until_a_reason_is_given(own: Path) -> None:
    """An imported file counts; the refusal names it, and the reason stands with the new trials alone."""
    change_helper(own.parent, "2.0")
    ran = n_ran(own.parent)
    status, told = run("--trials", "5")
    assert (status, n_ran(own.parent)) == (1, ran)
    assert "has changed: helper.py;" in told
    assert "--code-changed" in told
    assert len(told.splitlines()) == 1
    assert run("--trials", "5", "--code-changed", "offset was wrong") == (0, "")
    found = rows()
    assert [row["code_changed"] for row in found] == [None] * 3 + ["offset was wrong"] * 2
    assert [row["value"] - row["x"] for row in found] == pytest.approx([1, 1, 1, 2, 2])
    assert run("--trials", "6") == (0, "")
    assert rows()[-1]["code_changed"] == "offset was wrong"


def test_an_unchanged_program_has_no_column_of_changes(own: Path) -> None:
    """The table of most studies says nothing of it; a touched file is no changed one."""
    own.touch()
    assert run("--trials", "4") == (0, "")
    assert all("code_changed" not in row for row in rows())


def test_the_code_is_stored_with_the_study(own: Path) -> None:
    """Both files by their hashes, as ``sha256sum`` gives them."""
    study = load_study(Database("sqlite:///studies/sweep.db").open_read_only(), "own")
    (version,) = study.code
    named = subprocess.run(
        ["sha256sum", own.name, "helper.py"], capture_output=True, text=True, check=True
    ).stdout
    assert version["files"] == {line.split()[1]: line.split()[0] for line in named.splitlines()}
    assert (version["why"], version["commit"], version["is_dirty"]) == (None, None, None)


def test_confirm_refuses_changed_code_and_stores_no_plan(own: Path) -> None:
    """A reason lets it go on, and the rounds are marked in the database."""
    change_helper(own.parent, "3.0")
    small = ("--top", "1", "--seeds", "2", "--certify", "2", "--workers", "1")
    status, _, err = sweep("confirm", "own", *small)
    assert status == 1
    assert "has changed: helper.py;" in err
    assert load_study(Database("sqlite:///studies/sweep.db").open_read_only(), "own").plans == ()
    assert sweep("confirm", "own", *small, "--code-changed", "why not")[0] == 0
    stored = load_study(Database("sqlite:///studies/sweep.db").open_read_only(), "own/confirm")
    assert {trial.code_changed for trial in stored.trials} == {"why not"}
    assert stored.code == ()


def test_replay_says_that_the_code_has_changed_and_goes_on(own: Path) -> None:
    """Its numbers are the proof: the same ones if the change does not matter."""
    change_helper(own.parent, "2.0 / 2")
    status, out, err = sweep("replay", "own")
    assert status == 0
    assert out.startswith("equal:")
    assert "helper.py" in err


def test_damaged_code_is_refused_in_one_line(own: Path) -> None:
    """What is no version of a program is not compared."""
    with sqlite3.connect("studies/sweep.db") as database:
        database.execute("UPDATE study_user_attributes SET value_json = '[{}]' WHERE key = 'code'")
    database.close()
    status, told = run("--trials", "4")
    assert status == 3
    assert len(told.splitlines()) == 1
    assert "stored incompletely" in told


@pytest.mark.parametrize("way", WAYS)
def test_a_change_in_the_middle_of_a_run_lets_the_running_trial_end(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first trial changes the module: it is complete, and no second one starts."""
    monkeypatch.chdir(tmp_path)
    change = 'Path(__file__).with_name("helper.py").write_text("offset = 7.0\\n")\n'
    _, _, text = WAYS[way]
    line = "    return" if way == "function" else "print("
    lay_out(tmp_path, way, text=text.replace(line, f"{'    ' * (way == 'function')}{change}{line}"))
    status, told = run()
    assert (status, n_ran(tmp_path)) == (1, 1)
    assert "has changed: helper.py;" in told
    assert [row["state"] for row in rows()] == ["complete"]


def test_sources_are_compared_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new file that a glob of ``[data] sources`` finds is a change."""
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path, "function", text=FUNCTION)
    with (tmp_path / "own.toml").open("a") as file:
        file.write("[data]\nsources = ['conf/*.yaml']\n")
    assert run()[0] == 1  # the glob finds nothing
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "base.yaml").write_text("depth: 3\n")
    assert run() == (0, "")
    (tmp_path / "conf" / "more.yaml").write_text("depth: 4\n")
    status, told = run("--trials", "4")
    assert status == 1
    assert "conf/more.yaml" in told


def test_drivers_that_share_a_study_compare_its_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a server a driver that joins with other code is refused; in the middle of a run it stops."""
    monkeypatch.chdir(tmp_path)
    change = '    if config.x >= 0 and int(Path(__file__).with_name("ran").read_text().count("\\n")) == 4:\n'
    change += '        Path(__file__).with_name("helper.py").write_text("offset = 9.0\\n")\n'
    lay_out(tmp_path, "function", text=FUNCTION.replace("    return", f"{change}    return"))
    with running_server() as server:
        monkeypatch.setenv("SWEEP_STORAGE", server.url())
        place = ("--files", str(tmp_path / "files"))
        assert run(*place) == (0, "")
        change_helper(tmp_path, "2.0")
        assert run("--trials", "6", *place)[0] == 1
        status, told = run("--trials", "6", "--code-changed", "a better offset", *place)
        assert (status, n_ran(tmp_path)) == (1, 4)
        assert "has changed: helper.py;" in told
        database = Database(server.url(), tmp_path / "files")
        trials = load_study(database.open_read_only(), "own").trials
    assert [trial.state for trial in trials] == ["complete"] * 4
    assert [trial.code_changed for trial in trials] == [None] * 3 + ["a better offset"]


def test_data_that_change_in_the_middle_of_a_run_stop_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second trial changes the file, and ends; no other begins until the former version is back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEEP_LEDGER", str(tmp_path / "ledger.jsonl"))
    Path("numbers.txt").write_text("1.0")
    lay_out(tmp_path, "function", "data.files = ['numbers.txt']", text=CHANGES_DATA)
    status, told = run()
    assert status == 1
    assert told == (
        "sweep: the data of study 'own' have changed: numbers.txt; no further trial was started; restore the "
        "former version, or run the study under another name with --as NAME"
    )
    assert [row["state"] for row in rows()] == ["complete", "complete"]
    Path("numbers.txt").write_text("1.0")
    assert run() == (0, "")
    assert [row["state"] for row in rows()] == ["complete"] * 3


CHANGES_DATA = """
from pathlib import Path

def train(config):
    ran = Path(__file__).with_name("ran")
    ran.open("a").write("1\\n")
    value = config.x + float(Path("numbers.txt").read_text())
    if ran.read_text().count("1") == 2:
        Path("numbers.txt").write_text("2.0")
    return value
"""
