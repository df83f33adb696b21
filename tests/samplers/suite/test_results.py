from pathlib import Path

from tests.benchmarks.samplers.loss_cache import LossCache
from tests.benchmarks.samplers.results import Result, append, kept, missing, read
from tests.benchmarks.samplers.simulate import Outcome, Step

CURVE = (Step(1, 0.5, 0.25, 1 / 3), Step(4, 2.0, 0.0, 0.1))


def result(seed: int, trials: int = 10, search: str = "tpe, tuned") -> Result:
    return Result(search, seed, trials, 5.0, {trials: 0.25}, CURVE)


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Losses and quantiles keep every bit."""
    path = tmp_path / "new" / "task.csv"
    append(path, [result(1)])
    append(path, [result(0), result(0, search="random")])
    assert read(path) == {"tpe, tuned": [result(0), result(1)], "random": [result(0, search="random")]}
    assert read(tmp_path / "none.csv") == {}


def test_a_rerun_skips_what_is_there(tmp_path: Path) -> None:
    """Only seeds without a search that is long enough are missing."""
    path = tmp_path / "task.csv"
    append(path, [result(0, 100), result(1, 50), result(3, 100)])
    assert missing(read(path)["tpe, tuned"], seeds=4, trials=100) == [1, 2]
    assert missing(read(path)["tpe, tuned"], seeds=4, trials=50) == [2]


def test_the_longest_search_of_a_seed_counts(tmp_path: Path) -> None:
    """A search that was repeated with more trials takes the place of the short one."""
    path = tmp_path / "task.csv"
    append(path, [result(0, 50), result(0, 100), result(0, 20)])
    assert read(path)["tpe, tuned"] == [result(0, 100)]


def test_a_row_that_a_kill_has_cut_is_dropped(tmp_path: Path) -> None:
    """The next row begins on a line of its own."""
    path = tmp_path / "task.csv"
    append(path, [result(0), result(1)])
    path.write_text(path.read_text()[:-9])
    assert read(path) == {"tpe, tuned": [result(0)]}
    append(path, [result(2)])
    assert read(path) == {"tpe, tuned": [result(0), result(2)]}


def test_the_incumbent_after_a_number_of_trials() -> None:
    """It stays until a later trial is better."""
    assert [result(0).at(count).count for count in (1, 3, 4, 10)] == [1, 1, 4, 4]
    assert result(0).trials_to(0.2) == 4
    assert result(0).trials_to(0.05) == float("inf")


def test_own_seconds_are_kept_at_the_counts_and_the_end() -> None:
    """12 trials of 0.1 s each: after 10, and after all."""
    outcome = Outcome(list(CURVE), [0.1 * count for count in range(1, 13)], 6.0)
    assert kept("tpe", 0, outcome).own_s == {10: 1.0, 12: 0.1 * 12}


def test_a_cached_loss_is_not_computed_again(tmp_path: Path) -> None:
    """Neither in this process nor in the next, whatever the order of the parameters."""
    calls = []

    def compute(params: object, seed: int) -> float:
        calls.append(seed)
        return 1 / 3

    path = tmp_path / "cache" / "task.csv"
    first = LossCache(path, compute)
    assert first({"a": "x, y", "b": 0.1}, 7) == first({"b": 0.1, "a": "x, y"}, 7) == 1 / 3
    assert LossCache(path, compute)({"a": "x, y", "b": 0.1}, 7) == 1 / 3
    assert calls == [7]
    LossCache(path, compute)({"a": "x, y", "b": 0.1}, 8)
    assert calls == [7, 8]
