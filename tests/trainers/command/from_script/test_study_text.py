"""Study files from scripts: what they say, and that the scripts take what a study then gives them."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sweep.trainers.command.arguments import CommandLine
from sweep.trainers.command.from_script.option import Option, ScriptOptions
from sweep.trainers.command.from_script.read_script import read_script
from sweep.trainers.command.from_script.study_text import write_study
from sweep.trainers.command.placeholders import Place
from tests.support.tuned_scripts import SCRIPTS

COMMENTED = re.compile(r"^# ((?:search|fixed|arguments)\.)", re.MULTILINE)

FILLED = {"data": "/data", "model_name": "bert"}
"""What the user has to fill in."""


UNREADY = ("required", "no_metric_of_its_own")
"""Scripts whose study needs something of the user."""


@pytest.fixture
def script(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(SCRIPTS[request.param], encoding="utf-8")
    return path


def study_of(path: Path) -> str:
    return write_study(read_script(path), str(path))


def taken(text: str) -> str:
    """Return a study with every suggestion taken, and open values and ranges filled in."""
    text = COMMENTED.sub(r"\1", text).replace("{ choices = [] }", '{ choices = ["…"] }')
    return text.replace("{ low = , high = }", "{ low = 1, high = 2 }")


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return entries by dotted name; ranges and choices are entries."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        is_entry = not isinstance(value, dict) or value.keys() & {"low", "choices"}
        found |= {prefix + name: value} if is_entry else flat(value, f"{prefix}{name}.")
    return found


def values_of(study: Mapping[str, Any], end: int) -> dict[str, Any]:
    """Return the parameters at one end of everything."""
    searched = {
        name: entry["choices"][end] if "choices" in entry else entry["low" if end == 0 else "high"]
        for name, entry in flat(study.get("search", {})).items()
    }
    return {**flat(study.get("fixed", {})), **searched}


def run(study: Mapping[str, Any], folder: Path, end: int) -> dict[str, Any]:
    """Run the script as a trial would, and return what it got."""
    values = values_of(study, end)
    values = {name: FILLED.get(name, value) for name, value in values.items()}
    missing = {n: v for n, v in FILLED.items() if f"{{{n}}}" in study["command"] and n not in values}
    values |= missing
    parsed = CommandLine.parse(
        study["command"],
        params=list(values),
        style=study.get("style", "argparse"),
        arguments=study.get("arguments", {}),
    )
    place = Place(
        seed=7, dir=folder, here=folder, checkpoint=folder, trial=1, study="s", python=sys.executable, port=1
    )
    done = subprocess.run(
        parsed.expand(values, place), capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    got: dict[str, Any] = json.loads(done.stdout.splitlines()[0])
    return got | {"_values": values}


def check_got(got: dict[str, Any], folder: Path) -> None:
    """Every value arrived, as itself or, of an option without type, as text."""
    for name, value in got.pop("_values").items():
        assert got[name] in (value, str(value)), name
    assert got.get("seed", 7) == 7
    assert got.get("output_dir", str(folder)) == str(folder)


@pytest.mark.parametrize("script", SCRIPTS, indirect=True)
@pytest.mark.parametrize("end", [0, -1])
def test_the_script_takes_what_the_study_gives(script: Path, end: int) -> None:
    """With every suggestion taken, and what is required filled in."""
    text = taken(study_of(script)).replace("search.slow", "# search.slow")
    check_got(run(tomllib.loads(text), script.parent, end), script.parent)


@pytest.mark.parametrize("script", [name for name in SCRIPTS if name not in UNREADY], indirect=True)
def test_the_study_runs_as_it_is_written(script: Path) -> None:
    """Only what is required has to be filled in; something is known to be worth a search."""
    study = tomllib.loads(study_of(script))
    check_got(run(study, script.parent, 0), script.parent)
    assert (study["metric"], study["direction"]) == ("val_loss", "minimize")


@pytest.mark.parametrize("script", ["digits"], indirect=True)
def test_the_text(script: Path) -> None:
    """As somebody reads it."""
    assert write_study(read_script(script), "train.py") == (
        "#:schema study.schema.json\n"
        "# Options of train.py, read without running it. Uncomment what to search.\n"
        'name = "train"\n'
        'command = ["python", "train.py", "{args}", "--seed={seed}"]\n'
        'metric = "val_loss"    # a guess; the script seems to print val_loss\n'
        'direction = "minimize"\n'
        "# matters = 0.01    # fill in the difference that matters to you; `sweep confirm` needs it\n"
        "\n"
        "# --epochs: int, default 10\n"
        "fixed.epochs = 10\n"
        '# budget = "epochs"    # for pruners, if the script prints the metric after each\n'
        "\n"
        "# --lr: float, default 0.001; learning rate (default: 0.001)\n"
        "search.lr = { low = 0.0001, high = 0.01, log = true }\n"
        "\n"
        "# --hidden-dim: int, default 128\n"
        "search.hidden_dim = { low = 32, high = 512, log = true }\n"
        'arguments.hidden_dim = "--hidden-dim={value}"\n'
        "\n"
        "# --dropout: float, default 0.1\n"
        "search.dropout = { low = 0.0, high = 0.5 }\n"
    )


@pytest.mark.parametrize("script", ["flags"], indirect=True)
def test_the_trap_is_pointed_out(script: Path) -> None:
    """type=bool takes "False" for true; the study gives it what it takes for false."""
    text = study_of(script)
    assert "argparse's type=bool reads every text as true" in text
    got = run(tomllib.loads(taken(text)), script.parent, -1)
    assert (got["trap"], got["bias"], got["use_bn"], got["amp"]) == (False, False, False, False)


@pytest.mark.parametrize("script", ["computed"], indirect=True)
def test_what_cannot_be_read_is_said(script: Path) -> None:
    """As comments, with the line."""
    text = study_of(script)
    assert "# Not read: line 8: parser.add_argument('--' + name, type=float, default=1.0)\n" in text
    assert "Its default is known only when the script runs: os.path.join(os.getcwd(), 'cache')." in text
    assert "# --momentum: float, default 0.9\n" in text


@pytest.mark.parametrize("script", ["groups"], indirect=True)
def test_options_that_exclude_each_other(script: Path) -> None:
    """Whoever searches both is told."""
    assert study_of(script).count("# Only one of --fast, --slow may be given.\n") == 2


@pytest.mark.parametrize("script", ["required", "positional"], indirect=True)
def test_what_is_required_is_said(script: Path) -> None:
    """The user sees what to fill in; a choice is made for them."""
    text = study_of(script)
    assert "    # fill in: the script does not run without it\n" in text
    assert ("fixed.task = " in text) == ("--task" in script.read_text())


@pytest.mark.parametrize("script", ["no_metric_of_its_own"], indirect=True)
def test_a_study_without_anything_known_says_so(script: Path) -> None:
    """A study needs something to search; that it is a guess is written beside it."""
    text = study_of(script)
    entry = 'search.kernel = { choices = ["rbf"] }    # a guess: no option has a known range\n'
    assert text.endswith(entry)
    assert '"--random-state={seed}"' in text


@pytest.mark.parametrize(
    ("options", "searched"),
    [
        (["kernel:text:rbf", "quiet:bool:", "size:int:7"], {"size": {"low": 3, "high": 14}}),
        (["kernel:text:rbf", "quiet:bool:"], {"quiet": {"choices": [True, False]}}),
        (["kernel:text:rbf", "epochs:int:4"], {"kernel": {"choices": ["rbf"]}}),
        (["epochs:int:4"], {"epochs": {"low": 2, "high": 8}}),
        (["lr:float:0.1", "size:int:7"], {"lr": {"low": 0.01, "high": 1.0, "log": True}}),
        (["kernel:text:", "seed:int:1"], {}),
    ],
)
def test_what_is_searched_if_little_is_known(options: list[str], searched: dict[str, Any]) -> None:
    """Numbers before flags, flags before a text, and a trial's length last; nothing beside what is known."""
    read = {"int": int, "float": float, "text": str, "bool": bool}
    made = []
    for name, kind, default in (text.split(":") for text in options):
        value = read[kind](default) if default else False if kind == "bool" else None
        made.append(Option(name=name, flag=f"--{name}", kind=kind, is_flag=kind == "bool", default=value))
    assert (
        tomllib.loads(write_study(ScriptOptions(options=tuple(made)), "x.py")).get("search", {}) == searched
    )


