"""A driver of a shared toy study in a process of its own.

    python -m tests.support.toy_driver URL FILES TRIALS WORKERS LEASE_S SEGMENT_S

It prints the numbers of the trials that ended here.
"""

import sys

from sweep.execution.events import Event, TrialEnded, Warned
from sweep.execution.how import How
from sweep.execution.run import run_study
from sweep.storage import leases
from sweep.storage.database import Database


def main() -> None:
    from tests.support.toy_runs import toy_study
    from tests.support.toy_task import ToyTask

    url, files, trials, workers, lease_s, segment_s = sys.argv[1:]
    leases.LEASE_S = float(lease_s)

    def observe(event: Event) -> None:
        if isinstance(event, TrialEnded):
            print(event.trial.number, flush=True)
        if isinstance(event, Warned):
            print(event.text, file=sys.stderr, flush=True)

    spec = toy_study(trials=int(trials), keep=5)
    task = ToyTask(segment_s=float(segment_s))
    run_study(task, spec, Database(url, files), how=How(workers=int(workers), observe=observe))


if __name__ == "__main__":
    main()
