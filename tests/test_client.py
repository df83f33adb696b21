"""``sweep.report`` in a user's script: outside of a sweep, and with a file to report to."""

import json
import math
import os
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

import sweep
from sweep import client
from sweep.trainers.program.reports import ReportFile
from tests.support.small_study import environment


def run_script(source: str, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "script.py"
    script.write_text(source)
    variables = {k: v for k, v in environment().items() if k != "OPENBLAS_NUM_THREADS"} | variables
    return subprocess.run(
        [sys.executable, script], env=variables, capture_output=True, text=True, cwd=tmp_path, check=False
    )


def test_outside_of_a_sweep_nothing_happens(tmp_path: Path) -> None:
    """The script runs as before: no output, file or rule to break, and its libraries keep their threads."""
    done = run_script(
        "import os, sweep\n"
        "before = dict(os.environ)\n"
        "sweep.report(0.5, step=3)\nsweep.report('text', step=1)\nsweep.report(None)\n"
        "print(os.environ.get('OPENBLAS_NUM_THREADS'))\n",
        tmp_path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "None\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]


def test_a_script_appends_json_lines_to_its_report_file(tmp_path: Path) -> None:
    """What it writes is what the reader of such files understands; the file is its owner's."""
    path = tmp_path / "reports.jsonl"
    done = run_script(
        "import math, sweep\n"
        "sweep.report(1 / 3, acc=0.5)\nsweep.report(2, step=10)\nsweep.report(math.nan, low=-math.inf)\n",
        tmp_path,
        SWEEP_REPORT=str(path),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads(path.read_text().splitlines()[0]) == {"step": 1, "value": 1 / 3, "acc": 0.5}
    assert path.stat().st_mode & 0o777 == 0o600
    reader = ReportFile(path, lambda: 0.0)
    reports = reader.close()
    assert reader.refused == 0
    assert [report.step for report in reports] == [1, 10, 11]
    assert reports[0].values == {"value": 1 / 3, "acc": 0.5}
    assert math.isnan(reports[2].values["value"])
    assert reports[2].values["low"] == -math.inf


def test_steps_that_do_not_rise_are_an_error_in_the_script(tmp_path: Path) -> None:
    """The traceback names the script's line."""
    done = run_script(
        "import sweep\nsweep.report(1, step=5)\nsweep.report(1, step=5)\n",
        tmp_path,
        SWEEP_REPORT=str(tmp_path / "reports.jsonl"),
    )
    assert done.returncode == 1
    assert 'script.py", line 3' in done.stderr
    assert done.stderr.endswith("ValueError: step 5 was reported after step 5; steps must rise strictly\n")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A report file that was replaced by a link leaves what it names alone."""
    (tmp_path / "other").write_text("")
    (tmp_path / "reports.jsonl").symlink_to(tmp_path / "other")
    done = run_script(
        "import sweep\nsweep.report(1)\n", tmp_path, SWEEP_REPORT=str(tmp_path / "reports.jsonl")
    )
    assert done.returncode == 1
    assert (tmp_path / "other").read_text() == ""


def test_importing_and_reporting_loads_only_the_standard_library_and_is_quick(tmp_path: Path) -> None:
    """The cheapest of five runs takes at most 30 ms of a core, which other processes may share."""
    report = str(tmp_path / "reports.jsonl")
    code = "import sys, time; start = time.process_time(); import sweep; sweep.report(1); "
    code += "spent = time.process_time() - start; import json; "
    code += "print(json.dumps([spent, [name.partition('.')[0] for name in sys.modules]]))"
    answers = []
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment() | {"SWEEP_REPORT": report},
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        )
        answers.append(json.loads(done.stdout))
    bare = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    before = {name.partition(".")[0] for name in bare.stdout.split()}
    assert set(answers[0][1]) - before <= sys.stdlib_module_names | {"sweep"}
    assert min(spent for spent, _ in answers) < 0.030


NUMBERS = [
    (3, 3.0),
    (0.1, 0.1),
    (np.float32(0.5), 0.5),
    (np.float64(0.1), 0.1),
    (np.int64(-2), -2.0),
    (np.array(0.25), 0.25),
    (torch.tensor(0.25), 0.25),
    (torch.tensor(7), 7.0),
    (torch.tensor(0.5, requires_grad=True) * 2, 1.0),
    (torch.tensor(0.5, dtype=torch.bfloat16), 0.5),
    (Fraction(1, 4), 0.25),
    (math.inf, math.inf),
]


@pytest.mark.parametrize(("value", "expected"), NUMBERS, ids=repr)
def test_one_number_is_a_number_in_whatever_it_is_wrapped(value: object, expected: float) -> None:
    """NumPy scalars, and arrays and tensors without dimensions."""
    found = client.number(value, "value")
    assert type(found) is float
    assert found == expected


OTHERS = [
    (None, "None"),
    (True, "the bool True"),
    (np.True_, "bool of shape ()"),
    (torch.tensor(True), "Tensor of shape ()"),
    ("0.5", "the str '0.5'"),
    ("x" * 100, "the str 'x"),
    (1j, "an object of type complex"),
    (np.array([1.0]), r"ndarray of shape (1,)"),
    (np.zeros((2, 3)), "ndarray of shape (2, 3)"),
    (torch.zeros(3), "Tensor of shape (3,)"),
    ([0.5], "an object of type list"),
    (Decimal("0.5"), "an object of type Decimal"),
    (np.array("text"), "ndarray of shape ()"),
]


@pytest.mark.parametrize(("value", "kind"), OTHERS, ids=lambda value: repr(value)[:20])
def test_everything_else_is_refused_by_its_kind(value: object, kind: str) -> None:
    """In one line that names what it is."""
    with pytest.raises(TypeError) as refused:
        client.number(value, "loss")
    assert str(refused.value).startswith(f"loss must be one number, got {kind}")
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 110


def test_a_whole_number_beyond_floats_is_refused() -> None:
    """It would be infinite."""
    with pytest.raises(ValueError, match="value is beyond the range"):
        client.number(10**400, "value")


@pytest.mark.parametrize("step", [np.int32(4), torch.tensor(4), 4])
def test_a_step_may_be_any_whole_number(step: object) -> None:
    """Whatever says so by ``__index__``."""
    sent: list[tuple[int, dict[str, float]]] = []
    reporter = client.Reporter(lambda number, values: sent.append((number, dict(values))))
    reporter.report(0.5, step, {})
    assert sent == [(4, {"value": 0.5})]
    assert type(sent[0][0]) is int


@pytest.mark.parametrize("step", [True, 1.0, "1", -1, 2**53, None.__class__])
def test_no_other_step_is_taken(step: object) -> None:
    """It names the rule, and counts as a mistake of the trial."""
    reporter = client.Reporter(lambda *_: None)
    with pytest.raises(TypeError, match="step must be a whole number of at least 0"):
        reporter.report(0.5, step, {})
    assert isinstance(reporter.mistake, TypeError)


def test_the_ends_pass_except_exception() -> None:
    """They are of the kind that ``except Exception`` lets through, and public."""
    assert not issubclass(sweep.Pruned, Exception)
    assert not issubclass(sweep.Stopped, Exception)
    assert sweep.report is client.report
    assert "SWEEP_REPORT" not in os.environ
