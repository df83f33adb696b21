"""What a user's function may do in its process, and what becomes of its trial."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from sweep.trainers.program.reports import Ended, Report
from tests.support.hosted_functions import PATIENCE_S, Functions, next_event
from tests.support.sweep_command import is_alive


@pytest.fixture
def functions(tmp_path: Path) -> Functions:
    return Functions(tmp_path)


def test_a_function_returns_its_result_and_reports_on_the_way(functions: Functions) -> None:
    """Reports arrive in their order, with their figures and rising seconds; the result is the number."""
    outcome = functions.run("""
        def train(config, report):
            for epoch in range(1, 4):
                report(config.lr * epoch, step=10 * epoch, loss=1 / epoch)
            return config["lr"] + config.seed
    """)
    assert outcome.end == Ended(values={"value": 7.1})
    assert outcome.steps == [10, 20, 30]
    assert [dict(report.values) for report in outcome.reports] == [
        {"value": 0.1 * epoch, "loss": 1 / epoch} for epoch in (1, 2, 3)
    ]
    seconds = [report.seconds for report in outcome.reports]
    assert seconds == sorted(seconds)
    assert 0 <= seconds[0] <= seconds[-1] < PATIENCE_S


def test_the_public_names_reach_the_host_too(functions: Functions) -> None:
    """``sweep.report`` in a function without the argument is the same as ``report``."""
    outcome = functions.run("""
        import sweep
        from sweep import report

        def train(config):
            sweep.report(0.5)
            report(0.25)
            return 1
    """)
    assert outcome.end == Ended(values={"value": 1.0})
    assert [dict(report.values) for report in outcome.reports] == [{"value": 0.5}, {"value": 0.25}]
    assert outcome.steps == [1, 2]


@pytest.mark.parametrize(
    "signature", ["config", "config, report", "config, *, report=None", "cfg, rep", "*both"]
)
def test_a_function_takes_the_configuration_alone_or_with_the_report(
    functions: Functions, signature: str
) -> None:
    """A second argument is the report if it has no default or is called so."""
    called = {"config, report": "report", "config, *, report=None": "report", "cfg, rep": "rep"}.get(
        signature
    )
    body = f"{called}(0.5)" if called else "pass"
    outcome = functions.run(f"""
        def train({signature}):
            {body}
            return 2
    """)
    assert outcome.end == Ended(values={"value": 2.0})
    assert outcome.steps == ([1] if called else [])


def test_a_trial_that_reaches_its_rung_waits_for_the_decision(functions: Functions) -> None:
    """It waits at the first report at or beyond the rung, continues to the next, and then runs to its end."""
    functions.write("""
        def train(config, report):
            for step in (2, 4, 6, 8, 10):
                report(step, step=step)
            return 0
    """)
    with functions.host() as host:
        program, _ = functions.begin(host, until=3)
        assert [next_event(program).step for _ in range(2)] == [2, 4]  # type: ignore[union-attr]
        assert program.is_waiting
        assert program.next(0.3) is None
        program.go_on(8)
        assert [next_event(program).step for _ in range(2)] == [6, 8]  # type: ignore[union-attr]
        assert program.is_waiting
        program.go_on()
        assert [type(next_event(program)) for _ in range(2)] == [Report, Ended]


PRUNED = """
    import time
    import sweep

    def train(config, report):
        try:
            for step in range(100):
                report(step, step=step)
        except sweep.{end} as end:
            print("told", type(end).__name__, flush=True)
            {then}
        return 0.99
