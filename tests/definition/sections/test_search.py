"""The section ``[search]``: rules of an entry, and the space of listed configurations."""

import math
from pathlib import Path
from typing import Any

import pytest

from sweep.definition.dimension import Choices, Range
from sweep.definition.registries import named_trainer
from sweep.definition.sections.search import parse_space, space_of_list
from sweep.definition.space import Space
from sweep.errors import StudyFileError
from sweep.task import AnyTask
from sweep.trainers.mlp.trainer import MLP
from tests.support.toy_runs import run_toy, toy_study


def parse(**entries: Any) -> Space:
    return parse_space(entries, MLP)


def program(**sections: Any) -> AnyTask:
    """Return the trainer of a study of a function with these sections."""
    return named_trainer({"trainer": "trainers:train", **sections}, Path())


class TestParsing:
    def test_entries_become_dimensions(self) -> None:
        """Each kind of entry is the dimension of that meaning."""
        assert parse(
            block_size={"low": 2, "high": 8},
            hidden_neurons={"low": 10, "high": 500, "log": True},
            batch_size={"choices": [16, 32]},
            num_steps={"low": 1_000, "high": 5_000, "step": 500},
            learning_rate={"low": 0.001, "high": 1, "log": True},
            momentum={"low": 0, "high": 0.9, "step": 0.3},
            schedule={"choices": ["step", "cosine"]},
        ) == {
            "block_size": Range(2, 8),
            "hidden_neurons": Range(10, 500, log=True),
            "batch_size": Choices((16, 32)),
            "num_steps": Range(1_000, 5_000, step=500),
            "learning_rate": Range(0.001, 1.0, log=True),
            "momentum": Range(0.0, 0.9, step=0.3),
            "schedule": Choices(("step", "cosine")),
        }

    def test_order_of_the_file_does_not_matter(self) -> None:
        """Two spellings of one space are one space, in one order, so that proposals are the same."""
        one = parse(batch_size={"choices": [2, 4]}, block_size={"low": 1, "high": 3})
        two = parse(block_size={"high": 3, "low": 1}, batch_size={"choices": [2, 4]})
        assert list(one.items()) == list(two.items())

    def test_range_of_one_value_is_taken(self) -> None:
        """Equal ends are a range of one value."""
        assert parse(block_size={"low": 3, "high": 3}) == {"block_size": Range(3, 3)}

    def test_choices_of_numbers_take_the_type_of_their_field(self) -> None:
        """``1`` among learning rates is 1.0."""
        choices = parse(learning_rate={"choices": [1, 0.1]})["learning_rate"].choices
        assert [(value, type(value)) for value in choices] == [(1.0, float), (0.1, float)]

    @pytest.mark.parametrize(
        ("name", "entry", "message"),
        [
            (
                "hidden_neuron",
                {"low": 1, "high": 2},
                r"hyperparameter 'hidden_neuron' in \[search\]; did you mean hidden_neurons\? known: bl",
            ),
            ("seed", {"low": 1, "high": 2}, r"unknown hyperparameter 'seed'"),
            ("block_size", 3, r"search\.block_size must be \{ low = …, high = … \} or .*got 3$"),
            ("block_size", [2, 3], r"search\.block_size must be .*got \[2, 3\]$"),
            ("block_size", {}, r"search\.block_size must be .*got \{\}$"),
            (
                "block_size",
                {"low": 2, "hgih": 3},
                r"unknown key 'hgih' in search\.block_size; did you mean high\? known: high",
            ),
            (
                "block_size",
                {"choices": [1], "low": 1},
                r"unknown key 'low' in search\.block_size; known: c",
            ),
            ("block_size", {"low": 2}, r"search\.block_size lacks 'high'"),
            ("block_size", {"high": 2}, r"search\.block_size lacks 'low'"),
            ("block_size", {"low": 3, "high": 2}, r"search\.block_size is empty: low 3 is above high 2"),
            ("block_size", {"low": 0, "high": 2}, r"search\.block_size must be from 1 to 256, got 0"),
            ("block_size", {"low": 2, "high": 257}, r"search\.block_size must be from 1 to 256, got 257"),
            ("block_size", {"low": "2", "high": 3}, r"search\.block_size must be a whole number, got '2'"),
            ("block_size", {"low": 2.0, "high": 3}, r"search\.block_size must be a whole number, got 2\.0"),
            ("block_size", {"low": True, "high": 3}, r"search\.block_size must be a whole number, got True"),
            ("block_size", {"low": 0, "high": 8, "log": True}, r"search\.block_size is log.*got low 0$"),
            ("momentum", {"low": 0.0, "high": 0.5, "log": True}, r"search\.momentum is log.*got low 0\.0$"),
            ("weight_decay", {"low": -1, "high": 0.5, "log": True}, r"search\.weight_decay is log.*low -1$"),
            (
                "block_size",
                {"low": 1, "high": 8, "log": 1},
                r"search\.block_size\.log must be true or.* 1$",
            ),
            ("block_size", {"low": 1, "high": 8, "log": True, "step": 1}, r"block_size .* both log and step"),
            (
                "block_size",
                {"low": 2, "high": 9, "step": 2},
                r"block_size: steps of 2 from 2 do not .* 9",
            ),
            (
                "momentum",
                {"low": 0, "high": 0.9, "step": 0.2},
                r"steps of 0\.2 from 0\.0 do not reach .* 0\.9",
            ),
            ("momentum", {"low": 0, "high": 0.1, "step": 0.2}, r"momentum: steps of 0\.2"),
            ("block_size", {"low": 2, "high": 8, "step": 0}, r"block_size\.step must be .* above 0 .*got 0$"),
            ("block_size", {"low": 2, "high": 8, "step": -2}, r"block_size\.step must be .*got -2$"),
            ("block_size", {"low": 2, "high": 8, "step": 1.5}, r"block_size\.step must be .*got 1\.5$"),
            ("block_size", {"low": 2, "high": 8, "step": True}, r"block_size\.step must be .*got True$"),
            ("momentum", {"low": 0, "high": 0.5, "step": math.nan}, r"momentum\.step must be .*got nan$"),
            ("momentum", {"low": 0, "high": 0.5, "step": math.inf}, r"momentum\.step must be .*got inf$"),
            ("momentum", {"low": 0, "high": 0.5, "step": 1e-30}, r"momentum\.step must leave .*got 1e-30$"),
            ("momentum", {"low": math.nan, "high": 0.5}, r"search\.momentum must be from 0.*got nan"),
            ("learning_rate", {"low": 0.1, "high": math.inf}, r"search\.learning_rate must be .*got inf"),
            ("schedule", {"low": 1, "high": 2}, r"search\.schedule is not a number and needs choices"),
            ("block_size", {"choices": []}, r"search\.block_size\.choices must be a list .*got \[\]$"),
            ("block_size", {"choices": 3}, r"search\.block_size\.choices must be a list .*got 3$"),
            ("block_size", {"choices": [2, 2]}, r"search\.block_size\.choices holds 2 twice"),
            ("learning_rate", {"choices": [1, 1.0]}, r"search\.learning_rate\.choices holds 1\.0 twice"),
            ("block_size", {"choices": [1, True]}, r"search\.block_size must be a whole number, got True"),
            ("learning_rate", {"choices": [1, True]}, r"search\.learning_rate must be a number, got True"),
            ("block_size", {"choices": [1, 1.0]}, r"search\.block_size must be a whole number, got 1\.0"),
            ("block_size", {"choices": [0, 2]}, r"search\.block_size must be from 1 to 256, got 0"),
            ("schedule", {"choices": ["linear"]}, r"search\.schedule must be step or cosine, got 'linear'"),
        ],
    )
    def test_entry_that_breaks_a_rule_is_refused(self, name: str, entry: Any, message: str) -> None:
        """The refusal names the key, the value and the rule."""
        with pytest.raises(StudyFileError, match=message):
            parse(**{name: entry})

    @pytest.mark.parametrize(
        ("low", "high", "step"), [(0.1, 0.3, 0.1), (0.0, 0.9, 0.3), (0.01, 0.07, 0.02), (0.1, 0.7, 0.2)]
    )
    def test_decimal_steps_reach_their_end(self, low: float, high: float, step: float) -> None:
        """0.1, 0.2, 0.3 is a range, although 0.1 + 0.1 + 0.1 is not 0.3 in binary."""
        assert parse(momentum={"low": low, "high": high, "step": step})["momentum"].high == high


