"""A study that is defined in Python: in a script from stdin, in a notebook's cells, and in this process."""

import json
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sweep
from sweep.errors import DeviceError, NotFoundError, StudyConflictError, StudyFileError, UntrustedError
from tests.support import warm_python
from tests.support.program_home import Home

NEEDLE = "needle in the function"

SCRIPT = '''
import json, sys
import sweep

SCALE = 2.0

def scaled(x):
    return SCALE * x

def train(config, report):
    """needle in the function"""
    for epoch in range(1, config.epochs + 1):
        report(scaled(config.x) + 1 / epoch, epoch)
    return scaled(config.x)

study = sweep.study(
    name="cell", trainer=train, metric="loss", matters=0.1, sampler="random",
    fixed={"epochs": 3}, budget="epochs", search={"x": dict(low=1.0, high=2.0)},
)
'''

SHOW = "print(json.dumps([[t.params['x'], t.dev_loss, t.code_changed] for t in {}.trials]))\n"


def script(folder: Path, *parts: str) -> subprocess.CompletedProcess[str]:
    """Run a script that Python reads from stdin, as ``python - <<EOF`` does."""
    text = "".join(map(textwrap.dedent, parts))
    environment = {**os.environ, "SWEEP_LEDGER": str(folder / "ledger.jsonl")}
    return subprocess.run(
        [sys.executable, "-"],
        input=text,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A study of three trials whose function was in a script that is gone."""
    home = Home(tmp_path_factory.mktemp("stdin"))
    with warm_python.cold():
        ran = script(home.folder, SCRIPT, "done = study.run(trials=3, workers=1)\n", SHOW.format("done"))
    assert ran.returncode == 0, ran.stderr
    trials = json.loads(ran.stdout)
    assert [value for _, value, _ in trials] == [2 * x for x, _, _ in trials]
    return home


def test_a_function_of_a_script_from_stdin_trains_in_workers(stored: Home) -> None:
    """Its helper and its constant go along; it is stored nowhere, neither in the database nor in a file."""
    for path in stored.folder.rglob("*"):
        assert not path.is_file() or NEEDLE.encode() not in path.read_bytes(), path
    with stored.entered():
        record = sweep.load_study("cell").record
    (version,) = record.code
    assert sorted(version["files"]) == ["SCALE", "scaled", "train"]
    assert record.program["given"] == "train"
    assert "trainer" not in record.program


@pytest.mark.parametrize(
    "arguments",
    [
        ("table", "cell"),
        ("report", "cell"),
        ("plot", "cell", "history"),
        ("export", "cell", "--force"),
        ("list",),
        ("log", "cell", "0"),
    ],
)
def test_what_reads_works(stored: Home, arguments: tuple[str, ...]) -> None:
    """No command that reads asks for the function."""
    assert stored.command(*arguments) == 0


def test_the_report_says_that_the_function_is_in_no_file(stored: Home) -> None:
    """A reader would look for it in vain."""
    assert stored.command("report", "cell") == 0
    page = (stored.folder / "reports/cell/report.html").read_text("utf-8")
    assert "train, given from Python, not from a file" in page


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "cell"),
        ("run", "cell", "--trust"),
        ("confirm", "cell"),
        ("replay", "cell", "--trust"),
        ("plan", "cell"),
        ("train", "exported.toml"),
        ("train", "exported.toml", "--trust"),
    ],
)
def test_what_trains_says_where_to_call_it(
    stored: Home, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line and exit 1, also if the program is trusted."""
    stored.command("export", "cell", "--force", "-o", "exported.toml")
    capsys.readouterr()
    assert stored.command(*arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("sweep: study 'cell' trains the function train, which was given from Python")
    assert "sweep.study(name='cell', trainer=train, ...)" in line


def test_python_says_so_too(stored: Home) -> None:
    """``sweep.run`` and ``sweep.confirm`` have no function either."""
    with stored.entered(), pytest.raises(UntrustedError, match="given from Python"):
        sweep.run("cell", trials=4)
    with stored.entered(), pytest.raises(UntrustedError, match="given from Python"):
        sweep.confirm("cell")


def test_an_equal_function_resumes_and_another_is_refused(tmp_path: Path) -> None:
    """Equal source goes on; a changed helper is named, unless the caller says why; such trials are marked."""
    run = "done = study.run(trials={}, workers=1{})\n" + SHOW.format("done")
    assert script(tmp_path, SCRIPT, run.format(1, "")).returncode == 0
    again = script(tmp_path, SCRIPT, run.format(2, ""))
    assert len(json.loads(again.stdout)) == 2
    changed = SCRIPT.replace("SCALE * x", "SCALE * x * 1.0").replace("SCALE = 2.0", "SCALE = 3.0")
    refused = script(tmp_path, changed, run.format(3, ""))
    assert refused.returncode == 1
    last = refused.stderr.strip().splitlines()[-1]
    assert "the program of study 'cell' has changed: SCALE, scaled; no further trial was started" in last
    marked = script(tmp_path, changed, run.format(3, ", code_changed='a larger scale'"))
    trials = json.loads(marked.stdout)
    assert [why for _, _, why in trials] == [None, None, "a larger scale"]
    assert trials[2][1] == 3 * trials[2][0]


def test_a_winner_is_confirmed_and_replayed(tmp_path: Path) -> None:
    """From the same object, on fresh seeds; ``best`` and ``table`` read what is stored then."""
    more = """
        study.run(trials=3, workers=2)
        confirmed = study.confirm(top=2, seeds=2, certify=2)
        again = study.replay()
        found = [confirmed.confirmation is not None, again.verdict, study.best["value"], len(study.table())]
        print(json.dumps(found))
    """
    done = script(tmp_path, SCRIPT, more)
    assert done.returncode == 0, done.stderr
    is_confirmed, verdict, best, n = json.loads(done.stdout)
    assert (is_confirmed, verdict, n) == (True, "equal", 3)
    assert 2 <= best <= 4


NOTEBOOK = """
import json
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
cells = [
    "import numpy as np, sweep\\nX = np.arange(4.0)",
    "class Model:\\n    def __init__(self, c):\\n        self.c = c\\n"
    "    def loss(self):\\n        return float(self.c * X.sum())",
    "def train(config):\\n    if config.c > 1e9:\\n        raise ValueError('too much')\\n"
    "    return Model(config.c).loss()",
    "study = sweep.study(name='notebook', trainer=train, metric='loss', sampler='listed', "
    "search={}, trial=[{'c': 0.5}, {'c': 2e9}])",
    "done = study.run(workers=1)",
]
for cell in cells:
    shell.run_cell(cell).raise_error()
space = shell.user_ns
print(json.dumps([[t.state, t.dev_loss, t.reason] for t in space["done"].trials]))
print(json.dumps(sorted(space["done"].record.code[0]["files"])))
"""


def test_a_function_of_a_notebook_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A class and an array of other cells go along; an error names the cell's line."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "home"))
    ran = script(tmp_path, NOTEBOOK)
    assert ran.returncode == 0, ran.stderr
    trials, parts = map(json.loads, ran.stdout.splitlines()[-2:])
    assert trials[0][:2] == ["complete", 3.0]
    assert trials[1][0] == "failed"
    assert trials[1][2].endswith("ValueError: too much (line 3 of its cell or script)")
    assert {"train", "X", "Model.__init__", "Model.loss"} <= set(parts)


def test_what_cannot_be_sent_is_refused_in_one_line(home: Path) -> None:
    """A lock of this process cannot go to another one."""
    lock = threading.Lock()
    with pytest.raises(StudyFileError, match=r"trainer: .*train cannot be sent to another process: .*lock"):
        sweep.study(name="locked", trainer=_with(lock), search={"x": {"low": 0.0, "high": 1.0}})


def _with(lock: object):
    def train(config):
        return id(lock) + config.x

    train.__module__ = "__main__"
    return train


def _three(a, b, c):
    return a


def _one(config):
    return config.x


_one.__module__ = _three.__module__ = "__main__"


@pytest.fixture
def home(tmp_path: Path):
    """A folder to work in, with a ledger of its own."""
    with Home(tmp_path).entered():
        yield tmp_path


def test_mistakes_are_those_of_a_study_file(home: Path) -> None:
    """Each is one line, and nothing is stored."""
    space = {"x": {"low": 0.0, "high": 1.0}}
    with pytest.raises(StudyFileError, match="nothing to search"):
        sweep.study(name="none", trainer=_three, search={})
    with pytest.raises(StudyFileError, match=r"unknown key 'tirals'.*trials"):
        sweep.study(name="typo", trainer=_three, search=space, tirals=3)
    with pytest.raises(StudyFileError, match=r"_three takes \(a, b, c\); it must take \(config\)"):
        sweep.study(name="three", trainer=_three, search=space).run(trials=1)
    with pytest.raises(DeviceError, match="given from Python and can run only on this machine"):
        sweep.study(name="ray", trainer=_one, search=space).run(trials=1, pool="ray")
    with pytest.raises(NotFoundError):
        sweep.study(name="never-run", trainer=_three, search=space).best  # noqa: B018  it raises
    assert list(home.iterdir()) == []


def test_a_study_file_can_be_written_in_python(home: Path) -> None:
    """A target and a command are taken as a study file gives them, and the command line trains them too."""
    Path("trainers.py").write_text("def train(config):\n    return config.x\n")
    space = {"x": {"choices": (1.0, 2.0)}}
    made = sweep.study(name="named", trainer="trainers:train", search=space, sampler="grid")
    assert sorted(t.dev_loss for t in made.run(workers=1).trials) == [1.0, 2.0]
    assert Home(home).command("run", "named") == 0
    echo = ["python", "-c", "import sys; print('value', sys.argv[1])", "{x}"]
    command = sweep.study(name="echo", command=echo, metric="value", search=space, sampler="grid")
    assert sorted(t.dev_loss for t in command.run(workers=1).trials) == [1.0, 2.0]


def test_a_changed_function_is_named_in_this_process_too(home: Path) -> None:
    """A closure's value is part of it."""

    def made(offset: float):
        def train(config):
            return config.x + offset

        train.__module__ = "__main__"
        return train

    space = {"x": {"low": 0.0, "high": 1.0}}
    first = sweep.study(name="closure", trainer=made(1.0), search=space, sampler="random")
    assert len(first.run(trials=1, workers=1).trials) == 1
    second = sweep.study(name="closure", trainer=made(2.0), search=space, sampler="random")
    with pytest.raises(StudyConflictError, match="has changed: offset; no further trial"):
        second.run(trials=2, workers=1)
    assert len(second.table()) == 1


def test_choices_may_be_an_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its numbers are Python's, as a study file would hold them; one number stays one choice of a list."""
    monkeypatch.chdir(tmp_path)
    search = {
        "x": {"choices": np.linspace(0, 1, 3)},
        "n": {"choices": np.array([4])},
        "k": {"low": np.int64(1), "high": 3},
    }
    study = sweep.study(name="a", trainer=_loss, metric="loss", search=search)
    assert [(c, type(c)) for c in study.spec.space["x"].choices] == [(0.0, float), (0.5, float), (1.0, float)]
    assert study.spec.space["n"].choices == (4,)
    assert study.spec.space["k"].low == 1


def _loss(config: Any) -> float:
    return float(config.x)
