"""A child imports a function's module and says what it found; this process never does."""

import subprocess
import sys
from pathlib import Path

import pytest

from sweep.errors import MachineError, StudyFileError
from sweep.trainers.function.probe import ChildTraceback, Probed, probe
from tests.support.sweep_command import is_alive, wait_until

GOOD = "import sys\n\ndef train(config, report=None):\n    return 1\n"


def probed(folder: Path, target: str = "trainers:train", **changes) -> Probed:
    return probe(target, folder=folder, cwd=folder, **changes)


def refusal(folder: Path, target: str = "trainers:train", **changes) -> str:
    """Return the one line that refuses a target."""
    with pytest.raises(StudyFileError) as refused:
        probed(folder, target, **changes)
    line = str(refused.value)
    assert "\n" not in line
    return line


def write(folder: Path, source: str, name: str = "trainers.py") -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(source)


def test_a_good_function_is_described(tmp_path: Path) -> None:
    """Whether it takes the report, where it is, and the hashes of its sources; nothing is imported here."""
    write(tmp_path, GOOD)
    found = probed(tmp_path)
    assert (found.takes_report, found.where) == (True, "trainers.py:3")
    assert set(found.code.files) == {"trainers.py"}
    assert "trainers" not in sys.modules
    write(tmp_path, "def train(config): return 1\n")
    assert probed(tmp_path).takes_report is False
    assert found.code.changes(probed(tmp_path).code) == ["trainers.py"]


def test_the_hash_covers_what_the_module_imports_below_its_folders(tmp_path: Path) -> None:
    """Also what it imports late, and globs of ``sources``; no library, no file that it does not use."""
    write(
        tmp_path,
        "import json, numpy\nimport near\n\ndef train(config):\n    from package import late\n    return 1\n",
    )
    for name in ("near.py", "unused.py", "package/__init__.py", "package/late.py", "conf/a.yaml"):
        write(tmp_path, "", name)
    assert set(probed(tmp_path).code.files) == {
        "trainers.py",
        "near.py",
        "package/__init__.py",
        "package/late.py",
    }
    assert "conf/a.yaml" in probed(tmp_path, sources=["conf/*.yaml"]).code.files
    assert "matches no file" in refusal(tmp_path, sources=["conf/*.json"])
    assert "must be a glob below" in refusal(tmp_path, sources=["../*.py"])


def test_a_module_in_the_working_folder_is_found(tmp_path: Path) -> None:
    """The study lies in a folder of studies, the code at the project's top."""
    write(tmp_path, GOOD, "project/code.py")
    (tmp_path / "project" / "studies").mkdir()
    found = probe("project.code:train", folder=tmp_path / "project" / "studies", cwd=tmp_path)
    assert set(found.code.files) == {"../code.py"}


MISSING = {
    "trainer:train": "there is no module 'trainer' in {folder} or among the installed modules; did you mean",
    "package.gone:train": "there is no module 'package.gone' in {folder} or among",
    "trainer.py:train": "there is no file {folder}/trainer.py; did you mean trainers.py?",
    "trainers:trian": "{folder}/trainers.py has no 'trian'; did you mean train?",
    "trainers:VALUE": "'VALUE' is of type int, not a function",
    "trainers": "it must be 'module:name', 'package.module:name' or 'path/file.py:name'",
    ":train": "it must be 'module:name', 'package.module:name' or 'path/file.py:name'",
    "trainers:many": "many takes (config, report, third); it must take (config) or (config, report)",
    "trainers:none": "none takes (); it must take (config) or (config, report)",
    "trainers:keywords": "keywords takes (**parameters); it must take (config) or (config, report)",
    "trainers:later": "later must be an ordinary function, neither async nor a generator",
    "trainers:steps": "steps must be an ordinary function, neither async nor a generator",
    "json:train": "'json' is also a module that Python or sweep has loaded; write trainer = 'json.py:",
    "sweep:train": "'sweep' is also a module that Python or sweep has loaded; write trainer = 'sweep.py:",
}


@pytest.mark.parametrize("target", MISSING)
def test_what_cannot_be_a_trainer_is_refused_by_name(tmp_path: Path, target: str) -> None:
    """The line names the folders that were searched, and the nearest name."""
    write(tmp_path, GOOD + "VALUE = 3\n")
    for line in (
        "def many(config, report, third): pass",
        "def none(): pass",
        "def keywords(**parameters): pass",
        "async def later(config): pass",
        "def steps(config): yield 1",
    ):
        write(tmp_path, (tmp_path / "trainers.py").read_text() + line + "\n")
    for name in ("json.py", "sweep.py", "package/__init__.py"):
        write(tmp_path, GOOD, name)
    expected = MISSING[target].format(folder=tmp_path)
    assert refusal(tmp_path, target).startswith(f"trainer {target!r}: {expected}")


