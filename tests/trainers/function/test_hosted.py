"""One process for many trials: when it is kept, when it is replaced, and what each trial finds in it."""

import os
import signal
from pathlib import Path

import pytest

from sweep.errors import NotFoundError
from sweep.trainers.function.hosted import Host, TrialStart
from sweep.trainers.program.reports import Ended
from tests.support.hosted_functions import Functions, next_event

PID = """
    import os

    def train(config, report):
        report(os.getpid())
        if config.seed == 13:
            raise ValueError("unlucky")
        return os.getpid()
"""


@pytest.fixture
def functions(tmp_path: Path) -> Functions:
    return Functions(tmp_path)


def process_of(functions: Functions, host: Host, **changes) -> float:
    """Return the process that ran a trial."""
    return functions.train(host, **changes).reports[0].values["value"]


def test_trials_share_a_process_until_one_fails(functions: Functions) -> None:
    """Three good trials have one process, the one after a failed trial has another."""
    functions.write(PID)
    with functions.host() as host:
        pids = [process_of(functions, host, seed=seed) for seed in (1, 2, 13, 3, 4)]
    assert pids[0] == pids[1] == pids[2] != pids[3] == pids[4]


def test_each_trial_has_a_new_process_if_that_is_asked_for(functions: Functions) -> None:
    """As between trials on a GPU."""
    functions.write(PID)
    with functions.host(fresh=True) as host:
        assert len({process_of(functions, host) for _ in range(3)}) == 3


@pytest.mark.parametrize("pruned", [True, False])
def test_the_process_of_a_trial_that_was_ended_is_gone(functions: Functions, pruned: bool) -> None:
    """The process has ended when ``stop`` returns; the next trial has another."""
    functions.write(PID)
    with functions.host() as host:
        program, _ = functions.begin(host, until=1)
        pid = int(next_event(program).values["value"])  # type: ignore[union-attr,index]
        program.stop(pruned=pruned)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        program.stop()
        program.go_on()
        assert process_of(functions, host) != pid


def test_a_process_that_has_grown_is_replaced(functions: Functions) -> None:
    """The second trial keeps memory, more than half of what the process held after the first."""
    functions.write("""
        import os
        kept = []

        def train(config, report):
            report(os.getpid())
            if config.grows:
                kept.append(b"x" * (200 << 20))
            return len(kept)
    """)
    with functions.host() as host:
        pids = [
            process_of(functions, host, parameters={"grows": grows}) for grows in (False, False, True, False)
        ]
    assert pids[0] == pids[1] == pids[2] != pids[3]


def test_a_process_that_was_killed_while_idle_is_replaced(functions: Functions) -> None:
    """The next trial does not pay for it."""
    functions.write(PID)
    with functions.host() as host:
        pid = int(process_of(functions, host))
        os.kill(pid, signal.SIGKILL)
        outcome = functions.train(host)
        assert outcome.end.values is not None
        assert outcome.end.values["value"] != pid


def test_a_new_trial_ends_the_one_that_still_runs(functions: Functions) -> None:
    """A worker that lost interest in a trial can begin another one."""
    functions.write("""
        import time

        def train(config, report):
            report(1)
            if config.seed == 1:
                time.sleep(600)
            return 2
    """)
    with functions.host() as host:
        first, _ = functions.begin(host, seed=1)
        next_event(first)
        assert functions.train(host, seed=2).end == Ended(values={"value": 2.0})
        assert first.next(0) == Ended(fault="the trial was stopped")