class TestSpaceOfList:
    def test_it_is_the_smallest_that_holds_all(self) -> None:
        """Ranges go from the least to the greatest value, texts are the choices that occur."""
        listed = [
            {"learning_rate": 1, "block_size": 5, "schedule": "step"},
            {"block_size": 2, "learning_rate": 0.1, "schedule": "cosine"},
            {"block_size": 3, "learning_rate": 0.3, "schedule": "step"},
        ]
        assert space_of_list(listed, MLP) == {
            "block_size": Range(2, 5),
            "learning_rate": Range(0.1, 1.0),
            "schedule": Choices(("cosine", "step")),
        }
        assert space_of_list([], MLP) == {}

    @pytest.mark.parametrize(
        ("listed", "message"),
        [
            (
                [{"block_size": 2, "batch_size": 8}, {"block_size": 2}],
                r"same .*; one lacks batch_size",
            ),
            (
                [{"block_size": 2}, {"block_size": 2, "batch_size": 8}],
                r"same .*; one lacks batch_size",
            ),
            ([{"block_size": 2, "seed": 1}], r"unknown key 'seed' in \[\[trial\]\]"),
            ([{"blocksize": 2}], r"unknown key 'blocksize' in \[\[trial\]\]; known: block_size"),
        ],
    )
    def test_uneven_or_unknown_lists_are_refused(self, listed: list[dict[str, Any]], message: str) -> None:
        """All configurations set the same, known hyperparameters; a seed is none."""
        with pytest.raises(StudyFileError, match=message):
            space_of_list(listed, MLP)

    @pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 2**63 - 1])
    @pytest.mark.parametrize("beside", [1, 0.5])
    def test_a_whole_number_that_a_database_would_change_is_refused(self, value: int, beside: float) -> None:
        """Beside whole numbers and beside fractions; the line names the configuration and the way out."""
        task = program(trial=[{"x": beside}, {"x": value}])
        with pytest.raises(
            StudyFileError, match=r"\[\[trial\]\] number 2: x must be .* search\.x = "
        ) as caught:
            space_of_list([{"x": beside}, {"x": value}], task)
        assert f"got {value:,}" in str(caught.value)


