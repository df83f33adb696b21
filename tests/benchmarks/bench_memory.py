"""Peak memory: the estimate beside what processes took, and a whole run on a list of many symbols.

    python tests/benchmarks/bench_memory.py
    python tests/benchmarks/bench_memory.py --words FILE --workers 2 [--limit-gb 1.5]

The first form trains each of ``SHAPES`` in a process of its own, as a worker does, and ends with status 1 if
an estimate is off by more than ``FACTOR``. The second runs a small study on a words file in a temporary
folder and prints the peak resident size of each process; jieba's 349,046 words of 12,046 symbols are the
first column of ``dict.txt`` in the source distribution of jieba 0.42.1 on PyPI.
"""

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.corpus import Corpus, load_corpus

FACTOR = 1.5
"""Within which the estimate is of the measured peak."""

NAMES = 27
"""Symbols of ``data/names.txt``."""

SHAPES = {
    "names": (NAMES, {}),
    "names, wide": (NAMES, {"block_size": 8, "embedding_dim": 64, "hidden_neurons": 8_192}),
    "names, wide, momentum": (NAMES, {"hidden_neurons": 65_536, "embedding_dim": 64, "momentum": 0.9}),
    "names, large batches": (NAMES, {"batch_size": 16_384, "hidden_neurons": 2_048}),
    "many symbols": (12_000, {}),
    "many symbols, wide": (12_000, {"hidden_neurons": 2_048}),
    "long contexts": (3_000, {"block_size": 200, "hidden_neurons": 64}),
}
"""Name -> symbols, and what differs from the defaults."""

STUDY = """
goal = "Peak memory on a list of many symbols"
sampler = "grid"
trials = 2
[data]
words = "words.txt"
[fixed]
num_steps = 1000
hidden_neurons = 200
[search]
block_size = { choices = [2, 3] }
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--words", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limit-gb", type=float, default=1.5)
    parser.add_argument("--shape", choices=SHAPES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.shape:
        return train_alone(arguments.shape)
    if arguments.words:
        return run_study(arguments.words, arguments.workers, arguments.limit_gb)
    return compare()


def compare() -> int:
    """Print the estimate and the peak of each shape."""
    worst = 1.0
    print(f"{'shape':<24}{'estimate MB':>12}{'peak MB':>10}{'ratio':>8}")
    for name in SHAPES:
        command = [sys.executable, __file__, "--shape", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        estimate, peak = map(int, done.stdout.split())
        worst = max(worst, estimate / peak, peak / estimate)
        print(f"{name:<24}{estimate / 1e6:>12.0f}{peak / 1e6:>10.0f}{estimate / peak:>8.2f}", flush=True)
    print(f"the estimate is within a factor of {worst:.2f}; it must be within {FACTOR:g}")
    return int(worst > FACTOR)


def train_alone(shape: str) -> int:
    """Do what a worker does, two segments long; print the estimate and this process's peak."""
    symbols, changes = SHAPES[shape]
    config, data = TrainConfig(num_steps=20, **changes), corpus_of(symbols)
    place = {"engine": "fused", "device": "cpu"}
    MLP.prepare_worker(data, **place)
    first = pickle.dumps(MLP.train_segment(config, data, None, 10, averaged=True, **place))
    state = pickle.loads(first).state  # noqa: S301  made above
    del first
    pickle.dumps(MLP.train_segment(config, data, state, 20, averaged=True, **place))
    print(MLP.memory(config, data, device="cpu"), peak_of(os.getpid()))
    return 0


def corpus_of(symbols: int) -> Corpus:
    """Return the names, or 100,000 words of three letters over so many symbols, the end mark included."""
    if symbols == NAMES:
        return load_corpus(Path(__file__).parents[2] / "data" / "names.txt")
    n = symbols - 1
    words = ("".join(chr(0x4E00 + k * factor % n) for factor in (1, 7, 31)) for k in range(100_000))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "words.txt")
        path.write_text("\n".join(words))
        return load_corpus(path)


def run_study(words: Path, workers: int, limit_gb: float) -> int:
    """Run a study and watch the peak of each of its processes."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "words.txt").write_bytes(words.read_bytes())
        Path(folder, "memory.toml").write_text(STUDY)
        command = [sys.executable, "-m", "sweep", "run", "memory.toml", "--workers", str(workers)]
        command += ["--storage", "sqlite:///sweep.db"]
        started, run = time.monotonic(), subprocess.Popen(command, cwd=folder)
        peaks: dict[int, int] = {}
        while run.poll() is None:
            for pid in descendants(run.pid):
                peaks[pid] = max(peaks.get(pid, 0), peak_of(pid))
            time.sleep(0.1)
    for pid, peak in peaks.items():
        print(f"{'driver' if pid == run.pid else 'other'} {pid}: peak {peak / 1e9:.2f} GB")
    most = max(peaks.values()) / 1e9
    print(f"{time.monotonic() - started:.0f} s, status {run.returncode}, largest process {most:.2f} GB")
    return int(run.returncode != 0 or most > limit_gb)


def descendants(pid: int) -> list[int]:
    """Return a process and all below it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(below for child in children for below in descendants(int(child)))]


def peak_of(pid: int) -> int:
    """Return the largest resident size that a process had, in bytes; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


if __name__ == "__main__":
    sys.exit(main())