"""


@pytest.mark.parametrize("then", ["raise", "pass", "report(1, step=200)", "raise ValueError('late')"])
@pytest.mark.parametrize("end", ["Pruned", "Stopped"])
def test_what_a_trial_does_after_it_was_told_to_end_is_no_result(
    functions: Functions, end: str, then: str
) -> None:
    """Pruned and Stopped are raised at the report; a swallowed one leads to no result, nothing is left."""
    outcomes = []

    def decide(program, report):
        program.stop(pruned=end == "Pruned")
        outcomes.append(report.step)

    outcome = functions.run(PRUNED.format(end=end, then=then), until=5, decide=decide)
    assert outcome.fault == f"the trial was {end.lower()}"
    assert outcomes == [5]
    assert outcome.stdout == f"told {end}\n"
    assert outcome.stderr.endswith("ValueError: late\n") if "late" in then else outcome.stderr == ""


def test_an_except_exception_does_not_swallow_the_end(functions: Functions) -> None:
    """A loop that goes on after every Exception ends nevertheless."""
    outcome = functions.run(
        """
        def train(config, report):
            step = 0
            while True:
                step += 1
                try:
                    report(0.1, step=step)
                except Exception:
                    print("swallowed")
    """,
        until=1,
        decide=lambda program, _: program.stop(pruned=True),
    )
    assert outcome.stdout == ""
    assert outcome.fault == "the trial was pruned"


def test_a_trial_is_stopped_between_its_reports(functions: Functions) -> None:
    """``Stopped`` is raised where the function computes, and its clean-up is done within the grace."""
    functions.write("""
        import time
        import pathlib

        def train(config, report):
            try:
                report(1)
                time.sleep(600)
            finally:
                pathlib.Path(config.dir, "saved").write_text("checkpoint")
    """)
    with functions.host() as host:
        program, folder = functions.begin(host)
        next_event(program)
        program.stop()
        assert (folder / "saved").read_text() == "checkpoint"
        assert program.next(1) == Ended(fault="the trial was stopped")


def test_a_function_that_swallows_everything_is_killed_after_the_grace(functions: Functions) -> None:
    """It ignores SIGTERM and its child does too; after the grace neither lives."""
    functions.write("""
        import os, signal, subprocess, sys, time

        def train(config, report):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            report(os.getpid(), child=child.pid)
            while True:
                try:
                    time.sleep(600)
                except BaseException:
                    pass
    """)
    with functions.host(grace=0.5) as host:
        program, _ = functions.begin(host)
        report = next_event(program)
        assert isinstance(report, Report)
        start = time.monotonic()
        program.stop()
        assert time.monotonic() - start >= 0.5
        wait_until_gone(*(int(pid) for pid in report.values.values()))


def wait_until_gone(*pids: int) -> None:
    """Wait until none of the processes runs; a zombie has ended."""
    deadline = time.monotonic() + PATIENCE_S
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline, "still running"
        time.sleep(0.02)


def test_sigterm_from_outside_is_no_result(functions: Functions) -> None:
    """A trial that catches it and returns a figure has none."""
    outcome = functions.run("""
        import os, signal, time

        def train(config):
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(600)
            except BaseException:
                pass
            return 0.99
    """)
    assert outcome.fault == "the trial was stopped: its process got SIGTERM"


FAULTS = {
    "raise ValueError('bad C')": "ValueError: bad C (trainers.py:4)",
    "raise ValueError('two\\nlines')": "ValueError: two lines (trainers.py:4)",
    "raise ValueError('\\x1b[31mred')": "ValueError: [31mred (trainers.py:4)",
    "raise ValueError": "ValueError (trainers.py:4)",
    "raise SystemExit(0)": "SystemExit: 0 (trainers.py:4)",
    "sys.exit('no data')": "SystemExit: no data (trainers.py:4)",
    "raise KeyboardInterrupt": "KeyboardInterrupt (trainers.py:4)",
    "bytearray(1 << 62)": "MemoryError (trainers.py:4)",
    "json.loads('x')": "JSONDecodeError: Expecting value: line 1 column 1 (char 0) (trainers.py:4)",
    "return train(config)": "RecursionError: maximum recursion depth exceeded",
    "import missing": "ModuleNotFoundError: No module named 'missing' (trainers.py:4)",
    "raise Strange": "Strange: str() of the error failed (trainers.py:4)",
    "raise ExceptionGroup('two', [OSError()])": "ExceptionGroup: two (1 sub-exception) (trainers.py:4)",
    "return None": "the result of train must be one number, got None; return 'accuracy'",
    "return 'good'": "the result of train must be one number, got the str 'good';",
    "return True": "the result of train must be one number, got the bool True; return 'accuracy'",
    "return {'acc': 0.5}": "the dict that train returned lacks the metric 'accuracy'; it contains: acc (",
    "report('high')": "TypeError: value must be one number, got the str 'high' (",
    "report(1, 2); report(1, 2)": "ValueError: step 2 was reported after step 2; steps must rise strictly (",
    "report(1, step=1.5)": "TypeError: step must be a whole number of at least 0, got the float 1.5 (",
    "report(1, step=-1)": "TypeError: step must be a whole number of at least 0, got the int -1 (",
    "report(1, loss=[1])": "TypeError: loss must be one number, got an object of type list (trainers.py:4)",
}


@pytest.mark.parametrize("statement", FAULTS)
def test_an_error_is_one_line_with_the_place_in_the_users_file(functions: Functions, statement: str) -> None:
    """The line names type, message and place; the trial's stderr has the traceback from their line on."""
    functions.write(
        "import json, sys\nfrom sweep import report\ndef train(config):\n"
        f"    {statement}\nclass Strange(Exception):\n    def __str__(self):\n        raise OSError\n"
    )
    with functions.host() as host:
        outcome = functions.train(host)
    assert outcome.fault.startswith(FAULTS[statement])
    line = 3 if statement.startswith("return") and "train(" not in statement else 4
    assert outcome.fault.endswith(f"(trainers.py:{line})")
    assert "sweep/trainers/function/host.py" not in outcome.stderr
    kind = FAULTS[statement].partition(":")[0].partition(" ")[0]
    assert kind in outcome.stderr
    if not statement.startswith("return"):
        assert 'trainers.py", line 4, in train' in outcome.stderr or "cannot be made" in outcome.stderr


