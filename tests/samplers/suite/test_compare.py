import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from sweep.definition.dimension import Choices, Range
from sweep.definition.space import Space
from tests.benchmarks.samplers.compare import read_all, run
from tests.benchmarks.samplers.figure import median_curve, write_figure
from tests.benchmarks.samplers.own import sweep
from tests.benchmarks.samplers.peers_optuna import optuna_search
from tests.benchmarks.samplers.report import by_task, incomplete, summary
from tests.benchmarks.samplers.results import Result
from tests.benchmarks.samplers.searches import RANDOM, REFERENCE, SEARCHES, Search
from tests.benchmarks.samplers.simulate import Step, simulate
from tests.benchmarks.samplers.task import Params, Task

CONDITIONAL = Space(
    {"model": Choices(("a", "b")), "depth": Range(1, 9), "rate": Range(0.1, 10.0, log=True)},
    {"depth": {"model": ("b",)}},
)


def toy() -> Task:
    """The best is model b with depth 1 and rate 1."""
    return Task(
        space=CONDITIONAL,
        loss=lambda params, seed: params.get("depth", 5) + abs(np.log(params["rate"])),
        scale=np.linspace(1.0, 12.0, 100),
    )


def made(curve: tuple[Step, ...], search: str, seed: int, trials: int = 50) -> Result:
    return Result(search, seed, trials, 1.0, {10: 0.1, 20: 0.2, 50: 0.5, trials: 0.5}, curve)


def test_a_rerun_simulates_only_what_is_missing(tmp_path: Path) -> None:
    """Rows that are there keep every byte; a killed run goes on with the same results."""
    path, search = tmp_path / "toy.csv", Search(sweep("random"))
    run(path, toy(), "random", search, seeds=2, trials=12)
    before = path.read_text()
    run(path, toy(), "random", search, seeds=2, trials=12)
    assert path.read_text() == before
    path.write_text(before[:-5])
    run(path, toy(), "random", search, seeds=3, trials=12)
    found = read_all(tmp_path, ["toy", "other"])["toy"]["random"]
    assert [result.seed for result in found] == [0, 1, 2]
    path.write_text(before)
    assert found[1].curve == read_all(tmp_path, ["toy"])["toy"]["random"][1].curve


def test_a_peer_is_asked_for_active_hyperparameters_only() -> None:
    """Optuna suggests the depth of model b alone, within the space."""
    import optuna

    heard: list[Params] = []
    task = toy()

    def loss(params: Params, seed: int) -> float:
        heard.append(params)
        return task.loss(params, seed)

    watched = Task(space=CONDITIONAL, loss=loss, scale=task.scale)
    simulate(watched, optuna_search(optuna.samplers.RandomSampler), 0, trials=30)
    assert {params["model"] for params in heard} == {"a", "b"}
    for params in heard:
        assert set(params) == {"model", "rate"} | ({"depth"} if params["model"] == "b" else set())
        assert all(CONDITIONAL[name].contains(value) for name, value in params.items())


def test_searches_of_ranges_do_not_apply_to_choices() -> None:
    """CMA-ES is left out of such tasks."""
    assert not SEARCHES["Optuna CMA-ES"].applies(CONDITIONAL)
    assert SEARCHES["Optuna CMA-ES"].applies(Space({"x": Range(0, 9)}))
    assert SEARCHES[RANDOM].applies(CONDITIONAL)


def test_the_tables_name_searches_in_the_order_of_their_rank() -> None:
    """One that has no result on a task is named below; it has a row in the table of its task."""
    good, poor = (Step(1, 1, 0.01, 1.0),), (Step(1, 1, 0.5, 5.0),)
    results = {
        task: {RANDOM: [made(poor, RANDOM, 0)], REFERENCE: [made(good, REFERENCE, 0)]}
        for task in ("one", "two")
    }
    results["two"]["rare"] = [made(good, "rare", 0)]
    rows = summary(results).splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == [f"| {REFERENCE}", f"| {RANDOM}"]
    assert "| 1.0 (1.0 to 1.0) |" in rows[0]
    assert incomplete(results) == "Not on every task: rare (1 of 2)."
    assert "| rare | 1.00 (1.00 to 1.00) |" in by_task(results, "two")


def test_the_figure_has_a_line_for_each_search_and_task(tmp_path: Path) -> None:
    """A search outside the list of lines is not drawn; a curve ends with the shortest search."""
    steps = (Step(1, 1, 0.5, 5.0), Step(20, 1, 0.01, 1.0))
    results = {"one & only": {RANDOM: [made(steps, RANDOM, seed) for seed in range(3)], "other": []}}
    write_figure(tmp_path / "figure.svg", results)
    drawn = ET.parse(tmp_path / "figure.svg").getroot()  # noqa: S314  our own file
    assert len(drawn.findall(".//{*}path")) == 1
    assert median_curve(results["one & only"][RANDOM], range(19, 60)) == [0.5] + [0.01] * 31


def test_held_out_tasks_are_refused_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Even to print what is there."""
    from tests.benchmarks.samplers.compare import main

    monkeypatch.setattr("sys.argv", ["compare.py", "--print", "--tasks", "kc1", "--results", str(tmp_path)])
    with pytest.raises(SystemExit, match="kc1: held out"):
        main()