@pytest.mark.parametrize(
    ("metric", "direction", "written"),
    [
        ("val_acc", None, {"metric": "val_acc", "direction": "maximize"}),
        ("val_loss", "maximize", {"metric": "val_loss", "direction": "maximize"}),
        ("figure", None, {"metric": "figure"}),
        (None, "maximize", {"direction": "maximize"}),
        (None, None, {}),
    ],
)
def test_metric_and_direction(metric: str | None, direction: str | None, written: dict[str, str]) -> None:
    """What is given is written; a direction that nobody knows is a comment."""
    found = ScriptOptions(options=(Option(name="lr", flag="--lr", kind="float", default=0.1),))
    study = tomllib.loads(write_study(found, "x.py", metric=metric, direction=direction))
    assert {key: study[key] for key in ("metric", "direction") if key in study} == written


def test_names_that_mean_something_to_sweep() -> None:
    """A positional argument called as a placeholder is the parameter; a flag called seed is left alone."""
    positional = Option(name="dir", flag=None, kind="text", is_required=True)
    flag = Option(name="seed", flag="--seed", kind="bool", is_flag=True, default=False)
    rate = Option(name="lr", flag="--lr", kind="float", default=0.1)
    study = tomllib.loads(
        write_study(ScriptOptions(options=(positional, flag, rate)), "x.py").replace("# fixed", "fixed")
    )
    assert study["command"] == ["python", "x.py", "{param:dir}", "{args}"]
    assert set(study["search"]) == {"lr"}


