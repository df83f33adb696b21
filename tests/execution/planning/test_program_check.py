"""What a trial run of a program finds out, and what a plan says of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sweep.execution.planning.written_files import WrittenFiles
from tests.support.program_studies import WAYS, lay_out, run, sweep


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    return tmp_path


def check(expected: int = 0) -> str:
    """Return what ``plan --check`` prints to stdout."""
    status, out, err = sweep("plan", "own.toml", "--check")
    assert status == expected, err
    return out


class TestWrittenFiles:
    """Which files a trial wrote."""

    def test_new_and_changed_files_are_told_once(self, home: Path) -> None:
        """Hidden folders, caches and the folder that is left out do not count."""
        for folder in (".git", "__pycache__", "own", "deep"):
            (home / folder).mkdir()
        (home / "old").write_text("1")
        written = WrittenFiles([home, home], besides=str(home / "own"))
        for name in ("new", "old", "deep/new", ".git/new", "__pycache__/new", "own/new"):
            (home / name).write_text("two")
        assert written.new() == {str(home / name) for name in ("new", "old", "deep/new")}
        assert written.new() == set()

    def test_what_this_process_prints_into_is_not_written_by_the_program(self, home: Path) -> None:
        """A shell may redirect both streams into files of the folder, or close them."""
        code = (
            "import pathlib, os, sys\n"
            "from sweep.execution.planning.written_files import WrittenFiles\n"
            "written = WrittenFiles([pathlib.Path()], besides='')\n"
            "print('x', flush=True)\n"
            "pathlib.Path('other').write_text('x')\n"
            "assert [os.path.basename(path) for path in written.new()] == ['other'], written.new()"
        )
        with open(home / "out", "w", encoding="utf-8") as out:
            subprocess.run([sys.executable, "-c", code], cwd=home, stdout=out, check=True)
        (home / "other").unlink()
        closed = f"exec 2>&-; exec '{sys.executable}' -c \"$1\""
        subprocess.run(["bash", "-c", closed, "_", code], cwd=home, stdout=subprocess.DEVNULL, check=True)

    def test_a_file_that_is_gone_is_not_written(self, home: Path) -> None:
        """A removed file and a dangling link do no harm."""
        (home / "old").write_text("1")
        (home / "link").symlink_to(home / "none")
        written = WrittenFiles([home], besides="")
        (home / "old").unlink()
        assert written.new() == set()


@pytest.mark.parametrize("way", WAYS)
def test_a_plan_says_what_is_lacking_and_trains_nothing(way: str, home: Path) -> None:
    """Nothing was run, so nothing is timed; JSON holds the same."""
    lay_out(home, way)
    status, out, _ = sweep("plan", "own.toml")
    assert status == 0
    assert "3 of 3 trials" in out
    assert "x: 0.0 to 1.0" in out
    assert "no budget: no trial is pruned" in out
    assert "no matters" not in out
    assert ("only in SWEEP_SEED" in out) == (way == "command")
    assert "unknown: no trial has ended yet; `sweep plan --check` trains some short ones" in out
    assert not (home / "ran").exists()
    plan = json.loads(sweep("plan", "own.toml", "--format", "json")[1])
    assert (plan["left"], plan["timed"], plan["trial_seconds"], plan["disk_bytes"]) == (3, 0, None, None)


def test_a_plan_of_a_study_that_was_run_has_its_times_and_bytes(home: Path) -> None:
    """The bytes are those of the trials' folders, as ``du --apparent-size`` would count the files."""
    lay_out(
        home,
        "function",
        text="def train(config):\n    (config.dir / 'm').write_bytes(bytes(5_000))\n    return 1.0\n",
    )
    assert run() == (0, "")
    plan = json.loads(sweep("plan", "own.toml", "--trials", "5", "--format", "json")[1])
    folders = sorted((home / "studies" / "sweep.db.programs" / "own").iterdir())
    sizes = [sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) for folder in folders]
    assert (plan["left"], plan["timed"]) == (2, 3)
    assert plan["trial_bytes"]["high"] == max(sizes) > 5_000
    assert plan["disk_bytes"] == round(2 * sum(sizes) / 3)
    assert 0 < plan["trial_seconds"]["low"] <= plan["trial_seconds"]["high"]
    assert "median of 3 stored" in sweep("plan", "own.toml")[1]