class TestWholeNumbersOfARange:
    """A database stores the values of a range as floats, which have each whole number up to 2**53."""

    @pytest.mark.parametrize("end", ["low", "high"])
    @pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)])
    def test_an_end_that_a_database_would_change_is_refused(self, end: str, value: int) -> None:
        """The line names the end, the value and the way out."""
        entry = {"low": 0, "high": 0} | {end: value}
        with pytest.raises(StudyFileError, match=rf"search\.x\.{end} must be .* search\.x = ") as caught:
            parse_space({"x": entry}, program(search={"x": entry}))
        assert f"got {value:,}" in str(caught.value)

    def test_the_last_exact_ones_and_choices_of_any_size_are_taken(self) -> None:
        """Choices are stored by their place, so they may be larger; fractions are floats anyway."""
        search = {
            "x": {"low": -(2**53), "high": 2**53},
            "y": {"choices": [2**63 - 1, 2**63 - 2]},
            "z": {"low": 0.5, "high": 2**60},
        }
        space = parse_space(search, program(search=search))
        assert space == {
            "x": Range(-(2**53), 2**53),
            "y": Choices((2**63 - 1, 2**63 - 2)),
            "z": Range(0.5, 2.0**60),
        }
        for dimension, values in (("x", (-(2**53), 2**53)), ("y", space["y"].choices)):
            assert all(
                space[dimension].external(space[dimension].internal(value)) == value for value in values
            )

    def test_a_stored_study_of_the_largest_ones_is_read_again(self, tmp_path: Path) -> None:
        """Range, choices and list: what was trained is what is stored."""
        large = {"x": {"low": 0.0, "high": 1.0}}
        for number, changes in enumerate(
            (
                {"search": large | {"y": {"low": 2**53 - 1, "high": 2**53}}},
                {"search": large | {"y": {"choices": [2**55 + 1, 2**55 + 2]}}},
                {"trial": [{"y": 2**53}, {"y": -(2**53)}], "sampler": "listed", "trials": 2},
            )
        ):
            folder = tmp_path / str(number)
            folder.mkdir()
            spec = toy_study(**{"trials": 3, **changes})
            trials = run_toy(folder, spec).study.trials
            assert len(trials) == spec.total_trials
            assert all(spec.space["y"].contains(trial.params["y"]) for trial in trials)
