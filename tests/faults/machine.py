"""Disks that are full, folders that may not be written, locks, damage, signals, clocks and losses."""

import contextlib
import datetime
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from sweep.errors import SweepError
from tests.faults import faulty
from tests.faults.invariants import (
    Findings,
    check_acknowledged,
    check_ends,
    check_study,
    database_of,
    digest,
    outcome,
)
from tests.faults.launcher import Ended, run, start, wait_for
from tests.faults.workspaces import TRIALS, copy_of_trained, lay_out, trained, undisturbed
from tests.support.file_modes import obey_file_modes, read_only
from tests.support.sweep_command import is_alive

Rows = dict[str, Findings]
RUN = ("run", "study.toml", "--workers", "1", "--json")


def _finish(folder: Path, study: str, ends: list[Ended]) -> Findings:
    """Run to the end, undisturbed, and check everything."""
    ends.append(run(folder, *RUN))
    found = check_ends(ends) + check_acknowledged(folder, ends, study)
    found += check_study(folder, study, TRIALS[study], undisturbed(study))
    found.must(ends[-1].status == 0, f"the last run: {ends[-1]}")
    found.tried = 1
    return found


def _expect(found: Findings, end: Ended, status: int, text: str = "") -> None:
    found.must(end.status == status and text in end.err, f"{status} and {text!r} were expected: {end}")


# Disk and folders.


def disk_full(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """A file system of 1 MB that fills up at some point of the run; with space again the run goes on."""
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=False).returncode:
        return {"disk full (not tried: mounting is not allowed)": Findings()}
    try:
        work, ends = lay_out(folder / "work", "grid"), []
        logs = folder.with_name(folder.name + "-logs")
        logs.mkdir()
        (work / ".logs").symlink_to(logs)
        (folder / "filler").write_bytes(bytes(draw.randrange(300, 960) * 1024))
        ends.append(run(work, *RUN))
        (folder / "filler").unlink()
        found = _finish(work, "grid", ends)
        if ends[0].status != 0:
            _expect(found, ends[0], 3, "sweep: ")
            so_far["disk full"] += 1
        return {"disk full (tmpfs of 1 MB)": found}
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def limit_pages(pages: int) -> None:
    """Let no connection of this process make a database larger."""
    import sqlalchemy

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", limit)


