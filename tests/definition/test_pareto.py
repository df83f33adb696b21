"""The front against its definition, the area against counted cells, and what a study's lines say."""

import itertools
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.study._multi_objective import _fast_non_domination_rank

from sweep.definition.pareto import front_ranks, front_ranks_of_many, hypervolume, hypervolume_of_many, knee
from sweep.definition.ranking import rank_trials
from sweep.reporting.table.formats import FORMATS
from sweep.reporting.table.listing import Listing
from sweep.reporting.table.pareto_summary import describe_front
from tests.support.study_records import study, trial

POINTS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=40)
"""So few places that ties and duplicates are the rule."""


def dominates(a, b):
    return a[0] <= b[0] and a[1] <= b[1] and a != b


def ranks_by_definition(points):
    """Peel off the points that no other dominates, as often as it takes."""
    ranks, left, front = {}, set(points), 1
    while left:
        best = {p for p in left if not any(dominates(q, p) for q in left)}
        ranks |= dict.fromkeys(best, front)
        left, front = left - best, front + 1
    return [ranks[p] for p in points]


@given(POINTS)
def test_fronts_are_those_of_the_definition(points):
    """In any order, with ties in one objective and equal points, which share their front."""
    assert front_ranks(points) == ranks_by_definition(points)


@given(POINTS, st.tuples(st.integers(0, 8), st.integers(0, 8)))
def test_the_hypervolume_is_the_number_of_dominated_cells(points, reference):
    """Whole coordinates make the area a number of unit squares; points beyond the reference add none."""
    cells = [(x, y) for x in range(reference[0]) for y in range(reference[1])]
    dominated = [cell for cell in cells if any(p[0] <= cell[0] and p[1] <= cell[1] for p in points)]
    assert hypervolume(points, reference) == len(dominated)


MANY = st.lists(st.tuples(*[st.integers(0, 5)] * 3), max_size=30)


@given(MANY)
def test_fronts_of_three_objectives_are_those_of_optuna(points):
    """Optuna counts fronts from 0."""
    theirs = _fast_non_domination_rank(np.array(points, dtype=float).reshape(-1, 3)) + 1
    assert front_ranks_of_many(points) == theirs.tolist()


@given(MANY, st.tuples(*[st.integers(0, 6)] * 3))
def test_the_volume_of_three_objectives_is_the_number_of_dominated_cells(points, reference):
    """Whole coordinates make it a number of unit cubes."""
    cells = list(itertools.product(*map(range, reference)))
    dominated = [cell for cell in cells if any(all(map(operator.le, p, cell)) for p in points)]
    assert hypervolume_of_many(points, reference) == len(dominated)


@given(POINTS)
def test_two_objectives_give_the_same_by_both_ways(points):
    """The ways for any number of objectives agree with those for two."""
    assert front_ranks_of_many(points) == front_ranks(points)
    assert hypervolume_of_many(points, (6, 6)) == hypervolume(points, (6, 6))


@pytest.mark.parametrize(
    ("front", "found"),
    [
        ([(0, 1), (0.1, 0.2), (1, 0)], (0.1, 0.2)),  # 1 - 0.1 - 0.2 below the line
        ([(100, 3.0), (300, 2.2), (200, 2.5), (500, 2.1)], (300, 2.2)),  # 0.389 below; (200, 2.5) 0.306
        ([(0, 1), (0.5, 0.5), (1, 0)], None),  # straight
        ([(0, 1), (0.6, 0.6), (1, 0)], None),  # bulges outwards
        ([(0, 1), (1, 0)], None),
        ([(2, 2)], None),
        ([(2, 2), (2, 2)], None),
    ],
)
def test_the_knee_is_the_point_farthest_below_the_line_between_the_ends(front, found):
    """Both axes count alike, whatever their units."""
    assert knee(front) == found


def sized(number, n_params, dev_loss=None, **changes):
    facts = {"n_params": n_params, "examples_seen": 1}
    return trial(number, dev_loss, params={"hidden_neurons": n_params}, facts=facts, **changes)


@pytest.fixture
def record():
    """Front: 10 (2.9), 100 (2.3, two replicates), 1000 (2.2). Beaten by it: 100 000, 20, and then 30."""
    return study(
        sized(0, 1_000, 2.2),
        sized(1, 100, 2.2),
        sized(2, 100, 2.4),
        sized(3, 10, 2.9),
        sized(4, 100_000, 2.2),
        sized(5, 30, 3.1),
        sized(6, 20, 2.95),
        sized(7, 5, state="diverged", reason="diverged: nan"),
        objectives=["dev_loss", "n_params"],
    )


