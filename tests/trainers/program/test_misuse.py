"""Each mistake of a user's, found before anything is trained: one line, exit 1, no traceback."""

from pathlib import Path

import pytest

from tests.support.command_line import untitled
from tests.support.program_home import Home

COMMAND = 'command = ["python", "script.py", "{x}"]\n'
FUNCTION = 'trainer = "trainers:train"\n'
STUDY = 'name = "m"\nmetric = "loss"\ntrials = 1\nsearch.x = { low = 0.0, high = 1.0 }\n'

TRAINERS = """
def train(config, report):
    return 1.0

def three(config, report, more):
    return 1.0

train_text = "no function"

class Other:
    pass
"""

MISTAKES = {
    "both": (COMMAND + FUNCTION + STUDY, ["trainer", "command"]),
    "neither": ('style = "hydra"\n' + STUDY, ["metric", "style", "neither trainer nor command"]),
    "a class that is no task": ('trainer = "trainers:Other"\n' + STUDY, ["train_segment"]),
    "no module": ('trainer = "trainer:train"\n' + STUDY, ["'trainer'", "trainers"]),
    "no file": ('trainer = "lib/none.py:train"\n' + STUDY, ["lib/none.py"]),
    "no name": ('trainer = "trainers:trian"\n' + STUDY, ["trian", "train"]),
    "no function": ('trainer = "trainers:train_text"\n' + STUDY, ["train_text"]),
    "broken import": ('trainer = "broken:train"\n' + STUDY, ["ZeroDivisionError", "broken.py:2"]),
    "broken syntax": ('trainer = "syntax:train"\n' + STUDY, ["SyntaxError", "syntax.py:1"]),
    "import exits": ('trainer = "leaves:train"\n' + STUDY, ["leaves"]),
    "other arguments": ('trainer = "trainers:three"\n' + STUDY, ["three", "config"]),
    "no command": ('command = ["no-such-command", "{x}"]\n' + STUDY, ["no-such-command"]),
    "not executable": ('command = ["./plain.sh", "{x}"]\n' + STUDY, ["plain.sh", "executable"]),
    "no script": ('command = ["python", "none.py", "{x}"]\n' + STUDY, ["none.py"]),
    "no folder": ('cwd = "nowhere"\n' + COMMAND + STUDY, ["nowhere"]),
    "no metric": (COMMAND + STUDY.replace('metric = "loss"\n', ""), ["metric"]),
    "a list in argparse": (
        'command = ["python", "script.py", "{x}", "--layers={layers}"]\n' + STUDY + "fixed.layers = [1, 2]\n",
        ["layers"],
    ),
    "a placeholder too many": ('command = ["python", "script.py", "{x}", "{y}"]\n' + STUDY, ["{y}"]),
    "a parameter too many": ('command = ["python", "script.py"]\n' + STUDY, ["x"]),
    "arguments twice": ('command = ["python", "script.py", "{args}", "{args}"]\n' + STUDY, ["{args}"]),
    "a pruner without a budget": ('pruner = "asha"\n' + FUNCTION + STUDY, ["budget"]),
    "no such budget": ('budget = "epochs"\n' + FUNCTION + STUDY, ["epochs"]),
    "a line break": (FUNCTION + STUDY + 'search.t = { choices = ["a\\nb", "c"] }\n', ["t"]),
    "a NUL": (FUNCTION + STUDY + 'fixed.t = "a\\u0000b"\n', ["fixed.t"]),
    "seed": (FUNCTION + STUDY + "fixed.seed = 3\n", ["seed"]),
    "a secret": (FUNCTION + STUDY + 'env.API_KEY = "abc"\n', ["secrets"]),
    "no such secret": ('secrets = ["NO_SUCH_SECRET"]\n' + FUNCTION + STUDY, ["NO_SUCH_SECRET"]),
    "direction": ('direction = "up"\n' + FUNCTION + STUDY, ["direction", "maximize"]),
    "grace": ('grace = "soon"\n' + FUNCTION + STUDY, ["grace"]),
    "metric_file": ('metric_file = "x.txt"\n' + COMMAND + STUDY, ["metric_file"]),
    "read": ('read = "loss (\\\\d+)"\n' + COMMAND + STUDY, ["read"]),
    "an unknown key": ('styel = "hydra"\n' + COMMAND + STUDY, ["styel", "style"]),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("misuse"))
    home.write("trainers.py", TRAINERS)
    home.write("broken.py", "\n1 / 0\n")
    home.write("syntax.py", "def train(:\n")
    home.write("leaves.py", "import os\nos._exit(3)\n")
    home.write("script.py", "import sys; print('loss:', sys.argv[1])\n")
    home.write("plain.sh", "echo\n")
    return home


