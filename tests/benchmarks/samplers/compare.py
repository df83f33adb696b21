"""Which sampler finds the good configurations in the fewest trials, on tasks that it was not made for?

Simulates what has no results yet, appends them to ``results/``, and prints the comparison. A search that was
simulated is not simulated again: after a change of a sampler, remove its rows or give ``--label``.

    python tests/benchmarks/samplers/compare.py [--tasks NAME ...] [--searches NAME ...] [--seeds N]
    python tests/benchmarks/samplers/compare.py --print --figure docs/sampler-comparison.svg
"""

import os

if __name__ == "__main__":  # before numpy is loaded; tests import this module and keep their surroundings
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import logging
import warnings
from pathlib import Path

import optuna

from tests.benchmarks.samplers.figure import write_figure
from tests.benchmarks.samplers.report import by_task, incomplete, summary
from tests.benchmarks.samplers.results import Result, append, kept, missing, read
from tests.benchmarks.samplers.searches import SEARCHES, Search
from tests.benchmarks.samplers.simulate import simulate
from tests.benchmarks.samplers.task import Task
from tests.benchmarks.samplers.tasks import TASKS, chosen

HERE = Path(__file__).parent


def run(path: Path, task: Task, name: str, search: Search, *, seeds: int, trials: int) -> None:
    """Simulate a search's missing seeds on one task and append them to the task's file."""
    for seed in missing(read(path).get(name, []), seeds, trials):
        outcome = simulate(task, search.make, seed, trials=trials, workers=search.workers)
        append(path, [kept(name, seed, outcome)])


def run_all(arguments: argparse.Namespace) -> None:
    """Simulate what is asked for; a peer that fails is reported and the others go on."""
    loaded: dict[str, Task] = {}
    for search_name in arguments.searches:
        search = SEARCHES[search_name]
        if not search.is_installed:
            print(f"{search_name}: {search.needs} is not installed; left out", flush=True)
            continue
        for task_name in arguments.tasks:
            task = loaded.get(task_name) or loaded.setdefault(task_name, TASKS[task_name]())
            if search.applies(task.space):
                _run_or_tell(arguments, task_name, task, search_name, search)


def _run_or_tell(
    arguments: argparse.Namespace, task_name: str, task: Task, search_name: str, search: Search
) -> None:
    name = f"{search_name} {arguments.label}".strip()
    seeds, trials = arguments.seeds or search.seeds, arguments.trials or search.trials
    try:
        run(arguments.results / f"{task_name}.csv", task, name, search, seeds=seeds, trials=trials)
    except Exception as error:  # noqa: BLE001  a library of others may fail in any way
        print(f"{name} on {task_name}: {type(error).__name__}: {error}", flush=True)


def read_all(folder: Path, tasks: list[str]) -> dict[str, dict[str, list[Result]]]:
    """Return the results of tasks that have any."""
    found = {task: read(folder / f"{task}.csv") for task in tasks}
    return {task: searches for task, searches in found.items() if searches}


def main() -> None:
    """Simulate what is missing; print the tables; draw the figure."""
    arguments = _arguments()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if not arguments.print:
        run_all(arguments)
    results = read_all(arguments.results, arguments.tasks)
    if not results:
        raise SystemExit("no results yet")
    print(summary(results), incomplete(results), *(by_task(results, task) for task in results), sep="\n\n")
    if arguments.figure:
        write_figure(arguments.figure, results)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="*", choices=list(TASKS), metavar="NAME", default=[])
    parser.add_argument(
        "--searches", nargs="*", choices=list(SEARCHES), metavar="NAME", default=list(SEARCHES)
    )
    parser.add_argument("--seeds", type=int, help="repeats of each search, by default 30 or 10 for slow ones")
    parser.add_argument(
        "--trials", type=int, help="trials of each repeat, by default 100 or 50 for slow ones"
    )
    parser.add_argument("--held-out", action="store_true", help="the held-out tasks, for finished samplers")
    parser.add_argument("--label", default="", help="kept with the names of the searches, as gp_cost LABEL")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="folder of the results")
    parser.add_argument("--print", action="store_true", help="only print what was simulated before")
    parser.add_argument("--figure", type=Path, help="where the figure is written, an SVG file")
    arguments = parser.parse_args()
    arguments.tasks = chosen(arguments.tasks, arguments.held_out)
    return arguments


if __name__ == "__main__":
    main()
