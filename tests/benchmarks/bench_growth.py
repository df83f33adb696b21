"""How do the costs of a study grow with its trials?

Studies of 100, 1,000 and 10,000 trials are written as a run writes them, with the files that a run leaves,
one of their trials trained. ``ADDED`` tiny trials more are trained, and it is measured what the driver
needs for each: to claim it, to store it, and in all. Then whole commands are run: a run that trains one more
trial, one that trains none, the table, and the report; and what the dashboard shows is stored anew.
Times are seconds of processor time, children included, medians; memory is the most that a process had, MB.

Results are kept in a JSON file after each measurement, and what is there is not measured again.

    python tests/benchmarks/bench_growth.py RESULTS.json [--sizes 100 1000 10000] [--repeats 5]
        [--checkout FOLDER] [--folder STUDIES] [--figure FILE.svg]
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SIZES = (100, 1_000, 10_000)
ADDED = 20
"""Trials that are trained in one run to measure what one costs the driver."""

NAME = "growth"
TITLE = "Processor seconds of a step, by the trials of its study"
STEPS = ("claim", "store", "trial", "one more", "finished run", "table", "report", "notes")
"""What is measured, in seconds of processor time."""

STUDY = """
goal = "How do costs grow?"
name = "growth"
sampler = "random"
trials = {trials}

[data]
words = "{words}"

[fixed]
num_steps = 10
block_size = 2
embedding_dim = 2
hidden_neurons = 4

[search]
batch_size = {{ choices = [16, 32, 64] }}
learning_rate = {{ low = 0.01, high = 1.0, log = true }}
"""

COMMAND = """
import json, os, resource, sys
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
from sweep.cli import main
status = main(sys.argv[2:])
own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
seconds = sum(used.ru_utime + used.ru_stime for used in (own, others))
found = {"seconds": seconds, "driver_mb": own.ru_maxrss / 1024, "worker_mb": others.ru_maxrss / 1024}
open(sys.argv[1], "w").write(json.dumps(found))
sys.exit(status)
"""
"""Runs a command and writes what it used."""

TRIALS = """
import json, statistics, sys, time
from sweep.definition.study_file import load_study_file
from sweep.execution.events import SegmentStored, TrialEnded, TrialStarted
from sweep.execution.how import How
from sweep.execution.run import run_study
from sweep.storage.database import Database
from sweep.trainers.mlp.trainer import MLP
marks = {TrialStarted: [], SegmentStored: [], TrialEnded: []}
def observe(event):
    if type(event) in marks:
        marks[type(event)].append(time.process_time())
spec = load_study_file("growth.toml").replace(trials=int(sys.argv[2]))
run_study(MLP, spec, Database("sqlite:///growth.db"), How(workers=1, device="cpu", observe=observe))
started, stored, ended = marks.values()
claims = [begin - end for begin, end in zip(started[1:], ended)]
stores = [end - begin for begin, end in zip(started[1:], ended[1:])]
whole = [after - before for before, after in zip(ended, ended[1:])]
found = {"claim": claims, "store": stores, "trial": whole}
open(sys.argv[1], "w").write(json.dumps({name: statistics.median(each) for name, each in found.items()}))
"""
"""Trains trials and writes what the driver needed for each, the first of a run apart."""

NOTES = """
import json, sys, time
from sweep.reporting.evidence import gather_evidence
from sweep.reporting.publish import publish
from sweep.storage.database import Database
from sweep.storage.database.optuna_schema import STUDY_HIDDEN
database = Database("sqlite:///growth.db")
with database.open_for_writing().engine.begin() as connection:
    connection.execute(STUDY_HIDDEN.delete().where(STUDY_HIDDEN.c.key.like("dashboard:%")))
