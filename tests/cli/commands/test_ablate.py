"""The command ablate, with the MLP and with a program."""

import json
import signal
from pathlib import Path
from typing import Any

from sweep import ablate
from sweep.cli import main
from tests.support.command_line import Capture, start, wait_for_line
from tests.support.program_studies import lay_out
from tests.support.program_studies import sweep as program_sweep
from tests.support.small_study import rows, sweep

KERNELS = """
def train(config):
    where = {"rbf": config.get("gamma", 0.0), "poly": 10 * config.get("degree", 0)}
    return where[config.kernel] + config.x + config.seed % 7 / 1000
"""

CONDITIONS = """
kernel = { choices = ["rbf", "poly"] }
gamma = { low = 0.1, high = 0.9, when = { kernel = "rbf" } }
degree = { low = 1, high = 3, when = { kernel = "poly" } }
"""


def exported_pair(capsys: Capture) -> tuple[str, str]:
    """Export the worst and the best trial of the small study, and return the files."""
    assert main(["table", "small", "--format", "json"]) == 0
    ranked = [row["trial"] for row in rows(capsys.readouterr().out) if row["rank"]]
    for name, trial in (("from.toml", ranked[-1]), ("to.toml", ranked[0])):
        assert main(["export", "small", "--trial", str(trial), "-o", name]) == 0
    capsys.readouterr()
    return "from.toml", "to.toml"


def as_json(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_killed_ablation_resumes_and_is_shown(small: Path, capsys: Capture) -> None:
    """After kill -9 the same command has the numbers of ``sweep.ablate``, never cut; the report shows it."""
    asked = ["ablate", *exported_pair(capsys), "--seeds", "2", "--workers", "2", "--format", "json"]
    process = start(small, *asked, "--as", "cut")
    wait_for_line(process, "2/")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert main([*asked, "--as", "cut"]) == 0
    cut = as_json(capsys.readouterr().out)
    straight = ablate("from.toml", "to.toml", seeds=2, workers=2, name="straight").ablation
    assert straight is not None
    assert straight.total is not None
    assert [step["values"] for step in cut["steps"]] == [list(step.values) for step in straight.steps]
    assert [step["names"] for step in cut["steps"]] == [list(step.names) for step in straight.steps]
    assert cut["total"] == {
        "diff": straight.total.mean,
        "ci_low": straight.total.low,
        "ci_high": straight.total.high,
    }
    assert [step["n"] for step in cut["steps"]] == [2] * len(cut["steps"])
    assert cut["remaining"] == 0

    assert main(["report", "cut"]) == 0
    page = Path("reports/cut/report.html").read_text()
    assert '<section id="ablation"' in page
    assert "the first configuration" in page
    assert main(["plot", "cut", "ablation", "-o", "steps.html"]) == 0
    assert main(["table", "cut"]) == 0
    capsys.readouterr()
    assert main(["run", "cut"]) == 1
    assert "cut is an ablation" in capsys.readouterr().err


def test_the_table_says_what_is_compared(small: Path, capsys: Capture) -> None:
    """The text names each step, and stderr the cost before anything is trained."""
    done = sweep(small, "ablate", *exported_pair(capsys), "--seeds", "2", "--workers", "1")
    assert done.returncode == 0, done.stderr
    told = done.stderr.splitlines()
    assert told[0].startswith("What each change from small trial ")
    assert "2 seeds: at most" in told[1]
    assert "the first configuration" in done.stdout
    assert "which did not decide the" in done.stdout
    assert "next: sweep report ablate-" in told[-1]


def test_conditional_hyperparameters_of_a_program_change_together(tmp_path: Path, monkeypatch: Any) -> None:
    """kernel, gamma and degree are one change, as the exports name their conditions; x is another."""
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path, "function", text=KERNELS)
    study = tmp_path / "own.toml"
    listed = 'x = 0.9\nkernel = "poly"\ndegree = 2', 'x = 0.1\nkernel = "rbf"\ngamma = 0.5'
    trials = "".join(f"[[trial]]\n{values}\n" for values in listed)
    study.write_text(study.read_text().replace("'random'\ntrials = 3", "'listed'") + CONDITIONS + trials)
    assert program_sweep("run", "own.toml", "--workers", "1")[0] == 0
    for trial, name in enumerate(("from.toml", "to.toml")):
        assert program_sweep("export", "own", "--trial", str(trial), "-o", name)[0] == 0
    asked = ("ablate", "from.toml", "to.toml", "--seeds", "2", "--workers", "1")
    status, out, err = program_sweep(*asked, "--format", "json")
    assert status == 0, err
    found = as_json(out)
    assert [change["names"] for change in found["changes"]] == [["x"], ["kernel", "degree", "gamma"]]
    assert "degree is active only for some values of kernel" in err
    assert [step["names"] for step in found["steps"]] == [[], ["kernel", "degree", "gamma"], ["x"]]
    assert [round(step["diff"], 6) for step in found["steps"][1:]] == [-19.5, -0.8]
    assert program_sweep("report", found["study"])[0] == 0