@pytest.mark.parametrize("mistake", MISTAKES)
def test_it_is_one_line(home: Home, mistake: str, capsys: pytest.CaptureFixture[str]) -> None:
    """That names what is wrong; nothing is stored."""
    text, words = MISTAKES[mistake]
    home.write("m.toml", text)
    assert home.command("run", "m.toml", "--workers", "1") == 1
    written = capsys.readouterr()
    lines = untitled(written.err)
    assert len(lines) == 1, written.err
    assert lines[0].startswith("sweep: ")
    for word in words:
        assert word in lines[0]
    assert not list(home.folder.glob("studies/sweep.db.programs/*"))


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="a GPU is here")
def test_a_gpu_that_is_not_here(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    home.write("m.toml", FUNCTION + STUDY)
    assert home.command("run", "m.toml", "--device", "cuda") == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("line", [["--debug", "run", "m.toml"], ["run", "m.toml", "--debug"]])
def test_the_traceback_is_there_on_request(
    home: Home, line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """First that of the user's own file, and the one line at the end as always."""
    home.write("m.toml", 'trainer = "broken:train"\n' + STUDY)
    assert home.command(*line) == 1
    lines = untitled(capsys.readouterr().err)
    assert any(line.strip().endswith('broken.py", line 2, in <module>') for line in lines)
    assert "ZeroDivisionError: division by zero" in lines
    assert lines[-1].startswith("sweep: trainer 'broken:train': ZeroDivisionError: division by zero")


@pytest.mark.parametrize("pruner", ["none", "asha"])
def test_a_function_without_reports(home: Home, pruner: str) -> None:
    """Its result counts at every rung, unless trials are compared there."""
    budget = f'budget = "epochs"\npruner = "{pruner}"\nfixed.epochs = 10\n'
    home.write(
        "still.toml",
        FUNCTION + budget + STUDY.replace('"m"', f'"still-{pruner}"'),
    )
    (trial,) = home.run("still.toml", workers=1).trials
    if pruner == "none":
        assert (trial.state, trial.dev_loss) == ("complete", 1.0)
    else:
        assert trial.reason is not None
        assert "it reported no loss while it trained, which a pruner compares" in trial.reason


def test_what_training_finds(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """A last step that is not the budget fails the trial; a difference that matters is asked for."""
    script = "print('epoch 1 loss: 1'); print('epoch 2 loss: 0.5')\n"
    home.write("short.py", script)
    home.write(
        "short.toml",
        'name = "short"\ntrials = 1\nmetric = "loss"\nbudget = "epochs"\npruner = "asha"\nfixed.epochs = 10\n'
        'step = "epoch"\ncommand = ["python", "short.py", "{x}", "{epochs}"]\ntrial = [{ x = 1 }]\n',
    )
    (trial,) = home.run("short.toml", workers=1).trials
    assert trial.state == "failed"
    assert trial.reason is not None
    assert "its last step is 2, but epochs is 10" in trial.reason
    home.write("good.toml", FUNCTION + STUDY.replace('"m"', '"good"'))
    home.run("good.toml", workers=1)
    capsys.readouterr()
    assert home.command("confirm", "good") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "matters" in line
    assert "--delta" in line