def test_a_plan_counts_the_files_of_trials_only(home: Path) -> None:
    """Folders of a confirmation and of a test lie beside those of the trials."""
    lay_out(home, "function")
    assert run() == (0, "")
    before = json.loads(sweep("plan", "own.toml", "--trials", "5", "--format", "json")[1])
    for other in ("confirm/000000", "tested/0123456789abcdef"):
        folder = home / "studies" / "sweep.db.programs" / "own" / other
        folder.mkdir(parents=True)
        (folder / "model").write_bytes(bytes(500_000))
    after = json.loads(sweep("plan", "own.toml", "--trials", "5", "--format", "json")[1])
    assert (after["trial_bytes"], after["disk_bytes"]) == (before["trial_bytes"], before["disk_bytes"])


def test_a_program_without_faults_has_none(home: Path) -> None:
    """It repeats itself, its seed counts, and its parameter is read."""
    lay_out(home, "function", text="def train(config):\n    return config.x + config.seed % 97\n")
    found = check()
    assert "unknown: no trial has ended yet; the check below trains some short ones" in found
    assert "reproducible: one seed gave" in found
    assert "the seed has an effect" in found
    for complaint in ("not reproducible", "made no difference", "depends on", "overwrite"):
        assert complaint not in found
    assert not (home / "studies").exists()


def test_what_a_script_ignores_is_found(home: Path) -> None:
    """A boolean that argparse takes for true both times, no seed, and one log for all trials."""
    script = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--use_bn", type=bool)
parser.add_argument("--x", type=float)
parser.add_argument("--epochs", type=int)
given = parser.parse_args()
open("all.log", "a").write("ran\\n")
for epoch in range(given.epochs):
    print(f"epoch={epoch + 1} value={given.x + bool(given.use_bn)}", flush=True)
"""
    lay_out(home, "command", text=script)
    (home / "own.toml").write_text(
        "name = 'own'\n"
        "command = ['python', 'train.py', '--use_bn={use_bn}', '--x={x}', '--epochs={epochs}']\n"
        "metric = 'value'\nbudget = 'epochs'\nfixed.epochs = 40\nsampler = 'random'\n"
        "[search]\nx = { low = 0.0, high = 1.0 }\nuse_bn = { choices = [true, false] }\n"
    )
    found = check()
    assert "use_bn made no difference: does the script read it?" in found
    assert "x made no difference" not in found
    assert "the seed made no difference: three seeds gave" in found
    assert f"{home / 'all.log'}: each trial writes this file outside its folder" in found
    assert 'set cwd = "{dir}" in the study file' in found
    assert len((home / "all.log").read_text().splitlines()) == 8


def test_the_shortest_length_is_tried(home: Path) -> None:
    """Of a range its lower end, of choices the lowest."""
    text = "def train(config):\n    return config.epochs + config.x + config.seed % 97\n"
    for epochs in ("{ low = 2, high = 40 }", "{ choices = [40, 2, 9] }"):
        lay_out(home, "function", text=text)
        (home / "own.toml").write_text(
            f"name = 'own'\ntrainer = 'trainers:train'\nbudget = 'epochs'\nsampler = 'random'\n"
            f"[search]\nx = {{ low = 0.0, high = 0.5 }}\nepochs = {epochs}\n"
        )
        status, out, err = sweep("plan", "own.toml", "--check")
        assert status == 0, err
        assert "short trials with epochs = 2," in out + err


def test_state_that_outlives_a_trial_is_found(home: Path) -> None:
    """A module that remembers the last trial gives the same trial another value; a new process does not."""
    text = (
        "last = [0.0]\ndef train(config):\n    last[0] += config.x\n    return last[0] + config.seed % 97\n"
    )
    lay_out(home, "function", text=text)
    found = check()
    assert "a trial depends on earlier trials in its process" in found
    assert "reproducible: one seed gave" in found
    (home / "own.toml").write_text("fresh_process = true\n" + (home / "own.toml").read_text())
    assert "depends on" not in check()


def test_a_program_that_does_not_repeat_itself_is_found(home: Path) -> None:
    """Its seed's effect cannot be told then."""
    lay_out(
        home, "function", text="import time\ndef train(config):\n    return config.x + time.time_ns() % 1e6\n"
    )
    found = check()
    assert "not reproducible: one seed gave" in found
    assert "the seed has an effect" not in found


def test_a_program_that_fails_says_why(home: Path) -> None:
    """At once, or at the end of a range only."""
    lay_out(home, "function", text="def train(config):\n    raise RuntimeError('no data')\n")
    status, _, err = sweep("plan", "own.toml", "--check")
    assert status == 1
    assert "no data" in err
    lay_out(home, "function", text="def train(config):\n    return 1 / config.x\n")
    found = check(expected=1)
    assert "x = 0.0: ZeroDivisionError" in found


