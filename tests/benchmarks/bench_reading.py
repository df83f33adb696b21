"""What do the commands that read cost, in seconds of processor time, beside ``optuna trials``?

Studies of 40, 1,000 and 5,000 trials are made, and a database of 200 studies. Each has one trained model;
the other trials are written as a run writes them. Then whole commands are run, one after the other, and the
median is printed. With ``--against CHECKOUT`` each is run in turn with the commands of another checkout.

    python tests/benchmarks/bench_reading.py [--repeats 5] [--against CHECKOUT] [--most 5000] [--json]
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sweep.definition.records import SegmentRecord, TrialRecord
from sweep.definition.spec import StudySpec
from sweep.definition.study_file import load_study_file
from sweep.execution.run import run_study
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from sweep.storage.study_store import open_study
from sweep.storage.study_writer import StudyWriter
from sweep.trainers.mlp.trainer import MLP

REPOSITORY = Path(__file__).resolve().parents[2]
SIZES = (40, 1_000, 5_000)
STUDIES = 200
TRIALS_OF_EACH = 10

STUDY = """
goal = "What does reading cost?"
name = "{name}"
sampler = "random"
trials = {trials}

[data]
words = "{words}"

[fixed]
num_steps = 200

[search]
block_size = {{ low = 2, high = 6 }}
embedding_dim = {{ low = 2, high = 24 }}
hidden_neurons = {{ low = 20, high = 300, log = true }}
batch_size = {{ choices = [16, 32, 64] }}
learning_rate = {{ low = 0.01, high = 1.0, log = true }}
"""

Seconds = Callable[[list[str]], float]


def make_study(folder: Path, name: str, trials: int, database: Database, data: Any) -> None:
    """Train one trial of a study and write the others, all of them worse."""
    spec = study_of(folder, name, trials)
    run_study(MLP, spec.replace(trials=1), database, data=data)
    with writing(database, spec, data) as writer:
        first = load_study(database.open_read_only(), name).trials[0]
        for number in range(1, trials):
            write_trial(writer, spec, first, number, trials)


def make_many(folder: Path, database: Database, first: TrialRecord, data: Any) -> None:
    """Write many small studies; nothing of them is trained."""
    for place in range(STUDIES):
        spec = study_of(folder, f"many-{place}", TRIALS_OF_EACH)
        with writing(database, spec, data) as writer:
            for number in range(TRIALS_OF_EACH):
                write_trial(writer, spec, first, number, TRIALS_OF_EACH)


def study_of(folder: Path, name: str, trials: int) -> StudySpec:
    """Return a study whose file is in a folder."""
    path = folder / f"{name}.toml"
    path.write_text(STUDY.format(name=name, trials=trials, words=REPOSITORY / "data" / "names.txt"))
    return load_study_file(path)


@contextlib.contextmanager
def writing(database: Database, spec: StudySpec, data: Any) -> Iterator[StudyWriter]:
    """Write trials of a study in one transaction."""
    storage = database.open_for_writing()
    with database.driver_lock(spec.name):
        writer = open_study(storage, spec, MLP, data)
        with writer.one_transaction():
            yield writer
    storage.engine.dispose()


def write_trial(writer: StudyWriter, spec: StudySpec, first: TrialRecord, number: int, trials: int) -> None:
    """Write a complete trial with three rungs, or every ninth as pruned at its first."""
    params = spec.space.point_at((number * 0.618) % 1)
    ended = "pruned" if number % 9 == 0 else "complete"
    assert first.dev_loss is not None
    loss = first.dev_loss + 0.01 + number * 37 % trials / trials
    percents = (10,) if ended == "pruned" else (10, 30, 90)
    segments = [
        SegmentRecord(
            step=2 * percent,
            percent=percent,
            dev_loss=loss + 0.5,
            seconds=0.25,
            state_sha256=f"{number:064x}",
        )
        for percent in percents
    ]
    if ended == "complete":
        last = SegmentRecord(
            step=200, percent=None, dev_loss=loss, seconds=0.25, state_sha256=f"{number:064x}"
        )
        segments.append(last)
    seed, reason = 1_000 + number, "pruned at 10 %" if ended == "pruned" else None
    origin = {"engine": first.engine, "device": first.device}
    trial_id = writer.claim(params, spec.space, seed, first.facts, {**origin, "owner": "bench"})
    record = TrialRecord(
        number=number,
        state=ended,
        params=params,
        seed=seed,
        dev_loss=loss if ended == "complete" else None,
        segments=tuple(segments),
        reason=reason,
        facts=first.facts,
        started=None,
        ended=None,
        **origin,
    )
    writer.store_segments(trial_id, segments)
    writer.end(trial_id, ended, seconds=1.0, dev_loss=record.dev_loss, reason=reason, seal=record.seal())


def seconds_of(program: list[str], folder: Path, checkout: Path) -> float:
    """Run a command to its end and return its processor seconds, those of its children included."""
    variables = {"PYTHONPATH": str(checkout), "SWEEP_LEDGER": str(folder / "ledger.jsonl")}
    with subprocess.Popen(
        program,
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(program)}: {said.decode()}")
    return used.ru_utime + used.ru_stime


def commands(sizes: list[int]) -> Iterator[tuple[str, list[str]]]:
    """Yield what is measured: its name and the command."""
    sweep = [sys.executable, "-m", "sweep"]
    for size in sizes:
        url = f"sqlite:///{size}.db"
        name = f"bench-{size}"
        optuna = [str(Path(sys.executable).with_name("optuna")), "trials"]
        yield f"optuna trials, {size:,} trials", [*optuna, "--study-name", name, "--storage", url]
        yield f"table, {size:,} trials", [*sweep, "table", name, "--storage", url]
        yield f"list, {size:,} trials", [*sweep, "list", "--storage", url]
        yield f"report, {size:,} trials", [*sweep, "report", name, "--storage", url]
        yield f"run, finished, {size:,} trials", [*sweep, "run", f"{name}.toml", "--storage", url]
    yield f"list, {STUDIES} studies", [*sweep, "list", "--storage", "sqlite:///many.db"]


def make_all(folder: Path, sizes: list[int]) -> None:
    """Make the studies; each is run once more, so that its notes and figures are stored."""
    data = MLP.load_data({"words": str(REPOSITORY / "data" / "names.txt")})
    for size in sizes:
        database = Database(f"sqlite:///{folder}/{size}.db")
        make_study(folder, f"bench-{size}", size, database, data)
        arguments = ["run", f"bench-{size}.toml", "--storage", f"sqlite:///{size}.db"]
        seconds_of([sys.executable, "-m", "sweep", *arguments], folder, REPOSITORY)
    first = load_study(database.open_read_only(), f"bench-{size}").trials[0]
    make_many(folder, Database(f"sqlite:///{folder}/many.db"), first, data)


def measure(folder: Path, sizes: list[int], checkouts: list[Path], repeats: int) -> list[dict[str, Any]]:
    """Return the median of each command by checkout; the checkouts take turns."""
    found = []
    for name, command in commands(sizes):
        runs: dict[str, list[float]] = {str(checkout): [] for checkout in checkouts}
        for _ in range(repeats):
            for checkout in checkouts:
                runs[str(checkout)].append(seconds_of(command, folder, checkout))
        found.append({"command": name, "seconds": [statistics.median(each) for each in runs.values()]})
    return found


def print_table(found: list[dict[str, Any]]) -> None:
    """Print a line a command; with two checkouts also the ratio of the second to the first."""
    for row in found:
        seconds = "".join(f"{each:9.2f}" for each in row["seconds"])
        first, *others = row["seconds"]
        ratios = "".join(f"{other / first:8.1f} times" for other in others)
        print(f"{row['command']:<32}{seconds}{ratios}")


def main() -> None:
    """Make the studies, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--against", type=Path, help="another checkout, run in turn with this one")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="trials of the largest study")
    parser.add_argument("--folder", type=Path, help="keep the studies here and use those that are there")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    sizes = [size for size in SIZES if size <= arguments.most]
    checkouts = [REPOSITORY, *([arguments.against.resolve()] if arguments.against else [])]
    with contextlib.ExitStack() as stack:
        folder = arguments.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if not (folder / "many.db").exists():
            folder.mkdir(parents=True, exist_ok=True)
            make_all(folder, sizes)
        found = measure(folder, sizes, checkouts, arguments.repeats)
    if arguments.json:
        print(json.dumps(found))
    else:
        print("processor seconds of whole commands, median; here" + (", there" if arguments.against else ""))
        print_table(found)


if __name__ == "__main__":
    main()