class TestTable:
    def test_the_front_comes_first_and_each_front_by_loss(self, record):
        """Replicates count with their mean: a lucky seed of 2.2 puts no row on the front."""
        rows = rank_trials(record).records
        assert [(row["rank"], row["front"], row["trial"]) for row in rows] == [
            *((1, 1, 0), (2, 1, 1), (3, 1, 3), (4, 2, 4), (5, 2, 6), (6, 3, 5), (None, None, 7))
        ]
        assert rows[1]["value"] == pytest.approx(2.3)

    def test_seconds_are_the_mean_of_the_replicates(self):
        """Two trials of 10 and 30 s beat one of 25 s only by their mean of 20."""
        record = study(
            *(trial(0, 2.2, seconds=10.0), trial(1, 2.2, seconds=30.0), sized(2, 9, 2.3, seconds=25.0)),
            objectives=["dev_loss", "train_seconds"],
        )
        assert list(rank_trials(record)["front"]) == [1, 2]

    def test_a_row_without_a_cost_counts_as_the_costliest(self):
        """A damaged record ranks behind what has the same loss, and nothing fails."""
        bare = [trial(9, 2.1, facts={}), trial(10, 2.5, facts={}, params={})]
        record = study(*bare, sized(0, 100, 2.3), objectives=["dev_loss", "n_params"])
        rows = rank_trials(record)
        assert list(zip(rows["trial"], rows["front"], strict=True)) == [(9, 1), (0, 1), (10, 2)]
        assert len(describe_front(rows, record, 3.3)) == 2

    @pytest.mark.parametrize("name", FORMATS)
    def test_every_format_tells_the_front(self, name, record):
        text = FORMATS[name](Listing(rank_trials(record), record))
        assert "front" in text
        assert "front" not in FORMATS[name](Listing(rank_trials(study(trial(0, 2.0))), study(trial(0, 2.0))))

    def test_text_colours_the_front_and_says_what_it_is(self, record):
        text = FORMATS["text"](Listing(rank_trials(record), record, colour=True, width=None))
        green = [line for line in text.splitlines() if "\x1b[1;32m" in line]
        assert [loss in line for loss, line in zip(("2.2000", "2.3000", "2.9000"), green, strict=True)] == [
            True
        ] * 3
        assert "front: 1 where no other row is as low in both dev loss and n_params and lower in one" in text

    def test_the_objectives_are_the_last_that_a_narrow_terminal_does_without(self, record):
        text = FORMATS["text"](Listing(rank_trials(record), record, width=36))
        assert "front" in text.split("left out")[0]
        assert "100,000" in text

    def test_a_log_entry_has_both_objectives(self, record):
        first = FORMATS["log"](Listing(rank_trials(record), record)).split("\n\n")[0]
        assert first.splitlines()[-3:] == ["dev_loss = 2.2000", "n_params = 1000", "front = 1"]


class TestSummary:
    def test_says_how_many_stand_on_the_front_and_what_it_covers(self, record):
        """By hand, reference (5, 3.3): decades 1, 2 and 3 give 4 x 0.4 + 3 x 0.6 + 2 x 0.1 = 3.6."""
        lines = describe_front(rank_trials(record), record, 3.3)
        assert lines[0] == (
            "Pareto front: 3 of 6 configurations (4 trials) are beaten by none in dev_loss and n_params"
        )
        assert lines[1].startswith(
            "hypervolume: 3.600 nats x decades of n_params, reference point dev_loss 3.3"
        )
        assert lines[1].endswith("n_params 100,000 (the costliest here)")
        assert lines[2].endswith("ends: trial 1, dev_loss 2.3000, n_params 100")

    def test_is_silent_where_there_is_no_front(self, record):
        """One objective, no trial yet, or none complete."""
        one, empty = study(trial(0, 2.0)), study(objectives=["dev_loss", "n_params"])
        lost = study(trial(0, state="failed"), objectives=["dev_loss", "n_params"])
        assert [describe_front(rank_trials(case), case, 3.3) for case in (one, empty, lost)] == [[], [], []]
