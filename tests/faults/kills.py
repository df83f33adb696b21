"""Kill -9 at every window and at any time: of a worker, of the driver, of both, of every command that writes."""

import random
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from invariants import (
    Findings,
    check_acknowledged,
    check_ends,
    check_files,
    check_losses,
    check_owners,
    check_study,
    database_of,
    digest,
    outcome,
)
from launcher import Ended, run, start, wait_for
from sweep_command import is_alive, kill
from windows import CONFIRM_WINDOWS, DRIVER_WINDOWS, EXPORT_WINDOWS, TEST_WINDOWS, VICTIMS, Strike, install
from workspaces import CONFIRM, CONFIRM_TRIALS, STUDIES, TRIALS, copy_of_trained, lay_out, undisturbed

from sweep.results.config_file import load_config
from sweep.search.study_store import load_study

Rows = dict[str, Findings]
"""Row of the campaign's table -> what was found."""

ORPHANS_S = 20
"""Seconds after which a worker must have followed its driver, on a machine that is busy."""

MAX_LIVES = 7
"""Runs of one study that are killed before it is left in peace."""

_AT = "kill -9 {victim}: {window}"


def kill_at_windows(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """Kill the runs of one study at windows; those that were hit least come first."""
    study = draw.choice(["asha", "asha", "tpe", "grid"])
    lay_out(folder, study)
    command = ("run", "study.toml", "--workers", "1", "--json")
    windows = [w for w in DRIVER_WINDOWS if study == "asha" or "prune" not in w]
    rows, ends = _kill_in_turn(folder, command, windows, draw, so_far, study)
    end = run(folder, *command)
    ends.append(end)
    last = check_ends(ends) + check_acknowledged(folder, ends, study)
    last += check_study(folder, study, TRIALS[study], undisturbed(study))
    last.must(end.status == 0, f"the last run ended with {end.status}: {end.err}")
    last.tried = 1
    return {**rows, f"study {study} after kills at windows": last}


def kill_confirmation(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """Kill a confirmation at the windows of its own and of the driver."""
    copy_of_trained("random", folder)
    command = ("confirm", "random", *CONFIRM)
    windows = [*CONFIRM_WINDOWS, *(w for w in DRIVER_WINDOWS if "prune" not in w)]
    rows, ends = _kill_in_turn(folder, command, windows, draw, so_far, "random/confirm")
    end = run(folder, *command)
    last = check_ends([*ends, end])
    last.must(end.status == 0, f"the last run ended with {end.status}: {end.err}")
    last += check_study(folder, "random/confirm", CONFIRM_TRIALS, undisturbed("random", confirmed=True))
    last += check_study(folder, "random", TRIALS["random"], undisturbed("random"))
    plans = load_study(database_of(folder).open_read_only(), "random").plans
    last.doubled += len(plans) - 1
    last.tried = 1
    return {**rows, "a confirmation after kills at windows": last}


def _kill_in_turn(
    folder: Path,
    command: Sequence[str],
    windows: Sequence[str],
    draw: random.Random,
    so_far: Counter[str],
    study: str,
) -> tuple[Rows, list[Ended]]:
    """Run a command again and again, each time with two workers killed and then the driver."""
    rows: Rows = {}
    ends: list[Ended] = []
    for life in range(MAX_LIVES):
        left = sorted(windows, key=lambda w: (so_far[w], draw.random()))[:3]
        draw.shuffle(left)
        victims = ["worker"] * (len(left) - 1) + [draw.choice(["driver", "both"])]
        nths = [draw.choice([1, 1, 2]) for _ in left]
        marks = folder / f".logs/marks-{life}"
        strikes = [Strike(*strike) for strike in zip(left, victims, nths, strict=True)]
        running = start(folder, *command, before=(install, strikes, marks))
        trainers = _watch_workers(running)
        ends.append(running.wait())
        found = Findings()
        found.zombies += _orphans(trainers)
        if (folder / "studies" / "sweep.db").exists() and "--json" in command:
            found += check_acknowledged(folder, ends, study)
        for line in marks.read_text().splitlines() if marks.exists() else []:
            window, victim = line.split("\t")
            so_far[window] += 1
            row = rows.setdefault(_AT.format(victim=victim, window=window), Findings())
            row.tried += 1
        if ends[-1].status != -9:
            break
        # What follows the kill of a driver is that kill's; the workers' kills show in the study's end.
        rows[_AT.format(victim=victim, window=window)] += found
    return rows, ends


def _watch_workers(running: "object") -> set[int]:
    """Return every worker that a driver had until its end."""
    seen: set[int] = set()
    while running.is_alive():  # type: ignore[attr-defined]
        seen.update(running.workers())  # type: ignore[attr-defined]
        running.process.join(0.05)  # type: ignore[attr-defined]
    return seen


def _orphans(trainers: set[int]) -> int:
    wait_for(lambda: not any(map(is_alive, trainers)), ORPHANS_S)
    return sum(map(is_alive, trainers))


def kill_at_random(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """Kill the runs of a study at any time: its workers, its driver, or both at once."""
    study = draw.choice(list(STUDIES))
    lay_out(folder, study)
    # One worker where the table depends on who ends first, else two.
    workers = "1" if study in ("asha", "tpe") else draw.choice(["1", "2"])
    command = ("run", "study.toml", "--workers", workers, "--json")
    rows: Rows = {f"kill -9 {victim}: at any time": Findings() for victim in VICTIMS}
    ends: list[Ended] = []
    for _ in range(MAX_LIVES):
        running = start(folder, *command)
        trainers: set[int] = set()
        for victim in ["worker", "worker", draw.choice(["driver", "both"])]:
            _let_pass(running, draw, trainers)
            row = rows[f"kill -9 {victim}: at any time"]
            now = running.workers()
            if not running.is_alive() or (victim == "worker" and not now):
                continue
            row.tried += 1
            so_far["at any time"] += 1
            for pid in now if victim != "driver" else ():
                kill(pid)
            if victim != "worker":
                running.kill()
        ends.append(running.wait())
        if ends[-1].status != -9:
            break
        row.zombies += _orphans(trainers)
        if database_of(folder).exists():
            row += check_acknowledged(folder, ends, study)
            rows[f"kill -9 {victim}: at any time"] = row
    end = run(folder, *command)
    ends.append(end)
    last = check_ends(ends) + check_acknowledged(folder, ends, study)
    last += check_study(folder, study, TRIALS[study], undisturbed(study))
    last.must(end.status == 0, f"the last run ended with {end.status}: {end.err}")
    last.tried = 1
    return {**rows, f"study {study} after kills at any time": last}


def _let_pass(running: "object", draw: random.Random, trainers: set[int]) -> None:
    """Wait some time; on a busy machine until a worker has begun to train in half of the cases."""
    trainers.update(running.workers())  # type: ignore[attr-defined]
    if draw.random() < 0.3:
        time.sleep(draw.uniform(0, 1))
    else:
        stored = running.log.with_suffix(".out").stat().st_size  # type: ignore[attr-defined]
        until = time.monotonic() + draw.uniform(0.5, 5)
        while running.is_alive() and time.monotonic() < until:  # type: ignore[attr-defined]
            time.sleep(0.02)
            if running.log.with_suffix(".out").stat().st_size > stored:  # type: ignore[attr-defined]
                time.sleep(draw.uniform(0, 0.3))
                break
    trainers.update(running.workers())  # type: ignore[attr-defined]


def kill_export(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """Kill an export, over an earlier one and without; the file is whole, the next export leaves nothing else."""
    copy_of_trained("random", folder)
    rows: Rows = {}
    before = digest(folder)
    for window in EXPORT_WINDOWS:
        row = rows[_AT.format(victim="export", window=window)] = Findings(tried=2)
        for options in ((), ("--force",)):
            strikes = [Strike(window, "driver")]
            end = run(folder, "export", "random", *options, before=(install, strikes, folder / "m"))
            row.must(end.status == -9, f"the window was not reached: {end}")
            again = run(folder, "export", "random", "--force")
            row += check_ends([end, again]) + check_files(folder, "random")
            load_config(folder / "reports/random/best.toml")
            so_far[window] += 1
        shutil.rmtree(folder / "reports")
    (folder / "m").unlink()
    row.must(digest(folder) == before, "an export changed something else")
    return rows


def kill_test(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """(I8) Kill the evaluation of the test words; a look that may have been made counts."""
    rows: Rows = {}
    for number, window in enumerate(TEST_WINDOWS):
        work = copy_of_trained("random", folder / str(number))
        row = rows[_AT.format(victim="test", window=window)] = Findings(tried=1)
        ends = [run(work, "export", "random")]
        nth = 2 if window == "in the test: in the ledger only" and draw.random() < 0.5 else 1
        strikes = [Strike(window, "driver", nth)]
        marks = work / ".logs" / "marks"
        ends.append(run(work, "test", "reports/random/best.toml", before=(install, strikes, marks)))
        row.must(ends[-1].status == -9, f"the window was not reached: {ends[-1]}")
        so_far[window] += 1
        ends.append(run(work, "test", "reports/random/best.toml"))
        may_have_looked = window != "in the test: before the record"
        row.must(ends[-1].status == (1 if may_have_looked else 0), f"the next look: {ends[-1]}")
        if may_have_looked:
            told = "test loss unknown, it did not end" if nth == 1 else "test loss"
            row.must(told in ends[-1].err, f"the look is told as {ends[-1].err}")
            ends.append(run(work, "table", "random"))
            row.must("test split looked at" in ends[-1].out, "the table does not tell the look")
            ends.append(run(work, "test", "reports/random/best.toml", "--again", "the first was killed"))
            row.must("(look 2, recorded)" in ends[-1].out, f"the second look is not counted: {ends[-1]}")
        row += check_ends(ends) + check_files(work, "random") + check_owners(work)
    return rows