def test_a_refused_report_counts_although_the_function_swallows_it(functions: Functions) -> None:
    """A figure that got lost is never passed over in silence."""
    outcome = functions.run("""
        def train(config, report):
            try:
                report("high")
            except Exception:
                pass
            return 0.5
    """)
    assert outcome.fault == "TypeError: value must be one number, got the str 'high' (trainers.py:4)"


ENDINGS = {
    "os._exit(0)": "ended with exit code 0",
    "os._exit(3)": "ended with exit code 3",
    "os.abort()": "was ended by SIGABRT",
    "ctypes.string_at(0)": "was ended by SIGSEGV",
    "os.kill(os.getpid(), 9)": "was ended by SIGKILL (out of memory?)",
    "os.closerange(3, 100); time.sleep(600)": "closed sweep's own channel",
    "[os.write(fd, b'{\\n') for fd in sockets()]; time.sleep(600)": (
        "sent an invalid message on sweep's own channel"
    ),
    '[os.write(fd, b\'{"values": {"value": "x"}, "memory": 1}\\n\') for fd in sockets()]; time.sleep(600)': (
        "sent an invalid message on sweep's own channel"
    ),
}


@pytest.mark.parametrize("statement", ENDINGS)
@pytest.mark.skipif(sys.platform != "linux", reason="finds the channel in /proc")
def test_the_end_of_the_process_is_a_fault_and_the_next_trial_has_a_new_one(
    functions: Functions, statement: str
) -> None:
    """Whatever happens to the process, the trial ends with one line, and the host goes on."""
    functions.write(f"""
        import ctypes, os, time

        def sockets():
            folder = "/proc/self/fd"
            return [int(fd) for fd in os.listdir(folder)
                    if os.path.exists(f"{{folder}}/{{fd}}") and "socket" in os.readlink(f"{{folder}}/{{fd}}")]

        def train(config, report):
            report(os.getpid())
            if config.lr == 0:
                return os.getpid()
            print("before the end", flush=True)
            {statement}
    """)
    with functions.host(grace=1.0) as host:
        outcome = functions.train(host)
        assert outcome.fault.startswith(f"the function's process {ENDINGS[statement]}, without a result")
        assert outcome.stdout == "before the end\n"
        assert ("Segmentation fault" in outcome.stderr) == ("SIGSEGV" in outcome.fault)
        following = functions.train(host, parameters={"lr": 0})
        assert following.end.values is not None
        assert following.end.values["value"] != outcome.reports[0].values["value"]


