"""Kill -9 at every window and at any time: of workers, the driver, both, and every command that writes."""

import random
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sweep.certify.config_file import load_config
from sweep.storage.study_reader import load_study
from tests.faults.invariants import (
    Findings,
    check_acknowledged,
    check_ends,
    check_files,
    check_owners,
    check_study,
    database_of,
    digest,
)
from tests.faults.launcher import Ended, Running, run, start, wait_for
from tests.faults.windows import (
    CONFIRM_WINDOWS,
    DRIVER_WINDOWS,
    EXPORT_WINDOWS,
    PRUNE_WINDOW,
    PUBLISH_WINDOWS,
    REPORT_WINDOWS,
    TEST_WINDOWS,
    VICTIMS,
    Strike,
    install,
)
from tests.faults.workspaces import CONFIRM, CONFIRM_TRIALS, TRIALS, copy_of_trained, lay_out, undisturbed
from tests.support.sweep_command import is_alive, kill

Rows = dict[str, Findings]
"""Row of the campaign's table -> what was found."""

ORPHANS_S = 20
"""Seconds after which a worker must have followed its driver, on a machine that is busy."""

MAX_LIVES = 7
"""Runs of one study that are killed before it is left in peace."""

_AT = "kill -9 {victim}: {window}"


def kill_at_windows(
    folder: Path,
    draw: random.Random,
    so_far: Counter[str],
    studies: Sequence[str] = ("asha", "grid", "random"),
    lives: int = MAX_LIVES,
) -> Rows:
    """Kill the runs of one study at windows; those that were hit least come first."""
    study = draw.choice(studies)
    lay_out(folder, study)
    command = ("run", "study.toml", "--workers", "1", "--json")
    windows = [w for w in DRIVER_WINDOWS if (study == "pruned") == (w == PRUNE_WINDOW)]
    rows, ends = _kill_in_turn(folder, command, windows, draw, so_far, told=study, lives=lives)
    end = run(folder, *command)
    ends.append(end)
    last = check_ends(ends) + check_acknowledged(folder, ends, study)
    last += check_study(folder, study, TRIALS[study], undisturbed(study))
    last.must(end.status == 0, f"the last run ended with {end.status}: {end.err}")
    last.tried = 1
    return {**rows, f"study {study} after kills at windows": last}


def kill_confirmation(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """Kill a confirmation at its own windows, in the order in which they come, then at the driver's."""
    copy_of_trained("random", folder)
    command = ("confirm", "random", *CONFIRM)
    windows = [w for w in DRIVER_WINDOWS if w != PRUNE_WINDOW]
    # The last one is reached twice: before the candidates are trained, and before the certificate is.
    nths = dict.fromkeys(CONFIRM_WINDOWS, 1) | {list(CONFIRM_WINDOWS)[-1]: draw.choice([1, 2])}
    first = [[Strike(window, "driver", nth)] for window, nth in nths.items()]
    rows, ends = _kill_in_turn(folder, command, windows, draw, so_far, first=first)
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
    *,
    told: str | None = None,
    first: Sequence[list[Strike]] = (),
    lives: int = MAX_LIVES,
) -> tuple[Rows, list[Ended]]:
    """Run a command again and again, each time with workers killed and then the driver.

    ``told`` is the study whose results the command tells, if it does; ``first`` is what strikes in
    the first runs.
    """
    rows: Rows = {}
    ends: list[Ended] = []
    for life in range(lives):
        marks = folder / f".logs/marks-{life}"
        strikes = first[life] if life < len(first) else _next_strikes(windows, draw, so_far)
        running = start(folder, *command, before=(install, strikes, marks))
        trainers = _watch_workers(running)
        ends.append(running.wait())
        found = Findings()
        found.zombies += _orphans(trainers)
        if told is not None and database_of(folder).exists():
            found += check_acknowledged(folder, ends, told)
        for line in marks.read_text().splitlines() if marks.exists() else []:
            window, victim = line.split("\t")
            name = _AT.format(victim=victim, window=window)
            so_far[name] += 2
            row = rows.setdefault(name, Findings())
            row.tried += 1
        if ends[-1].status != -9:
            break
        # What follows the kill of a driver is that kill's; the workers' kills show in the study's end.
        rows[_AT.format(victim=victim, window=window)] += found
    return rows, ends


def _next_strikes(windows: Sequence[str], draw: random.Random, so_far: Counter[str]) -> list[Strike]:
    """Return a strike or two at workers and one that ends the driver, each where it fell least so far.

    A strike that is planned and not reached counts a third of one that fell, so that what a study
    seldom reaches does not keep all else away.
    """

    def least(*victims: str) -> Strike:
        places = [(window, victim) for window in windows for victim in victims]
        window, victim = min(
            places, key=lambda at: (so_far[_AT.format(window=at[0], victim=at[1])], draw.random())
        )
        so_far[_AT.format(window=window, victim=victim)] += 1
        return Strike(window, victim, draw.choice([1, 1, 2]))

    return [*(least("worker") for _ in range(draw.choice([1, 2]))), least("driver", "both")]


def _watch_workers(running: Running) -> set[int]:
    """Return every worker that a driver had until its end."""
    seen: set[int] = set()
    while running.is_alive():
        seen.update(running.workers())
        running.pause(0.05)
    return seen