def test_a_check_of_an_installed_trainer_is_refused(home: Path) -> None:
    """It is known already."""
    (home / "words.txt").write_text("anna\nbob\ncara\ndan\neva\nfinn\n" * 5)
    (home / "own.toml").write_text(
        "name = 'own'\nsampler = 'random'\n[data]\nwords = 'words.txt'\n"
        "[search]\nlearning_rate = { low = 0.01, high = 0.1 }\n"
    )
    status, _, err = sweep("plan", "own.toml", "--check")
    assert status == 1
    assert "--check tries out a study's own program" in err


def test_a_plan_refuses_a_function_that_takes_hyperparameters(home: Path) -> None:
    """A plan without --check names the problem before any trial fails."""
    lay_out(home, "function", text="def train(x, seed=0):\n    return x\n")
    status, _, err = sweep("plan", "own.toml")
    assert status == 1
    assert "train takes (x, seed=0); the function gets (config) or (config, report): read config.x" in err


WRITER = """
import pathlib, sys
pathlib.Path("model.txt").write_text(sys.argv[1])
{more}
print("value=" + sys.argv[1].removeprefix("--x="))
"""


def lay_out_writer(home: Path, more: str = "", keys: str = "") -> None:
    """Write a study of a script that writes ``model.txt`` by its relative name, and the user's such file."""
    lay_out(home, "command", keys, WRITER.format(more=more))
    (home / "model.txt").write_text("a week of work")


@pytest.mark.parametrize("more", ["", "sys.exit(3)"])
def test_a_file_of_the_user_that_changed_is_the_first_finding(home: Path, more: str) -> None:
    """Also if the training then fails; what the check may do is said before it begins."""
    lay_out_writer(home, more)
    status, out, err = sweep("plan", "own.toml", "--check")
    assert status == bool(more)
    assert (home / "model.txt").read_text() != "a week of work"
    findings = out.partition("disk")[2].splitlines()[1:]
    assert findings[0].startswith(
        f"{home / 'model.txt'}: this file was there before and has changed during the check"
    )
    assert 'set cwd = "{dir}" in the study file' in findings[0]
    assert out.count("model.txt") == 1
    assert f"the program runs in {home}: a file that it writes there by a relative name stays" in err
    status, out, err = sweep("plan", "own.toml", "--check", "--format", "json")
    assert status == bool(more)
    assert findings[0] in (err if more else json.loads(out)["findings"])


def test_a_file_that_only_a_later_trial_changes_is_found(home: Path) -> None:
    """It is the last finding."""
    lay_out_writer(home)
    script = (
        (home / "train.py").read_text().replace("pathlib.Path", "sys.argv[1] == '--x=1.0' and pathlib.Path")
    )
    (home / "train.py").write_text(script)
    assert check().splitlines()[-1].startswith(f"{home / 'model.txt'}: this file was there before")


def test_a_check_runs_in_the_working_folder_of_the_study(home: Path) -> None:
    """With ``cwd = "{dir}"`` each trial has its own, and the user's file stays."""
    lay_out_writer(home, keys="cwd = '{dir}'")
    study = (home / "own.toml").read_text().replace("'train.py'", "'{here}/train.py'")
    (home / "own.toml").write_text(study)
    status, out, err = sweep("plan", "own.toml", "--check")
    assert status == 0
    assert (home / "model.txt").read_text() == "a week of work"
    assert "model.txt" not in out
    assert "the program runs in a temporary folder for each trial" in err


@pytest.mark.parametrize("way", WAYS)
def test_a_program_that_does_not_end_is_ended_after_the_limit_of_a_trial(way: str, home: Path) -> None:
    """The study's, which is said before the check begins."""
    loop = "import time\n{}while True:\n{}    time.sleep(0.1)\n"
    head, indent = ("def train(config):\n    ", "    ") if way == "function" else ("", "")
    lay_out(home, way, "trial_timeout = '2s'\ngrace = '1s'", loop.format(head, indent))
    status, _, err = sweep("plan", "own.toml", "--check")
    assert status == 1
    assert "each for at most 2 s (trial_timeout)" in err
    assert err.splitlines()[-1] == "sweep: the trial did not end within 2 s"


def test_without_a_limit_of_a_trial_the_check_has_its_own(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the key that sets it; at the end of a range only, it is a finding."""
    monkeypatch.setattr("sweep.execution.planning.program_check.LIMIT_S", 2.0)
    lay_out(
        home,
        "function",
        text="import time\ndef train(config):\n    time.sleep(60 * (config.x == 1.0))\n    return config.x\n",
    )
    assert (
        "x = 1.0: the trial did not end within 2 s; set trial_timeout in the study file to allow more"
        in check(expected=1)
    )
