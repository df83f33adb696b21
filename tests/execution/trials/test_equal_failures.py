"""When a run whose trials all fail starts no further one."""

import pytest

from sweep.execution.trials.equal_failures import MOST_FAILURES, EqualFailures, without_numbers
from tests.support import study_records as records

MISSING = "failed in training: exit code 1; ModuleNotFoundError: No module named 'torhc'"


def failed(number: int, reason: str = MISSING) -> records.TrialRecord:
    return records.trial(number, state="failed", reason=reason)


def test_five_equal_failures_stop_a_run() -> None:
    """The error names the first reason, the command that prints the output, and what to do."""
    failures = EqualFailures("s", [])
    for number in range(3, 3 + MOST_FAILURES):
        assert failures() is None
        failures.learn(failed(number))
    error = failures()
    assert error is not None
    assert error.exit_status == 1
    (line,) = error.lines
    assert line.startswith(f"5 trials failed in the same way and none succeeded, the first with: {MISSING};")
    assert "`sweep log s 3`" in line
    assert "run the same command" in line


@pytest.mark.parametrize("state", ["complete", "pruned", "diverged", "infeasible", "timeout"])
def test_a_program_that_trained_once_is_not_stopped(state: str) -> None:
    """In this run or an earlier one."""
    trained = records.trial(0, state=state)
    earlier, now = EqualFailures("s", [trained]), EqualFailures("s", [])
    now.learn(trained)
    for number in range(1, 9):
        earlier.learn(failed(number))
        now.learn(failed(number))
    assert earlier() is None
    assert now() is None


def test_failures_of_earlier_runs_do_not_count() -> None:
    """So the run after the script was mended begins anew; running trials do not count."""
    failures = EqualFailures("s", [*(failed(n) for n in range(9)), records.trial(9, state="running")])
    assert failures() is None
    for number in range(10, 14):
        failures.learn(failed(number))
    assert failures() is None


def test_different_failures_do_not_stop_a_run() -> None:
    """Reasons that differ in numbers alone are equal; others are not."""
    failures = EqualFailures("s", [])
    for number, word in enumerate(["a", "b", "c", "d", "a", "b", "c", "d"]):
        failures.learn(failed(number, f"KeyError: {word}"))
    assert failures() is None
    for number in range(8, 13):
        failures.learn(failed(number, f"lr = {number}.5e-0{number % 9} in /tmp/{number:06d}/x.py"))
    assert failures() is not None


def test_only_numbers_are_left_out() -> None:
    """By hand."""
    assert without_numbers("step 1,000 of -2.5e-07 at 0x7f3a") == "step #,# of # at #"
    assert without_numbers("no module named torhc") == "no module named torhc"