@pytest.mark.parametrize(
    ("head", "first"),
    [
        ("lr, hidden, seed=0", "lr"),
        ("lr=0.1, hidden=8", "lr"),
        ("seed", "seed"),
        ("config, hidden", "hidden"),
    ],
)
def test_a_function_that_takes_hyperparameters_is_refused(tmp_path: Path, head: str, first: str) -> None:
    """It would get the whole configuration as its first argument, and a function as its second."""
    write(tmp_path, f"def train({head}):\n    return 1\n")
    assert refusal(tmp_path, hyperparameters=["lr", "hidden"]).startswith(
        f"trainer 'trainers:train': train takes ({head}); "
        f"the function gets (config) or (config, report): read config.{first} instead"
    )


@pytest.mark.parametrize(
    "head",
    ["config", "config, report", "c, r", "config, lr=0.1", "config, *, report", "config, report, lr=0.1"],
)
def test_other_names_of_the_two_arguments_are_accepted(tmp_path: Path, head: str) -> None:
    """So is a further argument with a default, which nothing replaces."""
    write(tmp_path, f"def train({head}):\n    return 1\n")
    assert probed(tmp_path, hyperparameters=["lr", "config", "report"]).where == "trainers.py:1"


FAULTS = {
    "x = 1\nraise ValueError('no data')": "ValueError: no data (trainers.py:2)",
    "x = 1\nimport missing_library": "ModuleNotFoundError: No module named 'missing_library' (trainers.py:2)",
    "def train(config)\n    return 1": "SyntaxError: expected ':' (trainers.py, line 1) (trainers.py:1)",
    "import sys\n\nsys.exit(2)": "SystemExit: 2 (trainers.py:3)",
    "import near": "ZeroDivisionError: division by zero (near.py:2)",
    "import os\nos._exit(0)": "the import of its module ended the process (exit code 0)",
    "import os\nos.abort()": "the import of its module ended the process (SIGABRT)",
}


@pytest.mark.parametrize("source", FAULTS)
def test_an_import_that_fails_is_one_line_with_the_place_in_their_file(tmp_path: Path, source: str) -> None:
    """The traceback is the cause."""
    write(tmp_path, source)
    write(tmp_path, "x = 0\nx = 1 / x\n", "near.py")
    with pytest.raises(StudyFileError) as refused:
        probed(tmp_path)
    assert str(refused.value) == f"trainer 'trainers:train': {FAULTS[source]}"
    if "ended the process" not in FAULTS[source]:
        assert isinstance(refused.value.__cause__, ChildTraceback)
        assert FAULTS[source].partition(":")[0] in str(refused.value.__cause__)


def test_an_import_that_trains_is_ended_with_all_its_children(tmp_path: Path) -> None:
    """The line says what to do; nothing of it goes on running."""
    write(
        tmp_path,
        "import subprocess, sys, pathlib, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path('pid').write_text(str(child.pid))\n"
        "time.sleep(600)\n",
    )
    line = refusal(tmp_path, timeout=3.0)
    assert "took more than 3 s" in line
    assert "if __name__ == '__main__'" in line
    pid = int((tmp_path / "pid").read_text())
    assert wait_until(lambda: not is_alive(pid))


def test_what_the_import_prints_and_asks_goes_nowhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It reaches neither the terminal nor the answer."""
    write(tmp_path, "import os, sys\nprint('hello')\nos.write(2, b'there')\nsys.stdin.read()\n" + GOOD)
    assert probed(tmp_path).takes_report
    assert capfd.readouterr() == ("", "")


def test_a_working_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    """It is the machine's fault."""
    with pytest.raises(MachineError, match="cannot start in"):
        probe("trainers:train", folder=tmp_path, cwd=tmp_path / "gone")


def test_every_module_of_a_standard_name_beside_the_study_is_harmless(tmp_path: Path) -> None:
    """The probe needs none of them after their folder is searched."""
    for name in sys.stdlib_module_names:
        write(tmp_path, "raise SystemError('imported')\n", f"{name}.py")
    write(tmp_path, "def train(config): return 1\n")
    assert probed(tmp_path, sources=["ab*.py"]).where == "trainers.py:1"


def test_the_commit_is_stored_and_whether_the_files_are_in_it(tmp_path: Path) -> None:
    """Other files of the folder do not count."""
    write(tmp_path, GOOD)
    git = [
        "git",
        "-C",
        str(tmp_path),
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "-c",
        "commit.gpgsign=false",
    ]
    for arguments in (["init", "-q"], ["add", "trainers.py"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], check=True)
    head = subprocess.run(
        [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    write(tmp_path, "", "notes.txt")
    assert (probed(tmp_path).code.commit, probed(tmp_path).code.is_dirty) == (head, False)
    write(tmp_path, GOOD + "# changed\n")
    assert probed(tmp_path).code.is_dirty is True
