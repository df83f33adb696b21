"""What does a supervised command cost beyond its own start and end?

Starts ``true`` in turns: by ``subprocess`` alone, under a supervisor with both outputs captured, and, to see
how busy the machine is, an isolated Python that does nothing. Waits for each end. The target is at most
50 ms a command beyond the bare start. On a busy machine the processor time is the better figure.

    python tests/benchmarks/bench_program.py [--rounds 60] [--json]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sweep.trainers.program.process.capture import Capture
from sweep.trainers.program.process.supervised import Supervised

TARGET_MS = 50


def bare(folder: Path) -> None:
    """Start the command and wait for it."""
    with open(folder / "out", "wb") as out:
        subprocess.run(["true"], cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True)


def supervised(folder: Path) -> None:
    """Do the same under a supervisor."""
    stdout, stderr = Capture(folder / "stdout"), Capture(folder / "stderr")
    process = Supervised(
        ["true"], cwd=folder, env=dict(os.environ), grace=1, stdout=stdout.fd, stderr=stderr.fd
    )
    stdout.begin()
    stderr.begin()
    assert process.wait(60) is not None
    stdout.close()
    stderr.close()


def python(folder: Path) -> None:
    """Start an interpreter that does nothing, as the supervisor's own start does at least."""
    subprocess.run([sys.executable, "-I", "-S", "-c", ""], cwd=folder, check=True)


def milliseconds(run: Callable[[Path], None], folder: Path) -> tuple[float, float]:
    """Return the time and the processor time that one start takes, of all its processes."""
    started, used = time.perf_counter(), processor_seconds()
    run(folder)
    return 1000 * (time.perf_counter() - started), 1000 * (processor_seconds() - used)


def processor_seconds() -> float:
    """Return what this process and its ended children have used."""
    return sum(os.times()[:4])


def main() -> None:
    """Run the rounds and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    kinds = [bare, supervised, python]
    took: dict[str, list[tuple[float, float]]] = {run.__name__: [] for run in kinds}
    with tempfile.TemporaryDirectory() as name:
        for number in range(arguments.rounds + 1):
            for run in kinds[number % 3 :] + kinds[: number % 3]:
                took[run.__name__].append(milliseconds(run, Path(name)))
    figures = {}
    for kind in ("supervised", "python"):
        more = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(took["bare"], took[kind], strict=True)][1:]
        figures[f"{kind}_ms"] = statistics.median(time for time, _ in more)
        figures[f"{kind}_processor_ms"] = statistics.fmean(used for _, used in more)
    if arguments.json:
        print(json.dumps(figures))
        return
    print("beyond a bare start:")
    for label, value in figures.items():
        print(f"  {label:24} {value:7.1f}")
    print(f"target: at most {TARGET_MS} ms; {'met' if figures['supervised_ms'] <= TARGET_MS else 'missed'}")


if __name__ == "__main__":
    main()
