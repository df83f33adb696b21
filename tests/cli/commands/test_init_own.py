"""The command init for a script and a function of the user's own: what it writes runs as it is."""

import importlib.util
import json
import tomllib
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest

from sweep.cli import main
from sweep.cli.workspace import SKELETON, SKELETON_FILES
from sweep.definition.editor_schema.document import SCHEMA_FILE, schema_text
from sweep.trainers.function.config import Config
from tests.support.command_line import (
    Capture,
    complaint,
)
from tests.support.program_studies import rows, sweep
from tests.support.tuned_scripts import SCRIPTS

PACKAGE = Path(__file__).resolve().parents[3] / "sweep"

UNREADY = ("required", "positional")
"""Scripts with an option that only the user can fill in."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, without a database of the user's."""
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(study: Path) -> list[str]:
    """Return what the schema beside a study finds wrong with it."""
    schema = json.loads(study.with_name(SCHEMA_FILE).read_text())
    errors = jsonschema.Draft7Validator(schema).iter_errors(tomllib.loads(study.read_text()))
    return [error.message for error in errors]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_gives_a_study_that_runs(here: Path, name: str) -> None:
    """With the metric given, the next command is the one that init prints."""
    (here / "train.py").write_text(SCRIPTS[name])
    status, out, err = sweep("init", "--from-script", "train.py", "--metric", "val_loss")
    assert (status, out) == (0, f"wrote studies/{SCHEMA_FILE}\nwrote studies/train.toml\n")
    study = here / "studies" / "train.toml"
    if name in UNREADY:
        assert err.startswith("next: fill in ")
        text = (
            study.read_text()
            .replace("# fixed.", "fixed.")
            .replace("# arguments.model_name", "arguments.model_name")
        )
        study.write_text(text)
    else:
        assert err == "next: sweep plan studies/train.toml\n"
    assert refused(study) == []
    status, out, err = sweep("run", "studies/train.toml", "--trials", "1", "--workers", "1")
    assert status == 0, err
    assert [row["value"] for row in rows("train")] == [0.5]


def test_plan_takes_a_study_once_the_metric_is_named(here: Path) -> None:
    """Before, the one thing that is missing is named."""
    (here / "fit.py").write_text(SCRIPTS["digits"].replace("val_loss", "figure"))
    status, _, err = sweep("init", "--from-script", "fit.py", "-o", "mine/fit.toml")
    study = here / "mine" / "fit.toml"
    assert status == 0
    assert err == "next: name the metric and its direction in mine/fit.toml, then sweep plan mine/fit.toml\n"
    status, _, err = sweep("plan", "mine/fit.toml")
    assert (status, err.splitlines()[0]) == (
        1,
        "sweep: mine/fit.toml: metric is missing; name the metric that the command prints, such as "
        '"val_loss"',
    )
    text = study.read_text().replace('# metric = "val_loss"', 'metric = "figure"')
    study.write_text(text.replace("# direction", "direction"))
    status, out, err = sweep("plan", "mine/fit.toml", "--workers", "1")
    assert status == 0, err
    assert "one trial" in out


def test_the_metric_and_its_direction_can_be_given(here: Path) -> None:
    """Both are written as they are given."""
    (here / "train.py").write_text(SCRIPTS["digits"])
    arguments = ("--metric", "gain", "--direction", "maximize")
    status, _, err = sweep("init", "--from-script", "train.py", *arguments)
    assert (status, err) == (0, "next: sweep plan studies/train.toml\n")
    study = tomllib.loads((here / "studies" / "train.toml").read_text())
    assert (study["metric"], study["direction"]) == ("gain", "maximize")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from-script", "gone.py"], "sweep: script gone.py cannot be read: No such file or directory"),
        (
            ["--from-script", "train.py", "-o", "x.txt"],
            "sweep: the name of a study file ends in .toml, got x.txt",
        ),
        (
            ["--from-script", "train.py"],
            "sweep: studies/train.toml exists and is not overwritten; name another file with -o FILE.toml",
        ),
        (
            ["--function", "-o", "train.py"],
            "sweep: train.py is not a folder; name another folder with -o DIR",
        ),
        (["--function", "--metric", "x"], "sweep: --metric and --direction go with --from-script"),
        (
            ["demo", "-o", "x"],
            "sweep: -o goes with --from-script, --from-optuna and --function; DIR is the folder",
        ),
    ],
)
def test_refused(here: Path, arguments: list[str], message: str, capsys: Capture) -> None:
    """One line; nothing is written."""
    (here / "train.py").write_text(SCRIPTS["digits"])
    (here / "studies").mkdir()
    (here / "studies" / "train.toml").write_text("mine")
    assert main(["init", *arguments]) == (2 if " go" in message else 1)
    assert complaint(capsys) == message
    assert sorted(path.name for path in here.rglob("*")) == ["studies", "train.py", "train.toml"]
    assert (here / "studies" / "train.toml").read_text() == "mine"


@pytest.mark.parametrize("arguments", [[], ["demo", "--function"], ["--function", "--from-script", "x.py"]])
def test_one_thing_at_a_time(arguments: list[str], capsys: Capture) -> None:
    """Wrong usage ends with status 2."""
    assert main(["init", *arguments]) == 2
    assert "sweep init: error: " in capsys.readouterr().err


def test_a_function_runs_as_it_is_written(here: Path) -> None:
    """The best trial is near the noise of the data; a schema that is there already is left alone."""
    (here / "mine").mkdir()
    (here / "mine" / SCHEMA_FILE).write_text("{}")
    status, out, err = sweep("init", "--function", "-o", "mine")
    assert (status, out) == (0, "wrote mine/trainers.py\nwrote mine/study.toml\n")
    assert err == "next: sweep run mine/study.toml\n"
    assert (here / "mine" / SCHEMA_FILE).read_text() == "{}"
    for name in SKELETON_FILES:
        assert (here / "mine" / name).read_bytes() == (PACKAGE / SKELETON / name).read_bytes()
    (here / "mine" / SCHEMA_FILE).write_text(schema_text())
    assert refused(here / "mine" / "study.toml") == []
    status, _, err = sweep("run", "mine/study.toml", "--trials", "4", "--workers", "1")
    assert status == 0, err
    values = [row["value"] for row in rows("first") if row["value"] is not None]
    assert 0.005 < min(values) < 0.05  # the noise has a variance of 0.01


def skeleton() -> ModuleType:
    """Return the module that init writes, as a user's own."""
    spec = importlib.util.spec_from_file_location("skeleton_trainers", PACKAGE / SKELETON / "trainers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_skeleton_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    """A trial that was cut gives the value of one that was not; another seed gives another."""
    values = {"rate": 0.01, "momentum": 0.5, "epochs": 6, "noise": 0.1}
    train, reported = skeleton().train, []

    def config(seed: int, folder: Path, *, resumed: bool = False) -> Config:
        folder.mkdir(exist_ok=True)
        return Config(values, searched=["rate"], seed=seed, checkpoint=folder, resumed=resumed)

    def report(value: float, step: int) -> None:
        reported.append(value)
        if len(reported) == 3:
            raise KeyboardInterrupt  # as a cut does

    with pytest.raises(KeyboardInterrupt):
        train(config(1, tmp_path / "cut"), report)
    resumed = train(config(1, tmp_path / "cut", resumed=True), report)
    whole = train(config(1, tmp_path / "whole"), lambda value, step: None)
    other = train(config(2, tmp_path / "other"), lambda value, step: None)
    assert resumed == whole == reported[-1]
    assert other != whole
    assert len(reported) == 6
