"""Listed configurations come first, each as often as it is replicated, then the sampler's."""

from pathlib import Path
from typing import Any

from sweep.definition.records import TrialRecord
from sweep.definition.spec import StudySpec
from sweep.definition.study_file import parse_study
from sweep.execution.trials.proposer import Proposer
from sweep.execution.workload import Workload
from sweep.task import program_of_study
from tests.support import study_records as records
from tests.support.toy_runs import toy_study
from tests.support.toy_task import TOY, ToyData

WORKLOAD = Workload(task=TOY, data=ToyData(sha256="5" * 64, folder=""), engine="toy", devices=("cpu",))


def proposals(proposer: Proposer, n: int) -> list[dict[str, object]]:
    params = []
    for _ in range(n):
        params.append(proposer.propose())
        proposer.add(params[-1])
    return params


def spec(**changes: object) -> StudySpec:
    listed = [{"x": 0.25, "y": 3}, {"x": 0.5, "y": 4}]
    search = {"x": {"low": 0.0, "high": 1.0}, "y": {"low": 1, "high": 9}}
    return toy_study(**{"trial": listed, "search": search, "trials": 8, **changes})


def test_each_listed_configuration_comes_first_and_once_for_each_seed() -> None:
    """After the list each proposal of the sampler is repeated too."""
    params = proposals(Proposer(spec(replicates=2), WORKLOAD, []), 8)
    assert params[:4] == [{"x": 0.25, "y": 3}] * 2 + [{"x": 0.5, "y": 4}] * 2
    assert params[4::2] == params[5::2]
    assert params[4] != params[6]


def test_a_new_number_is_a_trial_of_another_driver() -> None:
    """It takes the place that was next; a later proposal has the number after it."""
    proposer = Proposer(spec(), WORKLOAD, [])
    facts = {"n_params": 70, "examples_seen": 3_000}
    other = records.trial(0, None, state="running", params={"x": 0.25, "y": 3}, facts=facts, segments=())
    proposer.learn(other)
    assert proposer.claimed == 1
    assert proposer.propose() == {"x": 0.5, "y": 4}


def test_the_work_of_a_configuration_is_the_trainers() -> None:
    """The toy's work is its steps; what is not searched counts too."""
    proposer = Proposer(spec(fixed={"num_steps": 4_500}), WORKLOAD, [])
    assert proposer.work({"x": 0.5, "y": 4}) == 4_500


def test_the_work_of_a_program_is_learned_from_its_seconds(tmp_path: Path) -> None:
    """Large took 16 s and small 1 s; a failed trial teaches nothing, and a further one counts."""
    raw: dict[str, Any] = {
        "trainer": "trainers:train",
        "metric": "loss",
        "trials": 20,
        "search": {"x": {"low": 0.0, "high": 1.0}, "kind": {"choices": ["small", "large"]}},
    }
    task = program_of_study("function", raw, tmp_path)
    workload = Workload(task=task, data=task.load_data({}), engine="function", devices=("cpu",))
    done = [
        records.trial(
            n,
            1.0,
            params={"x": n / 8, "kind": ("small", "large")[n % 2]},
            seconds=16.0 if n % 2 else 1.0,
            facts={},
        )
        for n in range(7)
    ]
    failed = records.trial(7, None, state="failed", params={"x": 0.9, "kind": "small"}, seconds=9_000.0)
    proposer = Proposer(parse_study(raw, task), workload, [*done, failed])
    proposer.learn(records.trial(8, 1.0, params={"x": 0.1, "kind": "large"}, seconds=16.0, facts={}))
    work = proposer._expected_work()
    assert [work({"x": 0.5, "kind": kind}) for kind in ("small", "large")] == [1.0, 16.0]


def made(number: int, params: dict[str, Any], **changes: Any) -> TrialRecord:
    facts = {"n_params": 70, "examples_seen": 3_000}
    return records.trial(number, 0.5, params=params, facts=facts, segments=(), **changes)


def test_retries_displace_nothing() -> None:
    """They come after the study's own trials; more of these go on where the study ended."""
    alone = proposals(Proposer(spec(replicates=2), WORKLOAD, []), 8)
    asked = spec(replicates=2, trials=3)
    first = [made(n, params) for n, params in enumerate(alone[:3])]
    retrying = Proposer(asked.replace(retried={0: alone[0], 2: alone[2]}), WORKLOAD, first)
    assert (retrying.wanted, retrying.is_done, retrying.next_retry) == (5, False, 0)
    assert proposals(retrying, 2) == [alone[0], alone[2]]
    assert (retrying.wanted, retrying.is_done, retrying.next_retry) == (5, True, None)
    again = [made(3 + k, alone[n], labels={"retries": n}) for k, n in enumerate((0, 2))]
    more = Proposer(asked.replace(trials=8), WORKLOAD, [*first, *again])
    assert more.wanted == 10
    assert proposals(more, 3) == alone[3:6]


def test_a_retry_of_another_driver_is_not_made_again() -> None:
    """The mark is stored with the trial, so every driver counts it."""
    params = {"x": 0.25, "y": 3}
    proposer = Proposer(spec(trials=1).replace(retried={0: params}), WORKLOAD, [made(0, params)])
    assert proposer.next_retry == 0
    proposer.learn(made(1, params, labels={"retries": 0}))
    assert proposer.is_done
    assert proposer.wanted == 2
