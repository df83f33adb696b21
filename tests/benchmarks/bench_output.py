"""How much of a core does reading a million lines a second of a command's output cost?

    python tests/benchmarks/bench_output.py

Measured on one shared core, Python 3.11, pieces of 64 KiB, seconds of CPU for a million lines:

    other text                                0.13
    1 line in 1,000 has the metric            0.13
    1 line in 10 has the metric               0.92
    every line has the metric                 8.3
    every line has the metric and a step     10.9
    coloured progress bars, no newline        1.1
    other text, read = pattern                1.9
"""

import re
import time

from sweep.trainers.command.output import MetricReader

N_LINES = 1_000_000
CHUNK = 1 << 16

OTHER = b"2026-01-01 12:00:00 INFO worker 3: batch %07d done in 12 ms\n"
METRIC = b"step %07d: train loss 1.9654, val loss 2.0123\n"
BARS = b"\x1b[32m%07d/1000000\x1b[0m [00:01<00:00, 83.10it/s, v_num=0]\r"


def text(form: bytes, every: int = 0) -> bytes:
    """Return a million lines, every so many of them with the metric."""
    return b"".join(METRIC % i if every and i % every == 0 else form % i for i in range(N_LINES))


def seconds(output: bytes, reader: MetricReader) -> float:
    """Return the CPU time that a reader needs for some output."""
    before = time.process_time()
    for start in range(0, len(output), CHUNK):
        reader.feed(output[start : start + CHUNK])
    return time.process_time() - before


def main() -> None:
    """Print one line a case."""
    cases = {
        "other text": (text(OTHER), {}),
        "1 line in 1,000 has the metric": (text(OTHER, every=1000), {}),
        "1 line in 10 has the metric": (text(OTHER, every=10), {}),
        "every line has the metric": (text(METRIC), {}),
        "every line has the metric and a step": (text(METRIC), {"step": "step"}),
        "coloured progress bars, no newline": (text(BARS), {}),
        "other text, read = pattern": (text(OTHER), {"read": re.compile(r"val loss (?P<value>\S+)")}),
    }
    for name, (output, settings) in cases.items():
        print(f"{name:40} {seconds(output, MetricReader(['val loss'], **settings)):7.3f} s")


if __name__ == "__main__":
    main()