def database_full(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """The database may not grow; nothing acknowledged is lost, and the run goes on once it may."""
    lay_out(folder, "grid")
    ends = [run(folder, *RUN, "--timeout", "1s")]
    pages = database_of(folder).path.stat().st_size // 4096
    ends.append(run(folder, *RUN, before=(limit_pages, pages)))
    found = _finish(folder, "grid", ends)
    if ends[1].status:
        _expect(found, ends[1], 3, "the disk is full")
    return {"database full (max_page_count)": found}


def output_nowhere() -> None:
    """Let this process write its results to a full device."""
    device = os.open("/dev/full", os.O_WRONLY)
    os.dup2(device, 1)


def output_full(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """Results that cannot be told are stored all the same."""
    lay_out(folder, "grid")
    ends = [run(folder, *RUN, before=(output_nowhere,))]
    found = _finish(folder, "grid", ends)
    _expect(found, ends[0], 3, "No space left on device")
    return {"output to /dev/full": found}


def read_only_folder(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """A folder that may not be written: a table and a finished study are shown, the rest is refused."""
    found = Findings(tried=4)
    work = copy_of_trained("grid", folder / "work")
    bare = work / "bare"
    bare.mkdir()
    for name in ("words.txt", "study.toml"):
        shutil.copy(work / name, bare)
    for place in (work, bare):
        (place / ".logs").mkdir()
    before, modes = digest(work), {"before": (obey_file_modes,)}
    with read_only(work, but=".logs"):
        ends = [
            run(work, "table", "grid", **modes),
            run(work, *RUN, **modes),
            run(work, "export", "grid", **modes),
            run(bare, *RUN, **modes),
        ]
    for end in ends[:2]:
        _expect(found, end, 0)
    for end in ends[2:]:
        _expect(found, end, 3, "sweep: ")
    found.must(digest(work) == before, "something was written")
    return {"read-only folder, not as root": found + check_ends(ends)}


# Locks.


def _locked(seconds: float) -> Callable[[Path, random.Random, Counter[str]], Rows]:
    def case(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
        lay_out(folder, "grid")
        ends = [run(folder, *RUN, "--timeout", "1s")]
        running = start(folder, *RUN)
        wait_for(lambda: not running.is_alive() or bool(running.workers()), 60)
        with contextlib.closing(sqlite3.connect(database_of(folder).path, timeout=60)) as connection:
            connection.isolation_level = None
            connection.execute("BEGIN EXCLUSIVE")
            running.pause(seconds)
            connection.execute("ROLLBACK")
        ends.append(running.wait())
        found = _finish(folder, "grid", ends)
        if seconds < 60:
            _expect(found, ends[1], 0)
        elif ends[1].status:
            _expect(found, ends[1], 3, "locked by another process for more than 60 s")
        return {f"database locked for {seconds:g} s": found}

    return case


locked_1, locked_10, locked_70 = _locked(1), _locked(10), _locked(70)


def two_drivers(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """A second driver is refused while the first runs, also while that one is stopped."""
    lay_out(folder, "grid")
    first = start(folder, *RUN)
    wait_for(lambda: not first.is_alive() or bool(first.workers()), 60)
    ends = [run(folder, *RUN)]
    os.kill(first.pid, signal.SIGSTOP)
    ends.append(run(folder, *RUN))
    os.kill(first.pid, signal.SIGCONT)
    ends.append(first.wait())
    found = _finish(folder, "grid", ends)
    for end in ends[:2]:
        _expect(found, end, 1, f"is being run by process {first.pid} on ")
    _expect(found, ends[2], 0)
    return {"two drivers at once": found}


def many_starts(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """32 runs of one study start at once where there is no database; one trains, 31 are refused."""
    lay_out(folder, "grid")
    every = [start(folder, *RUN) for _ in range(32)]
    ends = [running.wait() for running in every]
    found = _finish(folder, "grid", list(ends))
    refused = [end for end in ends if end.status == 1 and "is being run by " in end.err]
    trained_by = [end for end in ends if end.acknowledged]
    found.must(len(trained_by) == 1, f"{len(trained_by)} runs trained")
    found.must(len(refused) + sum(end.status == 0 for end in ends) == 32, "not all ended with 0 or 1")
    return {"32 starts at once on a new file": found}


# Damage.


def _damages(draw: random.Random, whole: bytes) -> Iterator[tuple[str, bytes]]:
    yield "zero bytes", b""
    yield "cut", whole[: draw.randrange(100, len(whole) - 1)]
    yield "header noise", draw.randbytes(16) + whole[16:]
    yield "noise", draw.randbytes(len(whole))


def damaged_database(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """What is no sound database is refused by every command and left as it is."""
    copy_of_trained("grid", folder)
    path, rows = database_of(folder).path, {}
    whole = path.read_bytes()
    other = folder / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.commit()
    for name, raw in [*_damages(draw, whole), ("another program's", other.read_bytes())]:
        path.write_bytes(raw)
        row = rows[f"database damaged: {name}"] = Findings(tried=3)
        ends = [run(folder, *RUN), run(folder, "table", "grid"), run(folder, "export", "grid")]
        for end in ends:
            _expect(row, end, 3, "sweep: ")
        row += check_ends(ends)
        row.must(path.read_bytes() == raw, "the file was changed")
    return rows


def flipped_bits(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """A database with one bit flipped is refused, or its results are as they were."""
    copy_of_trained("tpe", folder)
    path, row = database_of(folder).path, Findings()
    whole, before = path.read_bytes(), undisturbed("tpe")
    for _ in range(50):
        raw, place = bytearray(whole), draw.randrange(len(whole))
        raw[place] ^= 1 << draw.randrange(8)
        path.write_bytes(raw)
        row.tried += 1
        try:
            same = outcome(folder, "tpe") == before
            row.lost += not same
            row.notes["flipped, no result changed"] += 1
        except SweepError:
            row.notes["flipped, refused"] += 1
        except Exception as error:  # noqa: BLE001  counted, whatever it is
            row.tracebacks += 1
            row.notes[repr(error)[:100]] += 1
    return {"database damaged: one bit flipped": row}


def damaged_checkpoint(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """A state that is lost, cut or noise costs time, and changes no number."""
    lay_out(folder, "tpe")
    running = start(folder, *RUN)
    wait_for(lambda: not running.is_alive() or bool(_states(folder)), 120)
    running.kill()
    ends = [running.wait()]
    conduct = draw.choice(["lost", "cut", "noise", "empty"])
    for state in _states(folder):
        raw = state.read_bytes()
        if conduct == "lost":
            state.unlink()
        else:
            state.write_bytes(
                {"cut": raw[: len(raw) // 2], "noise": draw.randbytes(len(raw)), "empty": b""}[conduct]
            )
    return {"checkpoint damaged": _finish(folder, "tpe", ends)}


def _states(folder: Path) -> list[Path]:
    return list((database_of(folder).files.path / "tpe").glob("*/state-*"))


def changed_words(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """Another words file than that of the first run is refused, and nothing is changed."""
    lay_out(folder, "grid")
    words = folder / "words.txt"
    text = words.read_bytes()
    ends = [run(folder, *RUN, "--timeout", "1s")]
    words.write_bytes(text + b"abba\n")
    before = database_of(folder).path.read_bytes()
    ends.append(run(folder, *RUN))
    unchanged = database_of(folder).path.read_bytes() == before
    words.write_bytes(text)
    found = _finish(folder, "grid", ends)
    _expect(found, ends[1], 1, "content of the data files")
    found.must(unchanged, "the database was changed")
    return {"words changed between run and resume": found}


# Signals and clocks.


def set_clock(days: float) -> None:
    """Let this process store other times than it is."""
    writer = __import__("sweep.storage.study_writer", fromlist=["_now"])
    real = writer._now
    writer._now = lambda: real() + datetime.timedelta(days=days)


def moved_clock(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """A clock that goes back by a year between two runs, or ahead, changes no number."""
    lay_out(folder, "grid")
    ends = [
        run(folder, *RUN, "--timeout", "4s", before=(set_clock, draw.choice([-400, 400]))),
        run(folder, *RUN, "--timeout", "4s", before=(set_clock, draw.choice([-4000, 4000]))),
        run(folder, "table", "grid"),
    ]
    return {"clock moved": _finish(folder, "grid", ends)}


SIGNALS: dict[str, tuple[list[signal.Signals], tuple[int, ...]]] = {
    "SIGTERM": ([signal.SIGTERM], (143,)),
    "SIGINT": ([signal.SIGINT], (130,)),
    "SIGHUP": ([signal.SIGHUP], (129,)),
    "SIGINT twice": ([signal.SIGINT, signal.SIGINT], (130,)),
    "SIGTERM, then SIGINT": ([signal.SIGTERM, signal.SIGINT], (130, 143)),
}
"""What is sent to the whole group -> which statuses may follow."""


def signalled(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """Signals end a run with their status and without orphans; the next run goes on."""
    row, ends = Findings(), []
    lay_out(folder, "tpe")
    for name, (numbers, statuses) in SIGNALS.items():
        row.tried += 1
        running = start(folder, *RUN)
        wait_for(lambda: not running.is_alive() or bool(running.workers()), 60)  # noqa: B023  used at once
        time.sleep(draw.uniform(0, 3))
        trainers = running.workers()
        for number in numbers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, number)
            time.sleep(draw.uniform(0, 0.05))
        ends.append(running.wait())
        row.must(ends[-1].status in (0, *statuses), f"{name}: {ends[-1]}")
        wait_for(lambda: not any(map(is_alive, trainers)), 20)  # noqa: B023  used at once
        row.zombies += sum(map(is_alive, trainers))
    last = _finish(folder, "tpe", ends)
    return {"signals: SIGTERM, SIGINT, SIGHUP, two of them": row, "study tpe after five signals": last}


def stopped(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """A driver or a worker that is stopped for a while goes on as if nothing had been."""
    lay_out(folder, "tpe")
    running = start(folder, *RUN)
    wait_for(lambda: not running.is_alive() or bool(running.workers()), 60)
    time.sleep(draw.uniform(0, 2))
    for pids in ([running.pid], running.workers(), [running.pid, *running.workers()]):
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            time.sleep(8)
    ends = [running.wait()]
    found = _finish(folder, "tpe", ends)
    _expect(found, ends[0], 0)
    return {"SIGSTOP for 8 s, driver, worker and both": found}


# What the training gives.

LISTED = {
    **{
        60 + n: (loss, rung)
        for n, (loss, rung) in enumerate((x, r) for x in faulty.LOSSES for r in (10, 30, 100))
    },
    70: ("memory", 30),
    71: ("cuda-memory", 10),
    72: ("hostile", 90),
    73: ("die", 30),
    74: ("", 0),
    75: ("hang", 30),
    76: ("", 0),
}
STATES = {"nan": "diverged", "inf": "diverged", "minus-inf": "diverged", "hang": "timeout", "": "complete"}


_KINDS = {
    **dict.fromkeys(faulty.LOSSES, "a loss that is nan, inf or -inf at 10, 30 or 100 %"),
    **dict.fromkeys(("memory", "cuda-memory"), "out of memory, also a GPU's"),
    **dict.fromkeys(("hostile", "die", "hang"), "an error, three deaths of a worker, a hang"),
    "": "undisturbed beside those",
}
"""Conduct -> row of the table."""


def odd_trainings(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """A loss that is no number, a fault, three deaths or a hang ends its own trial and no other."""
    folder.mkdir()
    shutil.copy(trained("grid") / "words.txt", folder)
    trials = "".join(f"[[trial]]\nhidden_neurons = {hidden}\n" for hidden in LISTED)
    (folder / "study.toml").write_text(
        'name = "odd"\nsampler = "listed"\ntrial_timeout = "20s"\n[data]\nwords = "words.txt"\n'
        f"[fixed]\nnum_steps = 2_000\n{trials}"
    )
    end = run(folder, *RUN, before=(faulty.use, LISTED))
    ends = [end, *(run(folder, "table", "odd", "--format", form) for form in ("text", "csv", "json", "log"))]
    rows: Rows = {}
    told = {line["params"]["hidden_neurons"]: line for line in end.acknowledged}
    for hidden, (conduct, rung) in LISTED.items():
        row = rows.setdefault(f"training: {_KINDS.get(conduct, conduct)}", Findings())
        row.tried += 1
        line = told.get(hidden, {"state": "untold", "dev_loss": None})
        row.must(line["state"] == STATES.get(conduct, "failed"), f"{conduct} at {rung} % ended as {line}")
        row.must((line["dev_loss"] is None) == bool(conduct), f"{conduct} has a loss: {line}")
        if conduct == "die":
            row.must("its worker died 3 times" in line.get("reason", ""), f"{line}")
    row += check_ends(ends) + check_acknowledged(folder, [end], "odd")
    row += check_study(folder, "odd", len(LISTED), None)
    for end in ends:
        _expect(row, end, 0)
        row.must("\x1b" not in end.out + end.err and "\u2028" not in end.out, "a control character is told")
    return rows


def dashboard_open(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """A dashboard that is read again and again holds up no run and fails no request."""
    lay_out(folder, "random")
    ends = [run(folder, *RUN, "--timeout", "1s")]
    server = start(folder, "dashboard", "--port", "0")
    out = server.log.with_suffix(".out")
    wait_for(lambda: out.read_text().endswith("\n") or not server.is_alive(), 60)
    url = out.read_text().strip()
    running = start(folder, *RUN)
    found, page = Findings(), 0
    while running.is_alive():
        for path in ("api/studies", "api/studies/1?after=0", "dashboard/studies/1"):
            try:
                urllib.request.urlopen(url + path, timeout=30).read()  # noqa: S310  our own server
                page += 1
            except OSError as error:
                found.others.append(f"{path}: {error}")
        time.sleep(0.1)
    ends.append(running.wait())
    os.kill(server.pid, signal.SIGINT)
    ends.append(server.wait(30))
    found += _finish(folder, "random", ends)
    _expect(found, ends[1], 0)
    found.notes["pages read meanwhile"] += page
    return {"dashboard open and refreshing through a run": found}