def test_all_output_is_in_the_trials_own_files(functions: Functions) -> None:
    """Prints, progress bars, C code and children of two trials in one process: nothing is lost or mixed."""
    functions.write("""
        import ctypes, os, subprocess, sys
        from tqdm import tqdm

        def train(config):
            print("python", config.seed)
            ctypes.CDLL(None).puts(b"c %d" % config.seed)
            subprocess.run(["echo", f"child {config.seed}"])
            os.write(2, b"descriptor %d\\n" % config.seed)
            for _ in tqdm(range(3), desc=f"bar {config.seed}"):
                pass
            sys.stdout = open(os.devnull, "w")
            return 1
    """)
    with functions.host() as host:
        outcomes = [functions.train(host, seed=seed) for seed in (1, 2)]
    for seed, outcome in enumerate(outcomes, 1):
        assert outcome.end.values == {"value": 1.0}
        assert sorted(outcome.stdout.splitlines()) == [f"c {seed}", f"child {seed}", f"python {seed}"]
        assert f"descriptor {seed}\n" in outcome.stderr
        assert f"bar {seed}: 100%" in outcome.stderr
        assert f"bar {3 - seed}" not in outcome.stderr


def test_stdin_is_empty(functions: Functions) -> None:
    """A function that asks a question does not hang."""
    outcome = functions.run("""
        def train(config):
            return float(input("value? "))
    """)
    assert outcome.fault == "EOFError: EOF when reading a line (trainers.py:3)"


def test_the_function_runs_in_the_main_thread_of_a_session_of_its_own(functions: Functions) -> None:
    """So that libraries may handle signals, and the terminal's Ctrl-C does not reach it."""
    outcome = functions.run("""
        import os, signal, threading

        def train(config):
            signal.signal(signal.SIGUSR1, lambda *_: None)
            main = threading.current_thread() is threading.main_thread()
            return {"accuracy": 1, "main": main + 0, "leads": os.getsid(0) + 0.0, "pid": os.getpid() + 0.0}
    """)
    assert outcome.end.values is not None
    values = dict(outcome.end.values)
    assert values["main"] == 1
    assert values["leads"] != os.getsid(0)


def test_a_module_of_any_standard_name_beside_the_study_does_not_break_the_host(functions: Functions) -> None:
    """Reports, waiting, errors and results work; none of the files is imported by what the host does."""
    for name in sys.stdlib_module_names - {"trainers"}:
        functions.write(f"raise SystemError('{name} of the user was imported')", f"{name}.py")
    functions.write("""
        def train(config, report):
            report(1, step=1)
            report(2, step=2)
            if config.seed:
                return config.no_such_parameter
            return {"accuracy": 1, "note": "left out"}
    """)
    with functions.host() as host:
        good = functions.train(host, seed=0, until=1)
        bad = functions.train(host, seed=1, until=1, decide=lambda program, _: program.go_on(2))
    assert good.end == Ended(values={"accuracy": 1.0})
    assert good.stderr == (
        "sweep: 'note' must be one number, got the str 'left out'; "
        "this entry of the result of train is ignored\n"
    )
    assert bad.fault.startswith("AttributeError: no active parameter 'no_such_parameter' in this trial")
    assert bad.fault.endswith("(trainers.py:6)")
    assert bad.steps == [1, 2]


