"""Settings of the command line: what they change, how the variant is called, what is refused."""

from pathlib import Path
from typing import Any

import pytest

from sweep.definition.dimension import Choices, Range
from sweep.definition.sections.top_level import NAME_RULE
from sweep.definition.spec import StudySpec
from sweep.definition.study_file import load_study_file
from sweep.definition.variants import apply_settings, linear_ranges, variant_name
from sweep.errors import OptionError, StudyFileError
from sweep.trainers.mlp.trainer import MLP

FILE = """
name = "names"
[fixed]
learning_rate = 0.1
[search]
block_size = { low = 2, high = 8 }
hidden_neurons = { low = 10, high = 500, log = true }
schedule = { choices = ["step", "cosine"] }
decay_at = { low = 0.3, high = 0.9, when = { schedule = "step" } }
"""
RAW: dict[str, Any] = {
    "fixed": {"learning_rate": 0.1},
    "search": {
        "block_size": {"low": 2, "high": 8},
        "hidden_neurons": {"low": 10, "high": 500, "log": True},
        "decay_at": {"low": 0.3, "high": 0.9, "when": {"schedule": "step"}},
    },
}


def load(folder: Path, *settings: str, text: str = FILE) -> StudySpec:
    path = folder / "study.toml"
    path.write_text(text)
    return load_study_file(path, MLP, settings)


@pytest.mark.parametrize(
    ("setting", "section", "name", "value"),
    [
        ("search.block_size=3..6", "search", "block_size", {"low": 3, "high": 6}),
        ("search.block_size={low=3,high=6,step=3}", "search", "block_size", {"low": 3, "high": 6, "step": 3}),
        ("search.block_size = 3, 4", "search", "block_size", {"choices": [3, 4]}),
        ("search.block_size=[3,4]", "search", "block_size", {"choices": [3, 4]}),
        ("search.hidden_neurons=20..90", "search", "hidden_neurons", {"low": 20, "high": 90, "log": True}),
        (
            "search.decay_at=0.5..0.7",
            "search",
            "decay_at",
            {"low": 0.5, "high": 0.7, "when": {"schedule": "step"}},
        ),
        ("search.init=scaled,normal", "search", "init", {"choices": ["scaled", "normal"]}),
        ("search.learning_rate=1e-3..1", "search", "learning_rate", {"low": 0.001, "high": 1}),
        ("fixed.learning_rate=0.2", "fixed", "learning_rate", 0.2),
        ("fixed.learning_rate=auto", "fixed", "learning_rate", "auto"),
        ("fixed.block_size=4", "fixed", "block_size", 4),
        ('fixed.init="normal"', "fixed", "init", "normal"),
        ("data.dedupe=true", "data", "dedupe", True),
        ("data.dedupe=normalized", "data", "dedupe", "normalized"),
    ],
)
def test_a_setting_changes_one_key(setting: str, section: str, name: str, value: Any) -> None:
    """In the section that it names; a hyperparameter leaves the other one, and the file's values stay."""
    changed = apply_settings(RAW, [setting])
    assert changed[section][name] == value
    other = {"fixed": "search", "search": "fixed"}.get(section)
    assert other is None or name not in changed[other]
    assert RAW["search"]["block_size"] == {"low": 2, "high": 8}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("sampler=gp", "gp"),
        ("trials=20", 20),
        ("timeout=10m", "10m"),
        ("objectives=dev_loss,n_params", ["dev_loss", "n_params"]),
        ("trial=[]", []),
    ],
)
def test_a_setting_of_the_whole_study(setting: str, value: Any) -> None:
    """Words, numbers, times and lists, as they stand in the file."""
    assert apply_settings(RAW, [setting])[setting.partition("=")[0]] == value


def test_a_variant_is_a_checked_study_of_its_own(tmp_path: Path) -> None:
    """The file is read, changed, checked as a whole, and named by what was changed, in any order."""
    settings = ["search.block_size=3..6", "fixed.learning_rate=0.2", "search.batch_size=16,32,64"]
    spec = load(tmp_path, *settings)
    assert spec.name == load(tmp_path, *reversed(settings)).name
    assert spec.name == "names--learning_rate-0.2--batch_size-16_32_64--block_size-3..6"
    assert spec.space["block_size"] == Range(3, 6)
    assert spec.space["batch_size"] == Choices((16, 32, 64))
    assert spec.fixed["learning_rate"] == 0.2
    assert load(tmp_path, "trials=7", "keep=1").name == "names"


