"""The first study of a script: from its source, else from its --help, which alone is ever run."""

import os
import tomllib
from pathlib import Path

import pytest

from sweep.definition.study_file import load_study_file
from sweep.errors import DataError
from sweep.trainers.command.from_script import printed_help
from sweep.trainers.command.from_script.first_study import FirstStudy, study_of_script
from tests.support.tuned_scripts import SCRIPTS

LOOP = """
import argparse
from pathlib import Path
OPTIONS = {"lr": 0.1, "hidden-dim": 64}
parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
for name, default in OPTIONS.items():
    parser.add_argument(f"--{name}", type=type(default), default=default, help="tuned")
args = parser.parse_args()
Path(__file__).with_name("trained").touch()
print(f"val_acc: {0.5}")
"""


def first(folder: Path, text: str, **given: str) -> tuple[FirstStudy, list[str]]:
    """Return the study of a script and the notes to the user."""
    path = folder / "train.py"
    path.write_text(text)
    notes: list[str] = []
    return study_of_script(path, note=notes.append, **given), notes


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_gives_a_study_that_can_be_planned(tmp_path: Path, name: str) -> None:
    """Once the metric is named; only what is to be filled in has to be filled in. Nothing is run."""
    study, notes = first(tmp_path, SCRIPTS[name], metric="val_loss")
    text = study.text
    for phrase in study.to_do:
        key = phrase.removeprefix("fill in ")
        assert f"# fixed.{key} = " in text, phrase
        text = text.replace(f"# fixed.{key} = ", f"fixed.{key} = ").replace(
            f"# arguments.{key} ", f"arguments.{key} "
        )
    assert len(study.to_do) == (name in ("positional", "required"))
    (tmp_path / "study.toml").write_text(text)
    spec = load_study_file(tmp_path / "study.toml")
    assert spec.name == "train"
    assert len(spec.space) >= 1
    assert notes == []


def test_options_from_the_help(tmp_path: Path) -> None:
    """The run is announced, trains nothing and leaves nothing beside the script."""
    study, notes = first(tmp_path, LOOP)
    assert notes == [
        f"no options are listed in the source of {tmp_path}/train.py; running `python {tmp_path}/train.py "
        "--help` for at most 20 s"
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.py"]
    table = tomllib.loads(study.text)
    assert table["search"] == {
        "lr": {"low": 0.01, "high": 1.0, "log": True},
        "hidden_dim": {"low": 16, "high": 256, "log": True},
    }
    assert table["arguments"] == {"hidden_dim": "--hidden-dim={value}"}
    assert (table["metric"], table["direction"]) == ("val_acc", "maximize")
    assert study.to_do == ("check that val_acc is the metric",)
    assert "# Options of train.py, as its --help prints them." in study.text


def test_the_help_runs_in_an_empty_folder_without_our_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it get the storage's password."""
    monkeypatch.setenv("SWEEP_STORAGE", "postgresql://me:secret99@host/x")
    path = tmp_path / "show.py"
    path.write_text(
        "import os, sys\nprint(os.listdir('.'), sys.argv[1:], os.environ.get('SWEEP_STORAGE'), "
        "'secret99' in str(os.environ), sys.stdin.read())\n"
    )
    assert printed_help.printed_help(path).split("\n")[0] == "[] ['--help'] None False "


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("print('hello')\n", r"no options of .*ends with 'hello'"),
        ("import no_such_module\n", r"ends with \"ModuleNotFoundError: No module named 'no_such_module'\""),
        ("pass\n", "ends with 'nothing'"),
        (
            "import argparse\np = argparse.ArgumentParser()\np.add_argument('--seed', type=int)\n",
            "can be searched: seed",
        ),
        (
            "import argparse\np = argparse.ArgumentParser()\np.add_argument('--text')\n",
            "can be searched: text",
        ),
    ],
)
def test_scripts_without_anything_to_search(tmp_path: Path, text: str, rule: str) -> None:
    """One line that says what was found."""
    with pytest.raises(DataError, match=rule) as refusal:
        first(tmp_path, text)
    assert "\n" not in str(refusal.value)


ENDLESS = {"silent": "import time\ntime.sleep(600)\n", "loud": "while True:\n    print('x' * 10_000)\n"}

DAEMON = "import os, time\nif os.fork():\n    os._exit(0)\nos.setsid()\ntime.sleep(600)\n"


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_script_that_does_not_end(tmp_path: Path, kind: str) -> None:
    """It is ended, and the reader is told what to do."""
    path = tmp_path / "train.py"
    path.write_text(ENDLESS[kind])
    with pytest.raises(DataError, match=r"--help did not end within 2 s; write the study file by hand"):
        printed_help.printed_help(path, timeout_s=2)
    assert running(path) == []


def test_a_script_that_leaves_a_process(tmp_path: Path) -> None:
    """All that it started is ended."""
    path = tmp_path / "train.py"
    path.write_text(DAEMON)
    assert printed_help.printed_help(path) == ""
    assert running(path) == []


def running(path: Path) -> list[str]:
    """Return the processes that have a file in their command line."""
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and str(path) in command_of(pid)]


def command_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


NO_DEFAULTS = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--hidden", type=int)
parser.add_argument("--act", type=str)
parser.add_argument("--batch-size", type=int, default=32)
args = parser.parse_args()
print(f"val_loss: {args.lr * args.hidden}")
"""


def test_ranges_of_options_without_a_default_are_left_open(tmp_path: Path) -> None:
    """No value is invented; the next step counts the ranges, and filled in they make a study."""
    study, _ = first(tmp_path, NO_DEFAULTS, metric="val_loss")
    assert study.to_do == ("fill in 2 ranges (lr, hidden: no default known)",)
    assert "# search.lr = { low = , high = }    # fill in" in study.text
    assert "# search.act = { choices = [] }    # fill in" in study.text
    filled = study.text.replace("# search.lr = { low = ,", "search.lr = { low = 0.1,").replace(
        "# search.hidden = { low = ,", "search.hidden = { low = 1,"
    )
    filled = filled.replace("low = 0.1, high = }", "low = 0.1, high = 1.0 }")
    (tmp_path / "study.toml").write_text(filled.replace("low = 1, high = }", "low = 1, high = 9 }"))
    assert set(load_study_file(tmp_path / "study.toml").space) == {"lr", "hidden", "batch_size"}


def test_a_script_with_nothing_but_open_ranges_gets_a_file(tmp_path: Path) -> None:
    """It cannot be planned yet, and what is missing is said."""
    study, _ = first(tmp_path, NO_DEFAULTS.replace(", default=32", ""), metric="val_loss")
    assert study.to_do == ("fill in 3 ranges (lr, hidden, batch_size: no default known)",)
    assert "search" not in tomllib.loads(study.text)


def test_the_difference_that_matters_is_left_to_the_user(tmp_path: Path) -> None:
    """The commented line names the command that needs it, and is right once it is uncommented."""
    study, _ = first(tmp_path, SCRIPTS["digits"], metric="val_loss")
    assert "`sweep confirm` needs it" in study.text
    (tmp_path / "study.toml").write_text(study.text.replace("# matters", "matters"))
    assert load_study_file(tmp_path / "study.toml").program["matters"] == 0.01