def test_relative_imports_in_a_package_and_files_in_folders(functions: Functions) -> None:
    """``package.module:name`` and ``path/file.py:name``; a file finds its neighbours."""
    functions.write("", "package/__init__.py")
    functions.write("HALF = 0.5", "package/constants.py")
    functions.write(
        """
        from .constants import HALF
        def train(config):
            return HALF
        """,
        "package/module.py",
    )
    functions.write("THIRD = 3", "code/near.py")
    functions.write(
        """
        import near
        class Trainers:
            @staticmethod
            def train(config):
                return near.THIRD
        """,
        "code/json.py",
    )
    with functions.host("package.module:train") as host:
        assert functions.train(host).end == Ended(values={"value": 0.5})
    with functions.host("code/json.py:Trainers.train") as host:
        assert functions.train(host).end == Ended(values={"value": 3.0})


def test_the_main_block_is_untouched(functions: Functions) -> None:
    """What is below ``if __name__ == "__main__"`` does not run, in a spawned child neither."""
    outcome = functions.run("""
        import multiprocessing

        def square(number):
            return number ** 2

        def train(config):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                return pool.map(square, [3])[0]

        if __name__ == "__main__":
            raise SystemExit("trained by hand")
    """)
    assert outcome.end == Ended(values={"value": 9.0})
    assert outcome.stderr == ""


def test_forked_children_are_ordinary_processes(functions: Functions) -> None:
    """SIGTERM ends a forked child; a report from a child is refused, not mixed into the trial's."""
    outcome = functions.run("""
        import multiprocessing, os, signal, time
        import sweep

        def try_to_report(step):
            try:
                sweep.report(1, step=step)
            except RuntimeError as error:
                return str(error)

        def train(config, report):
            report(0.5)
            with multiprocessing.get_context("fork").Pool(1) as pool:
                print(pool.map(try_to_report, [9])[0])
            sleeper = os.fork()
            if not sleeper:
                time.sleep(600)
            os.kill(sleeper, signal.SIGTERM)
            report(0.6)
            return os.waitstatus_to_exitcode(os.waitpid(sleeper, 0)[1])
    """)
    assert outcome.end == Ended(values={"value": -signal.SIGTERM})
    assert outcome.stdout == (
        "sweep.report was called in a child process; report from the one that runs the function\n"
    )
    assert outcome.steps == [1, 2]


def test_a_report_takes_at_most_50_microseconds_of_the_training(functions: Functions) -> None:
    """Each of 20,000 in a tight loop arrives; processor time, since other tests run beside."""
    outcome = functions.run("""
        import time

        def train(config, report):
            start = time.process_time()
            for step in range(20_000):
                report(0.5)
            return (time.process_time() - start) / 20_000
    """)
    assert outcome.steps == list(range(1, 20_001))
    assert outcome.end.values is not None
    assert outcome.end.values["value"] < 50e-6


def test_numbers_arrive_to_the_last_bit(functions: Functions) -> None:
    """Parameters and figures, not finite ones too."""
    parameters = {"tiny": 5e-324, "third": 1 / 3, "large": 2**63, "text": "ü 'x' $(y)", "list": [1, 0.1]}
    outcome = functions.run(
        """
        import json, math
        def train(config, report):
            print(json.dumps(dict(config.searched)), end="")
            report(math.nan, low=-math.inf, third=config.third)
            return config.tiny
    """,
        parameters=parameters,
        searched=list(parameters),
    )
    assert json.loads(outcome.stdout) == parameters
    values = outcome.reports[0].values
    assert values["value"] != values["value"]
    assert (values["low"], values["third"]) == (-float("inf"), 1 / 3)
    assert outcome.end == Ended(values={"value": 5e-324})
