"""Which cases are run, how often, and what did they show? ``python tests/faults/campaign.py --help``.

Results are lines of JSON, one for each row of each run of a case, so that a campaign may be cut
short, gone on with, or added up from several; the table in ``docs/faults.md`` is made of them.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import functools
import json
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults import fuzzing, kills, machine
from tests.faults.invariants import Findings
from tests.support import warm_python

REPOSITORY = Path(__file__).resolve().parents[2]

Rows = dict[str, Findings]
Case = Callable[[Path, random.Random, collections.Counter[str]], Rows]

SIZES = ("smoke", "campaign", "release")


class Plan(NamedTuple):
    """How often a case is run in each size."""

    case: Case
    smoke: int
    campaign: int
    release: int


PLANS = {
    "a_few_kills": Plan(functools.partial(kills.kill_at_windows, studies=["grid"], lives=2), 1, 0, 0),
    "kill_at_windows": Plan(kills.kill_at_windows, 0, 16, 120),
    "kill_at_prunings": Plan(functools.partial(kills.kill_at_windows, studies=["pruned"]), 0, 5, 25),
    "kill_at_random": Plan(kills.kill_at_random, 0, 32, 170),
    "kill_confirmation": Plan(kills.kill_confirmation, 0, 8, 40),
    "kill_export": Plan(kills.kill_export, 1, 5, 25),
    "kill_test": Plan(kills.kill_test, 0, 10, 50),
    "kill_report": Plan(kills.kill_report, 0, 10, 50),
    "kill_publishing": Plan(kills.kill_publishing, 0, 4, 20),
    "odd_trainings": Plan(machine.odd_trainings, 0, 1, 5),
    "flipped_bits": Plan(machine.flipped_bits, 0, 4, 40),
    "damaged_database": Plan(machine.damaged_database, 1, 1, 5),
    "damaged_checkpoint": Plan(machine.damaged_checkpoint, 0, 3, 20),
    "changed_words": Plan(machine.changed_words, 0, 1, 3),
    "moved_clock": Plan(machine.moved_clock, 0, 1, 5),
    "signalled": Plan(machine.signalled, 0, 1, 10),
    "stopped": Plan(machine.stopped, 0, 1, 3),
    "two_drivers": Plan(machine.two_drivers, 0, 1, 5),
    "many_starts": Plan(machine.many_starts, 0, 1, 5),
    "disk_full": Plan(machine.disk_full, 0, 3, 20),
    "database_full": Plan(machine.database_full, 0, 1, 3),
    "output_full": Plan(machine.output_full, 0, 1, 1),
    "read_only_folder": Plan(machine.read_only_folder, 0, 1, 1),
    "locked_1": Plan(machine.locked_1, 0, 1, 1),
    "locked_10": Plan(machine.locked_10, 0, 1, 1),
    "locked_70": Plan(machine.locked_70, 0, 1, 1),
    "dashboard_open": Plan(machine.dashboard_open, 0, 1, 3),
    "study_files": Plan(fuzzing.study_files, 0, 4, 20),
    "words_files": Plan(fuzzing.words_files, 0, 1, 1),
    "range_tests": Plan(fuzzing.range_tests, 0, 1, 1),
}
"""What can be run. To add a case: a function here; it returns rows of the table."""


def run_case(name: str, seed: int, so_far: collections.Counter[str], folder: Path) -> Rows:
    """Run a case once in a folder of its own, which stays where something is wrong."""
    folder = folder / f"{name}-{seed}"
    draw = random.Random(f"{name} {seed}")  # noqa: S311  no secret
    try:
        rows = PLANS[name].case(folder, draw, so_far)
    except Exception:  # noqa: BLE001  a fault of the harness is told like any other
        rows = {name: Findings(tried=1, others=[traceback.format_exc()[-1500:]])}
    if not any(row.faults for row in rows.values()):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(folder.with_name(folder.name + "-logs"), ignore_errors=True)
    return rows


def _schedule(size: str, only: list[str], seed: int) -> list[tuple[str, int]]:
    """Return the runs of all cases, spread so that a campaign that is cut short has some of each."""
    runs = []
    for name, plan in PLANS.items():
        n = getattr(plan, size) if not only or name in only else 0
        runs += [((k + 0.5) / n, name, seed + k) for k in range(n)]
    return [(name, number) for _, name, number in sorted(runs)]


def _lane(number: int, lanes: int, arguments: argparse.Namespace) -> Path:
    """Run every so many-th case in a folder of its own, which is returned; what went wrong is left in it."""
    folder = Path(tempfile.mkdtemp(prefix=f"sweep-lane-{number}-"))
    folder.chmod(0o755)
    tempfile.tempdir = str(folder)
    warm_python.install()
    until = time.monotonic() + arguments.minutes * 60
    so_far: collections.Counter[str] = collections.Counter()
    for name, seed in _schedule(arguments.size, arguments.only, arguments.seed)[number::lanes]:
        if time.monotonic() < until:
            _note(name, seed, so_far, folder, arguments.results)
    for path in folder.glob("sweep-faults-*"):
        shutil.rmtree(path)
    return folder


def _note(name: str, seed: int, so_far: collections.Counter[str], folder: Path, results: Path) -> None:
    """Run a case once and add what it showed to the results."""
    began = time.monotonic()
    rows = run_case(name, seed, so_far, folder)
    seconds = round(time.monotonic() - began, 1)
    with results.open("a") as lines:
        for row, found in rows.items():
            line = {"case": name, "seed": seed, "row": row, **found.to_dict(), "seconds": seconds}
            lines.write(json.dumps(line) + "\n")
    faults = {row: found.others or "see results" for row, found in rows.items() if found.faults}
    print(f"{name} {seed}: {seconds:.0f} s {faults or ''}", flush=True)


def read_rows(path: Path) -> dict[str, Findings]:
    """Add up all results of a file by row."""
    rows: dict[str, Findings] = {}
    for line in path.read_text().splitlines():
        values: dict[str, Any] = json.loads(line)
        notes = collections.Counter(values["notes"])
        counts = [values[key] for key in ("tried", "lost", "doubled", "zombies", "tracebacks", "others")]
        total = rows.setdefault(values["row"], Findings())
        total += Findings(*counts, notes)
    return rows


def markdown(rows: Rows) -> str:
    """Return the table; n is told with the highest share that 0 of n leaves possible at 95 %."""
    lines = [
        "| case | tried | lost | doubled | zombies | tracebacks | other | 95 % bound |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(_line(name, row) for name, row in sorted(_victims_joined(rows).items())),
    ]
    for what, of in (("kills at any time", _ANY), ("kills at windows", _AT), ("cases", re.compile(""))):
        total = Findings()
        for name, row in rows.items():
            if of.match(name):
                total += row
        lines.append(_line(f"**all {what}**", total))
    told = sum(row.notes["results acknowledged"] for name, row in rows.items() if name.startswith("study "))
    return "\n".join([*lines, "", f"Results acknowledged in disturbed runs and looked up again: {told:,}."])


_KILL = re.compile(r"kill -9 (\w+): (.*)")
_ANY = re.compile(r"kill -9 \w+: at any time")
_AT = re.compile(r"kill -9 \w+: (?!at any time)")


def _victims_joined(rows: Rows) -> Rows:
    """Return one row for each window, with how often each victim was killed there."""
    joined: Rows = {name: row for name, row in rows.items() if not _KILL.match(name)}
    windows: dict[str, dict[str, Findings]] = {}
    for name, row in rows.items():
        kill = _KILL.match(name)
        if kill:
            windows.setdefault(kill[2], {})[kill[1]] = row
    for window, victims in windows.items():
        times = ", ".join(f"{row.tried} {victim}" for victim, row in sorted(victims.items()) if row.tried)
        total = joined.setdefault(f"kill -9 {window} ({times})", Findings())
        for row in victims.values():
            total += row
    return joined


MARKS = ("<!-- table: begin -->", "<!-- table: end -->")
"""Between them stands the table in a document."""


def put_into(path: Path, table: str) -> None:
    """Replace the table in a document."""
    before, rest = path.read_text().split(MARKS[0])
    _, after = rest.split(MARKS[1])
    path.write_text(f"{before}{MARKS[0]}\n\n{table}\n\n{MARKS[1]}{after}")


FEWEST = 10
"""Tries below which a bound would say nothing."""


def _line(name: str, row: Findings) -> str:
    counts = [row.lost, row.doubled, row.zombies, row.tracebacks, len(row.others)]
    bound = f"{3 / row.tried:.1%}" if row.tried >= FEWEST and not any(counts) else ""
    return f"| {name} | {row.tried:,} | {' | '.join(map(str, counts))} | {bound} |"


def main() -> int:
    """Run a campaign, or turn its results into a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="campaign")
    parser.add_argument("--only", nargs="*", default=[], choices=list(PLANS), metavar="CASE")
    parser.add_argument("--minutes", type=float, default=20.0, help="no case is begun after that")
    parser.add_argument("--lanes", type=int, default=2, help="cases side by side")
    parser.add_argument("--seed", type=int, default=0, help="of the first run of each case")
    parser.add_argument("--results", type=Path, default=Path("faults.jsonl"), help="lines are added")
    parser.add_argument("--table", action="store_true", help="make the table of the results, run nothing")
    parser.add_argument("--into", type=Path, metavar="FILE", help="put the table into a document")
    arguments = parser.parse_args()
    if not arguments.table:
        arguments.results = arguments.results.resolve()
        server = warm_python.start_server()
        with concurrent.futures.ProcessPoolExecutor(arguments.lanes) as lanes:
            running = [lanes.submit(_lane, n, arguments.lanes, arguments) for n in range(arguments.lanes)]
            folders = [lane.result() for lane in running]
        warm_python.stop(server)
        for folder in folders:
            with contextlib.suppress(OSError):  # a case that failed is in it
                folder.rmdir()
    rows = read_rows(arguments.results)
    if arguments.into:
        put_into(arguments.into, markdown(rows))
    else:
        print(markdown(rows))
    return int(any(row.faults for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
