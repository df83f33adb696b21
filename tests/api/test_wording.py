"""Errors of Python calls name the arguments of the call, those of commands their options."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import sweep
from sweep.api.stored import StoredStudy
from sweep.api.wording import _OTHERWISE, as_arguments
from sweep.cli import main
from sweep.errors import ConfigError, SweepError
from tests.support.program_home import Home

STUDY = """
trainer = "train.py:train"
metric = "loss"
sampler = "random"
search.x = { low = -1.0, high = 1.0 }
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A run study whose metric has no difference that matters."""
    home = Home(tmp_path_factory.mktemp("wording"))
    (home.folder / "train.py").write_text("def train(config):\n    return config.x**2\n")
    (home.folder / "own.toml").write_text(STUDY)
    with home.entered():
        sweep.run("own.toml", trials=2, workers=1)
    return home


@pytest.fixture
def _here(home: Home) -> Iterator[None]:
    with home.entered():
        yield


@pytest.mark.usefixtures("_here")
def test_a_confirmation_asks_for_what_its_caller_can_give(capsys: pytest.CaptureFixture[str]) -> None:
    """The same rule, from Python and from the command line."""
    with pytest.raises(ConfigError, match="set one with delta, or set the key `matters`"):
        sweep.confirm("own")
    assert main(["confirm", "own"]) == 1
    assert "set one with --delta, or set the key `matters`" in capsys.readouterr().err


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(
    ("arguments", "begin"),
    [
        ({"timeout": "soon"}, "timeout "),
        ({"name": "a/b"}, "name "),
        ({"begin_with": "none"}, "no study 'none'"),
        ({"settings": ["name=x"]}, "settings 'name=x': set the name with name"),
        ({"code_changed": " "}, "code_changed must say"),
    ],
)
def test_a_run_names_its_arguments(arguments: dict[str, object], begin: str) -> None:
    """Whether the name is the option's own or another one."""
    with pytest.raises(SweepError) as caught:
        sweep.run("own.toml", trials=3, **arguments)
    assert str(caught.value).startswith(begin)


@pytest.mark.usefixtures("_here")
def test_an_export_names_its_arguments(tmp_path: Path) -> None:
    """A file that exists is replaced with ``force``."""
    file = sweep.load_study("own").export(tmp_path / "best.toml")
    with pytest.raises(SweepError, match="name another with path, or pass force"):
        sweep.load_study("own").export(file)


def test_options_that_python_does_not_have_and_commands_stay() -> None:
    """Nothing else of a message changes."""
    for text in (
        "pass --trust",
        "`sweep run STUDY --storage URL` creates one",
        "a -- b",
        "x--storage",
        "-ok",
    ):
        assert as_arguments(text, {"storage", "path", "b"}) == text


def test_every_other_name_is_an_argument() -> None:
    """A renamed argument is found here."""
    calls = (sweep.run, sweep.plan, sweep.confirm, sweep.ablate, sweep.study, StoredStudy.export)
    assert set(_OTHERWISE.values()) <= {name for call in calls for name in inspect.signature(call).parameters}