def test_every_trial_finds_the_same_surroundings(functions: Functions) -> None:
    """A trial changes all that it can; the next one sees what the first saw, and what the import made."""
    functions.write("""
        import json, logging, os, signal, sys

        os.environ["MADE_BY_IMPORT"] = "yes"
        logging.basicConfig(level=logging.WARNING)

        def look():
            return {
                "cwd": os.getcwd(), "environment": dict(os.environ), "path": sys.path, "argv": sys.argv,
                "signals": [str(signal.getsignal(n)) for n in (signal.SIGTERM, signal.SIGUSR1)],
                "handlers": len(logging.root.handlers), "level": logging.root.level,
                "disabled": logging.root.manager.disable, "noisy": logging.getLogger("noisy").level,
                "noisy handlers": len(logging.getLogger("noisy").handlers),
            }

        def train(config):
            print(json.dumps(look()))
            os.chdir(config.dir)
            del os.environ["MADE_BY_IMPORT"]
            os.environ["LEFT_BEHIND"] = "yes"
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
                signal.signal(number, signal.SIG_IGN)
            logging.disable(logging.CRITICAL)
            logging.root.setLevel(logging.DEBUG)
            logging.root.addHandler(logging.NullHandler())
            logging.getLogger("noisy").setLevel(logging.DEBUG)
            logging.getLogger("noisy").addHandler(logging.NullHandler())
            sys.path.insert(0, config.dir)
            sys.argv.append("--more")
            sys.stdout = sys.stderr
            return 1
    """)
    with functions.host() as host:
        seen = [functions.train(host).stdout for _ in range(2)]
    assert seen[0] == seen[1]
    assert str(functions.cwd) in seen[0]
    assert "MADE_BY_IMPORT" in seen[0]


def test_a_trial_has_variables_of_its_own(functions: Functions) -> None:
    """They are there in the trial, and not in the next one."""
    functions.write("""
        import os

        def train(config):
            return float(os.environ.get("SWEEP_TRIAL", "-1"))
    """)
    with functions.host(env={**os.environ, "SWEEP_TRIAL_OF": "a test"}) as host:
        values = [
            functions.train(host, environment={"SWEEP_TRIAL": own} if own else {}).end.values
            for own in ("4", "", "5")
        ]
    assert values == [{"value": 4.0}, {"value": -1.0}, {"value": 5.0}]


def test_two_metrics_need_a_dict(functions: Functions) -> None:
    """A number says too little; a dict with both is the result."""
    functions.write("""
        def train(config):
            return {"accuracy": 0.9, "latency": 3} if config.seed else 0.9
    """)
    with functions.host(metrics=["accuracy", "latency"]) as host:
        assert functions.train(host, seed=1).end == Ended(values={"accuracy": 0.9, "latency": 3.0})
        outcome = functions.train(host, seed=0)
    assert (
        outcome.fault == "train must return a dict with accuracy and latency, one number each (trainers.py:2)"
    )


def test_a_module_that_cannot_be_imported_is_a_fault_of_each_trial(functions: Functions) -> None:
    """The line is that of the user's file; mending the file mends the next trial."""
    functions.write("import os\nraise OSError('no data')\n")
    with functions.host() as host:
        outcome = functions.train(host)
        assert outcome.fault == "OSError: no data (trainers.py:2)"
        assert "no data" in outcome.stderr
        functions.write("def train(config):\n    return 1\n")
        assert functions.train(host).end == Ended(values={"value": 1.0})


def test_a_working_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    """No process can be started there."""
    gone = tmp_path / "gone"
    host = Host("trainers:train", metrics=["loss"], folder=tmp_path, cwd=gone)
    start = TrialStart(parameters={}, searched=[], seed=1, dir=str(tmp_path), checkpoint=str(tmp_path))
    with (
        open(os.devnull, "w") as null,
        pytest.raises(NotFoundError, match=r"cannot start in .*gone: No such"),
    ):
        host.begin(start, stdout=null.fileno(), stderr=null.fileno())
    host.close()


def test_the_end_of_the_worker_ends_an_idle_host(functions: Functions) -> None:
    """A host whose other end is closed leaves by itself."""
    functions.write(PID)
    with functions.host() as host:
        functions.train(host)
        process = host._process
        assert process is not None
        process.wire.close()
        exit_ = process.wait(30)
        assert exit_ is not None
        assert (exit_.code, exit_.signal) == (0, None)