def _orphans(trainers: set[int]) -> int:
    wait_for(lambda: not any(map(is_alive, trainers)), ORPHANS_S)
    return sum(map(is_alive, trainers))


def kill_at_random(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """Kill the runs of a study at any time: its workers, its driver, or both at once."""
    study = draw.choice(["tpe", "long-grid", "long-grid", "long-random", "long-random"])
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


def _let_pass(running: Running, draw: random.Random, trainers: set[int]) -> None:
    """Wait for any time: within the start of a run, or until something was stored and a bit longer."""
    trainers.update(running.workers())
    if draw.random() < 0.25:
        time.sleep(draw.uniform(0, 2))
    else:
        stored = _files(running.folder)
        wait_for(lambda: not running.is_alive() or _files(running.folder) != stored)
        time.sleep(draw.uniform(0, 0.4))
    trainers.update(running.workers())


def _files(folder: Path) -> set[str]:
    """Return the names of all states, losses and curves."""
    return {str(path) for path in database_of(folder).files.path.glob("*/*/*.safetensors")}


def kill_export(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """Kill an export, over an earlier one and without; the next one leaves a whole file and no other."""
    copy_of_trained("grid", folder)
    rows: Rows = {}
    before = digest(folder)
    for window in EXPORT_WINDOWS:
        row = rows[_AT.format(victim="export", window=window)] = Findings(tried=2)
        for options in ((), ("--force",)):
            strikes = [Strike(window, "driver")]
            end = run(folder, "export", "grid", *options, before=(install, strikes, folder / "m"))
            row.must(end.status == -9, f"the window was not reached: {end}")
            again = run(folder, "export", "grid", "--force")
            row += check_ends([end, again]) + check_files(folder, "grid")
            load_config(folder / "reports/grid/best.toml")
            so_far[window] += 1
        shutil.rmtree(folder / "reports")
    (folder / "m").unlink()
    row.must(digest(folder) == before, "an export changed something else")
    return rows


def kill_report(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """Kill the writing of a report, over an earlier one and without; the page is whole or not there."""
    copy_of_trained("grid", folder)
    rows: Rows = {}
    for window in REPORT_WINDOWS:
        row = rows[_AT.format(victim="report", window=window)] = Findings(tried=1)
        strikes = [Strike(window, "driver")]
        end = run(folder, "report", "grid", before=(install, strikes, folder / ".logs" / "m"))
        row.must(end.status == -9, f"the window was not reached: {end}")
        for page in (folder / "reports").rglob("*.html"):
            row.must(page.read_text().rstrip().endswith("</html>"), f"{page} is not whole")
        again = run(folder, "report", "grid")
        _must_end_well(row, again)
        row += check_ends([end, again]) + check_files(folder, "grid")
        so_far[window] += 1
    return rows


def kill_publishing(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """Kill a run when all is trained and the dashboard's figures are being stored."""
    copy_of_trained("grid", folder)
    command = ("run", "study.toml", "--workers", "1", "--json")
    rows: Rows = {}
    for window in PUBLISH_WINDOWS:
        row = rows[_AT.format(victim="driver", window=window)] = Findings(tried=1)
        strikes = [Strike(window, "driver", draw.randrange(1, 4) if "commit" in window else 1)]
        run(folder, *command, before=(install, strikes, folder / ".logs" / "m"))
        again = run(folder, *command)
        _must_end_well(row, again)
        row += check_ends([again]) + check_study(folder, "grid", TRIALS["grid"], undisturbed("grid"))
        so_far[window] += 1
    return rows


def _must_end_well(row: Findings, end: Ended) -> None:
    row.must(end.status == 0, f"the next one ended with {end.status}: {end.err}")


def kill_test(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """(I8) Kill the evaluation of the test words; a look that may have been made counts."""
    rows: Rows = {}
    for number, window in enumerate(TEST_WINDOWS):
        work = copy_of_trained("grid", folder / str(number))
        row = rows[_AT.format(victim="test", window=window)] = Findings(tried=1)
        ends = [run(work, "export", "grid")]
        nth = 2 if window == "in the test: between the two records" and draw.random() < 0.5 else 1
        strikes = [Strike(window, "driver", nth)]
        marks = work / ".logs" / "marks"
        ends.append(run(work, "test", "reports/grid/best.toml", before=(install, strikes, marks)))
        row.must(ends[-1].status == -9, f"the window was not reached: {ends[-1]}")
        so_far[window] += 1
        ends.append(run(work, "test", "reports/grid/best.toml"))
        may_have_looked = window != "in the test: before the record"
        row.must(ends[-1].status == (1 if may_have_looked else 0), f"the next look: {ends[-1]}")
        if may_have_looked:
            told = "test loss unknown (interrupted)" if nth == 1 else "test loss"
            row.must(told in ends[-1].err, f"the look is told as {ends[-1].err}")
            ends.append(run(work, "table", "grid"))
            row.must("test split looked at" in ends[-1].out, "the table does not tell the look")
            ends.append(run(work, "test", "reports/grid/best.toml", "--again", "the first was killed"))
            row.must("(look 2, recorded)" in ends[-1].out, f"the second look is not counted: {ends[-1]}")
        row += check_ends(ends) + check_files(work, "grid") + check_owners(work)
    return rows