HOSTILE = 'x"]\nsearch.evil = { low = 0, high = 1 }\r\u2028\x00\x1b[31m\u202e{evil}'


def test_no_text_of_a_script_becomes_an_entry() -> None:
    """Help, names, defaults, choices and paths are a script's own, and may hold anything."""
    options = (
        Option(
            name=HOSTILE, flag="--" + HOSTILE, kind="text", default=HOSTILE, help=HOSTILE, warnings=(HOSTILE,)
        ),
        Option(name="b", flag="--b", kind="text", choices=(HOSTILE, "c"), is_required=True),
        Option(name="lr", flag="--" + HOSTILE, kind="float", default=0.1, help=HOSTILE),
    )
    found = ScriptOptions(options=options, unread=(HOSTILE,), printed=(HOSTILE + "loss",))
    for text in (write_study(found, HOSTILE), taken(write_study(found, HOSTILE))):
        study = tomllib.loads(text)
        assert study.keys() <= {"name", "command", "metric", "direction", "fixed", "search", "arguments"}
        assert set(study["search"]) <= {HOSTILE, "lr"}
        assert study["command"][1].replace("{{", "{").replace("}}", "}") == HOSTILE
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", study["name"])


_LIBRARY = sorted(Path(ast.__file__).parent.glob("*.py"))
_INSTALLED = [
    Path(pytest.__file__).parents[1] / name for name in ("torch/distributed/run.py", "flask/cli.py")
]

REAL = [
    *(path for path in _LIBRARY if "argparse" in path.read_text("utf-8", "ignore")),
    *(path for path in _INSTALLED if path.exists()),
]


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_programs_of_others(path: Path) -> None:
    """Of the standard library and of packages: each gives a study file that can be read."""
    found = read_script(path)
    for text in (write_study(found, path.name), taken(write_study(found, path.name))):
        study = tomllib.loads(text)
        assert study["command"][:2] == ["python", path.name]
    calls = len(re.findall(r"\.add_argument\(\s*f?['\"]", path.read_text("utf-8")))
    if path.stem != "argparse":
        assert len(found.options) + len(found.unread) >= calls / 2
