"""A script runs in its folder with its variables; its reports and output are seen while it runs."""

import os
import time
from pathlib import Path

import pytest

from sweep.trainers.program.folder import TrialFolder
from sweep.trainers.program.process.capture import Capture
from sweep.trainers.program.process.environment import child_environment
from sweep.trainers.program.process.supervised import Supervised
from sweep.trainers.program.reports import Pace, Report, ReportFile, Thinned
from sweep.trainers.program.snapshots import Snapshots
from tests.support.programs import SOON_S, script
from tests.support.sweep_command import is_alive

SCRIPT = """
import json
start = 0
if os.environ["SWEEP_RESUMED"] == "1":
    start = int(open(os.environ["SWEEP_CHECKPOINT"] + "/step").read())
for step in range(start + 1, 31):
    with open(os.environ["SWEEP_REPORT"], "a") as file:
        file.write(json.dumps({"step": step, "value": 1 / step, "written": time.time()}) + "\\n")
    with open(os.environ["SWEEP_CHECKPOINT"] + "/step", "w") as file:
        file.write(str(step))
    print("step", step, "seed", os.environ["SWEEP_SEED"], "key", os.environ["MY_KEY"], flush=True)
    time.sleep(0.05)
    if step == int(sys.argv[1]):
        time.sleep(600)
"""


class Trial:
    """One trial's program with all parts, as a trainer puts them together."""

    def __init__(self, folder: TrialFolder, hang_at: int, *, resumed: bool = False) -> None:
        folder.make()
        env = child_environment(
            {**os.environ, "MY_KEY": "s3cret"},
            study="toy",
            trial=7,
            seed=42,
            dir=folder.path,
            checkpoint=folder.checkpoint,
            report=folder.reported,
            config=folder.config,
            resumed=resumed,
            deadline=None,
            device="cpu",
            cpus=1,
            env={},
            secrets=["MY_KEY"],
        )
        started = time.monotonic()
        self.stdout = Capture(folder.stdout, secrets=["s3cret"])
        self.stderr = Capture(folder.stderr, secrets=["s3cret"])
        self.process = Supervised(
            [*script(folder.path, SCRIPT), str(hang_at)],
            cwd=folder.path,
            env=env,
            grace=1,
            stdout=self.stdout.fd,
            stderr=self.stderr.fd,
        )
        self.stdout.begin()
        self.stderr.begin()
        self.reports = ReportFile(folder.reported, lambda: time.monotonic() - started)

    def close(self) -> None:
        self.process.stop()
        self.stdout.close()
        self.stderr.close()


@pytest.fixture
def folder(tmp_path: Path) -> TrialFolder:
    return TrialFolder(tmp_path / "toy" / "000007")


def test_reports_are_seen_within_a_second_and_all_is_kept(folder: TrialFolder) -> None:
    """From the first to the last, with the step of the rung among those handed on."""
    trial, pace, thinned, due = Trial(folder, hang_at=0), Pace([9], period_s=0.5), Thinned(), []
    slowest, end = 0.0, None
    deadline = time.monotonic() + SOON_S
    while end is None and time.monotonic() < deadline:
        end = trial.process.wait(0.05)
        reports: list[Report] = trial.reports.read() if end is None else trial.reports.close()
        for report in reports:
            slowest = max(slowest, time.time() - report.values["written"])
            thinned.add(f"{report.step}")
            due += pace.add(report)
    due += pace.close()
    trial.close()
    folder.write_reports(thinned)
    assert end is not None
    assert (end.code, end.left) == (0, 0)
    assert slowest < 1
    steps = [report.step for report in due]
    assert {1, 9, 30} <= set(steps)
    assert len(steps) < 12
    assert folder.reports.read_text().split() == [str(n) for n in range(1, 31)]
    expected = "".join(f"step {n} seed 42 key *** \n".replace(" \n", "\n") for n in range(1, 31))
    assert folder.stdout.read_text() == expected
    assert folder.stderr.read_text() == ""
    assert "s3cret" not in "".join(path.read_text() for path in folder.path.iterdir() if path.is_file())


def test_a_killed_trial_goes_on_from_its_whole_checkpoint(folder: TrialFolder) -> None:
    """It is killed at step 12, its checkpoint is torn, and its second attempt goes on at step 13."""
    trial = Trial(folder, hang_at=12)
    copies = Snapshots(folder.checkpoint, quiet_s=0.3)
    deadline = time.monotonic() + SOON_S
    while not copies.take() and time.monotonic() < deadline:
        assert trial.process.wait(0.05) is None
    trial.close()
    assert not is_alive(trial.process.pid)
    (folder.checkpoint / "step").write_text("1")
    folder.reported.unlink()
    assert copies.restore()
    again = Trial(folder, hang_at=0, resumed=True)
    end = again.process.wait(SOON_S)
    again.close()
    assert end is not None
    assert end.code == 0
    assert [report.step for report in again.reports.close()] == list(range(13, 31))
