"""Listed configurations come first, each as often as it is replicated, then the sampler's."""

from sweep.definition.spec import StudySpec
from sweep.execution.trials.proposer import Proposer
from sweep.execution.workload import Workload
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
    return toy_study(trial=listed, search=search, trials=8, **changes)


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