@pytest.mark.parametrize(
    "settings",
    [[f"search.{name}=1..2" for name in MLP.field_types()], ["data.words=/a/very/long path/" + "x" * 90]],
)
def test_a_long_name_ends_in_a_hash(settings: list[str]) -> None:
    """It keeps the rule of names, and other settings get another one."""
    name, other = variant_name("names", settings), variant_name("names", [*settings[:-1], "seed=1"])
    assert NAME_RULE.fullmatch(name)
    assert name.startswith("names--")
    assert name != other


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["block_size"], r"--set 'block_size' must be KEY=VALUE"),
        (["=3"], r"--set '=3' must be KEY=VALUE"),
        (["sampler="], r"--set 'sampler=' must be KEY=VALUE"),
        (
            ["searhc.block_size=3"],
            r"^--set 'searhc\.block_size=3' must be KEY=VALUE.*; did you mean search\?$",
        ),
        (["search.=3"], r"must be KEY=VALUE"),
        (["name=x"], r"set the name with --as"),
        (["sampler=gp", "sampler=tpe"], r"--set gives 'sampler' twice, 'gp' and 'tpe'"),
        (["sampler=g p"], r"--set 'sampler=g p': not a TOML value"),
        (["search.block_size=3..x!"], r"--set 'search\.block_size=x!': not a TOML value"),
        (["sampler=gpp"], r"with --set 'sampler=gpp': sampler must be one of"),
        (["search.block_size=3"], r"with --set 'search\.block_size=3': search\.block_size must be \{ low"),
        (["search.block=3..6"], r"unknown hyperparameter 'block'"),
        (
            ["block_size=3..6"],
            r"--set 'block_size=3\.\.6': block_size is a .* --set 'search\.block_size=3\.\.6'$",
        ),
        (["batch_size=16,32"], r"batch_size is a hyperparameter; write --set 'search\.batch_size=16,32'$"),
        (["block_size={low=3,high=6}"], r"write --set 'search\.block_size=\{low=3,high=6\}'$"),
        (["block_size=4"], r"block_size is a hyperparameter; write --set 'fixed\.block_size=4'$"),
        (["smapler=gp"], r"unknown key 'smapler' at the top level"),
        (["seed=1\nname='x'"], r"--set \"seed=1\\nname='x'\": not a TOML value"),
        (["fixed.schedule=step"], r"always holds, because schedule is fixed at 'step'"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_meant_is_refused(tmp_path: Path, settings: list[str], message: str) -> None:
    """With the option and the rule, once each; with the file if its other keys matter."""
    with pytest.raises((OptionError, StudyFileError), match=message) as caught:
        load(tmp_path, *settings)
    is_about_the_file = isinstance(caught.value, StudyFileError)
    assert is_about_the_file == ("study.toml" in str(caught.value))
    assert str(caught.value).count("--set") == 1 or "hyperparameter; write" in str(caught.value)


@pytest.mark.parametrize("value", [f"{{ {'.'.join('a' * 1_200)} = 1 }}", "[" * 60 + "]" * 60])
@pytest.mark.parametrize("key", ["goal", "fixed.schedule", "search.block_size", "data.words"])
def test_a_setting_that_is_nested_too_deeply_is_refused(tmp_path: Path, key: str, value: str) -> None:
    """Like a file's key."""
    with pytest.raises(StudyFileError, match=rf"key '{key}[a-z.]*' is nested more than 32 levels deep"):
        load(tmp_path, f"{key}={value}")


@pytest.mark.parametrize(
    ("settings", "note"),
    [
        (["search.learning_rate=1e-4..1"], "search.learning_rate is linear from 1e-4 to 1; "),
        (["search.hidden_neurons=5..1000"], "--set 'search.hidden_neurons={low=5, high=1000, log=true}'"),
        (["search.learning_rate=0.1..1"], ""),
        (["search.momentum=0..0.9"], ""),
        (["search.learning_rate={low=1e-4, high=1, log=true}"], ""),
        (["search.learning_rate={low=1e-4, high=1}"], ""),
        (["search.batch_size=16,1600"], ""),
    ],
    ids=str,
)
def test_a_wide_range_in_the_short_form_is_called_linear(
    tmp_path: Path, settings: list[str], note: str
) -> None:
    """The note has the form that makes it logarithmic, and that form is accepted; who wrote TOML meant it."""
    text = "[search]\nnum_steps = { low = 100, high = 200 }\n"
    notes = linear_ranges(settings, load(tmp_path, *settings, text=text).space)
    assert [note in line for line in notes] == [True] * bool(note)
    for line in notes:
        longer = line.partition("--set ")[2].strip("'")
        assert linear_ranges([longer], load(tmp_path, longer, text=text).space) == []


def test_a_range_keeps_the_scale_that_the_file_gives(tmp_path: Path) -> None:
    """A range that is logarithmic in the file needs no note."""
    text = "[search]\nlearning_rate = { low = 0.01, high = 0.1, log = true }\n"
    spec = load(tmp_path, "search.learning_rate=1e-4..1", text=text)
    assert linear_ranges(["search.learning_rate=1e-4..1"], spec.space) == []


def test_listed_configurations_outside_the_variant_can_be_left_out(tmp_path: Path) -> None:
    """The refusal says how."""
    text = "[search]\nblock_size = { low = 2, high = 8 }\n[[trial]]\nblock_size = 3\n"
    with pytest.raises(StudyFileError, match=r"lies outside .*; --set 'trial=\[\]' removes"):
        load(tmp_path, "search.block_size=4..6", text=text)
    assert load(tmp_path, "search.block_size=4..6", "trial=[]", text=text).listed == ()