started = time.process_time()
publish(gather_evidence("growth", database), database)
open(sys.argv[1], "w").write(json.dumps({"notes": time.process_time() - started}))
"""
"""Stores anew what the dashboard shows, and writes what that took."""


class Growth:
    """The measurements of one checkout, kept in a file."""

    def __init__(self, results: Path, checkout: Path, folder: Path, repeats: int) -> None:
        """Measure ``checkout`` on copies of the studies in ``folder``."""
        self._path, self._checkout, self._folder, self._repeats = results, checkout, folder, repeats
        head = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
        self._key = subprocess.run(head, capture_output=True, text=True, check=True).stdout.strip()
        self.rows: dict[str, dict[str, float]] = (
            json.loads(results.read_text()).get(self._key, {}) if results.exists() else {}
        )

    def measure(self, size: int) -> None:
        """Measure what is not known yet of a size, and keep it."""
        row = self.rows.setdefault(str(size), {})
        with tempfile.TemporaryDirectory() as place:
            copy = Path(place, "study")
            shutil.copytree(self._folder / str(size), copy)
            for names, found in self._measurements(copy, size):
                if not set(names) <= row.keys():
                    row.update(self._median(found))
                    self._keep()

    def _measurements(
        self, copy: Path, size: int
    ) -> list[tuple[tuple[str, ...], Callable[[int], dict[str, float]]]]:
        """Return the names of each measurement, and how its n-th repeat is made, in their order."""
        total = size + ADDED * self._repeats

        def run(more: int) -> dict[str, float]:
            return self._command(copy, "run", f"{NAME}.toml", "--trials", str(total + more), "--workers", "1")

        def one_more(n: int) -> dict[str, float]:
            found = run(n + 1)
            return {"one more": found["seconds"], **{key: found[key] for key in ("driver_mb", "worker_mb")}}

        return [
            (("claim", "store", "trial"), lambda n: self._script(copy, TRIALS, str(size + ADDED * (n + 1)))),
            (("one more", "driver_mb", "worker_mb"), one_more),
            (("finished run",), lambda _: {"finished run": run(self._repeats)["seconds"]}),
            (("table",), lambda _: {"table": self._command(copy, "table", NAME)["seconds"]}),
            (("report",), lambda _: {"report": self._command(copy, "report", NAME)["seconds"]}),
            (("notes",), lambda _: self._script(copy, NOTES)),
        ]

    def _median(self, found: Callable[[int], dict[str, float]]) -> dict[str, float]:
        repeats = [found(n) for n in range(self._repeats)]
        return {name: statistics.median(each[name] for each in repeats) for name in repeats[0]}

    def _command(self, copy: Path, command: str, study: str, *options: str) -> dict[str, float]:
        return self._script(copy, COMMAND, command, study, *options, "--storage", f"sqlite:///{NAME}.db")

    def _script(self, copy: Path, script: str, *arguments: str) -> dict[str, float]:
        """Run a script of a process of its own, and return what it found."""
        result = copy / "found.json"
        variables = {"PYTHONPATH": str(self._checkout), "SWEEP_LEDGER": str(copy / "ledger.jsonl")}
        done = subprocess.run(
            [sys.executable, "-c", script, str(result), *arguments],
            cwd=copy,
            env={**os.environ, **variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        found: dict[str, float] = json.loads(result.read_text())
        return found

    def _keep(self) -> None:
        every = json.loads(self._path.read_text()) if self._path.exists() else {}
        self._path.write_text(json.dumps({**every, self._key: self.rows}, indent=1) + "\n")


def make_study(folder: Path, size: int) -> None:
    """Write a study: one trial is trained, and the files of the others are copies of its files."""
    from bench_reading import write_trial, writing

    from sweep.definition.study_file import load_study_file
    from sweep.execution.how import How
    from sweep.execution.run import run_study
    from sweep.storage.database import Database
    from sweep.storage.study_reader import load_study
    from sweep.trainers.mlp.trainer import MLP

    folder.mkdir(parents=True)
    words = REPOSITORY / "data" / "names.txt"
    (folder / f"{NAME}.toml").write_text(STUDY.format(trials=size, words=words))
    spec, data = load_study_file(folder / f"{NAME}.toml"), MLP.load_data({"words": str(words)})
    database = Database(f"sqlite:///{folder}/{NAME}.db")
    run_study(MLP, spec.replace(trials=1), database, How(workers=1, device="cpu"), data=data)
    files = folder / f"{NAME}.db.d" / NAME
    with writing(database, spec, data) as writer:
        first = load_study(database.open_read_only(), NAME).trials[0]
        for number in range(1, size):
            write_trial(writer, spec, first, number, size)
            (files / f"{number:06d}").mkdir()
            shutil.copy(files / "000000" / "curve.safetensors", files / f"{number:06d}")


def print_table(rows: dict[str, dict[str, float]]) -> None:
    """Print a line for each measured step, a column for each size."""
    print(f"{'processor seconds':<20}" + "".join(f"{int(size):>12,}" for size in rows))
    for name in STEPS:
        print(f"{name:<20}" + "".join(f"{row.get(name, float('nan')):>12.4g}" for row in rows.values()))
    for name in ("driver_mb", "worker_mb"):
        print(f"{name:<20}" + "".join(f"{row.get(name, float('nan')):>12.0f}" for row in rows.values()))


WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 60, 110, 30, 40
"""Of the figure and its margins, pixels."""


def draw(rows: dict[str, dict[str, float]]) -> str:
    """Return a figure as SVG: seconds over trials, both logarithmic, a line for each step."""
    sizes = [int(size) for size in rows]
    lines = {name: [row[name] for row in rows.values()] for name in STEPS}
    lowest = math.floor(math.log10(min(map(min, lines.values()))))
    highest = math.ceil(math.log10(max(map(max, lines.values()))))

    def x(size: float) -> float:
        return LEFT + math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0]) * (WIDTH - LEFT - RIGHT)

    def y(seconds: float) -> float:
        share = (math.log10(seconds) - lowest) / (highest - lowest)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [f'<text x="8" y="18">{TITLE}</text>']
    parts += [
        f'<text x="{x(size):.0f}" y="{HEIGHT - 15}" text-anchor="middle">{size:,}</text>' for size in sizes
    ]
    for power in range(lowest, highest + 1):
        at = y(10.0**power)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    for seconds in lines.values():
        points = " ".join(f"{x(size):.1f},{y(each):.1f}" for size, each in zip(sizes, seconds, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="#1f77b4" stroke-width="1.5"/>')
    ends = {name: y(seconds[-1]) for name, seconds in lines.items()}
    for name, at in apart(ends).items():
        parts.append(
            f'<path d="M{WIDTH - RIGHT} {ends[name]:.1f}L{WIDTH - RIGHT + 14} {at:.1f}" stroke="#999"/>'
        )
        parts.append(f'<text x="{WIDTH - RIGHT + 18}" y="{at + 4:.1f}">{name}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
    style = f'aria-label="{TITLE}" font-family="sans-serif" font-size="12">'
    return "\n".join([head + style, *parts, "</svg>"]) + "\n"


def apart(places: dict[str, float], gap: float = 14) -> dict[str, float]:
    """Return heights for labels in the order of their places, moved down until none covers another."""
    moved: dict[str, float] = {}
    last = -gap
    for name, place in sorted(places.items(), key=lambda each: each[1]):
        last = moved[name] = max(place, last + gap)
    return moved


def main() -> None:
    """Make the studies, measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path, help="a JSON file; what it holds is not measured again")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--checkout", type=Path, default=REPOSITORY, help="whose commands are measured")
    parser.add_argument("--folder", type=Path, help="keep the studies here and use those that are there")
    parser.add_argument("--figure", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = arguments.folder or Path(place)
        growth = Growth(arguments.results, arguments.checkout.resolve(), folder, arguments.repeats)
        for size in arguments.sizes:
            if not (folder / str(size)).exists():
                make_study(folder / str(size), size)
            growth.measure(size)
    print_table(growth.rows)
    if arguments.figure:
        arguments.figure.write_text(draw(growth.rows))


if __name__ == "__main__":
    main()
