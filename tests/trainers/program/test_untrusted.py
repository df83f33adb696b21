"""A stored study whose program is a trap: what reads never runs it, what trains refuses it at first."""

import threading
import urllib.request
from pathlib import Path

import pytest

import sweep
from sweep.cli import main
from sweep.dashboard.server import HOST, make_server
from sweep.storage.database import Database
from tests.support.program_home import Home

TRAP = "open({path!r}, 'a').close()\n"

GOOD = """
import sweep

def train(config, report):
    report(config.x, step=1)
    return config.x

class Train:
    def train_segment(self, config, state, until):
        return sweep.Segment(b"", config.x)
"""

STUDY = """
metric = "loss"
trials = 2
sampler = "random"
matters = 0.1
search.x = { low = 0.0, high = 1.0 }
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A folder with a study of each kind that somebody ran, and whose program is a trap by now."""
    home = Home(tmp_path_factory.mktemp("trap"))
    sprung = str(home.folder / "sprung")
    home.write("trainers.py", GOOD)
    home.write("script.py", "import sys; print('loss:', sys.argv[1])\n")
    home.write("f.toml", 'name = "f"\ntrainer = "trainers:train"\n' + STUDY)
    home.write("c.toml", 'name = "c"\ncommand = ["python", "script.py", "{x}"]\n' + STUDY)
    keys = 'trainer = "trainers:Train"\nbudget = "epochs"\nfixed.epochs = 3\n'
    home.write("k.toml", 'name = "k"\n' + keys + STUDY)
    for name in ("f", "c", "k"):
        home.run(f"{name}.toml", workers=1)
        (home.folder / f"{name}.toml").unlink()
    for name in ("trainers.py", "script.py", "sitecustomize.py"):
        (home.folder / name).write_text(TRAP.format(path=sprung) + GOOD)
    return home


@pytest.fixture
def stranger(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another user, who has run nothing here; the path at which a sprung trap shows."""
    monkeypatch.chdir(home.folder)
    monkeypatch.setenv("SWEEP_LEDGER", str(tmp_path / "ledger.jsonl"))
    return home.folder / "sprung"


READING = [
    ["list"],
    ["table", "STUDY"],
    ["table", "STUDY", "--format", "json"],
    ["plot", "STUDY", "history", "--force"],
    ["report", "STUDY"],
    ["export", "STUDY", "--force"],
]


@pytest.mark.parametrize("study", ["f", "c", "k"])
def test_what_reads_runs_nothing(
    stranger: Path, study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands, the library and a copy to another database."""
    copy = ["copy", "STUDY", "--to", f"sqlite:///{tmp_path}/copy.db"]
    for arguments in [*READING, copy]:
        status = main([study if word == "STUDY" else word for word in arguments])
        assert status == 0, (arguments, capsys.readouterr().err)
    assert len(sweep.load_study(study).table()) == 2
    assert not stranger.exists()


def test_doctor_and_the_dashboard_run_nothing(stranger: Path) -> None:
    """The dashboard answers for each study."""
    assert main(["doctor"]) in (0, 3)  # a finding about this machine is no failure here
    database = Database("sqlite:///studies/sweep.db")
    with make_server(database.open_for_dashboard(), database.files, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            for path in ("/dashboard", "/api/studies", *(f"/api/studies/{n}" for n in (1, 2, 3))):
                url = f"http://{HOST}:{server.server_port}{path}"
                with urllib.request.urlopen(url, timeout=60) as answer:
                    assert answer.status == 200
        finally:
            server.shutdown()
            thread.join()
    assert not stranger.exists()


@pytest.mark.parametrize("study", ["f", "c", "k"])
@pytest.mark.parametrize("command", ["run", "confirm", "replay"])
def test_what_trains_refuses_what_this_user_never_ran(
    stranger: Path, study: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line that names the program, its hash and the way on."""
    more = {"run": ["--trials", "3"], "confirm": ["--seeds", "2"], "replay": []}[command]
    assert main([command, study, *more]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "--trust" in lines[0]
    assert "sha256" in lines[0]
    assert {"f": "trainers:train", "c": "script.py", "k": "trainers:Train"}[study] in lines[0]
    assert not stranger.exists()
