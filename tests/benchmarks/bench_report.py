"""What does one ``report`` cost the training that calls it, in microseconds of its processor time?

A function in its host, read by a worker that does nothing else, and a script that appends to a file.

    python tests/benchmarks/bench_report.py [--reports 50000] [--json]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sweep.trainers.function.hosted import Host, TrialStart
from sweep.trainers.program.reports import Ended

LOOP = """
import time
import sweep

def train(config):
    return spend(config.reports)

def spend(reports):
    start = time.process_time()
    for step in range(1, reports + 1):
        sweep.report(0.5, step=step, accuracy=0.9)
    return (time.process_time() - start) / reports * 1e6

if __name__ == "__main__":
    import sys
    print(spend(int(sys.argv[1])))
"""


def in_host(folder: Path, reports: int) -> float:
    """Return microseconds a report of a function."""
    host = Host("loop:train", metrics=["us"], folder=folder, cwd=folder)
    start = TrialStart(
        parameters={"reports": reports}, searched=[], seed=1, dir=str(folder), checkpoint=str(folder)
    )
    with open(os.devnull, "w") as null:
        program = host.begin(start, stdout=null.fileno(), stderr=null.fileno())
    while not isinstance(event := program.next(60), Ended):
        pass
    host.close()
    assert event.values is not None, event.fault
    return event.values["value"]


def in_script(folder: Path, reports: int) -> float:
    """Return microseconds a report of a script."""
    environment = {**os.environ, "SWEEP_REPORT": str(folder / "reports.jsonl")}
    argv = [sys.executable, str(folder / "loop.py"), str(reports)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Measure both and print them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reports", type=int, default=50_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "loop.py").write_text(LOOP)
        found = {
            "function": in_host(folder, arguments.reports),
            "script": in_script(folder, arguments.reports),
        }
    if arguments.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name:8}  {spent:6.1f} us of CPU a report" for name, spent in found.items()))


if __name__ == "__main__":
    main()
