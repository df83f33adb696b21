import math

import pytest

from sweep.definition.ranking import rank_trials, table_columns
from tests.support.study_records import study, trial

ISSUE_KEYS = [
    *("rank", "trial", "trials", "state", "block_size", "hidden_neurons", "embedding_dim", "num_steps"),
    *("batch_size", "value", "value_sd", "n", "seeds", "n_params", "examples_seen"),
    *("train_seconds", "engine", "device", "reason"),
]


def rows_of(record):
    return rank_trials(record).records


def with_units(number, units, dev_loss=None, **changes):
    return trial(number, dev_loss, params={"hidden_neurons": units}, **changes)


def test_columns_are_the_published_keys():
    assert list(rank_trials(study(trial(0, 2.5))).columns) == ISSUE_KEYS
    logged = study(trial(0, 2.5), listed=[{"hidden_neurons": 200}], logged=(2.4,))
    assert list(rank_trials(logged).columns) == [*ISSUE_KEYS, "logged", "diff"]


def test_other_searched_hyperparameters_follow_the_five_knobs():
    record = study(search=("learning_rate", "hidden_neurons", "schedule"))
    columns = table_columns(record)
    assert columns[columns.index("batch_size") + 1 : columns.index("value")] == [
        "learning_rate",
        "schedule",
    ]


def test_lowest_loss_is_first_and_ties_go_to_the_lower_number():
    rows = rows_of(study(with_units(2, 30, 2.4), with_units(1, 20, 2.4), with_units(0, 10, 2.5)))
    assert [(row["rank"], row["trial"], row["value"]) for row in rows] == [
        (1, 1, 2.4),
        (2, 2, 2.4),
        (3, 0, 2.5),
    ]


def test_replicates_are_pooled_to_mean_and_sample_spread():
    """Mean and spread of 2.0, 2.2, 2.7 by hand: 2.3 and sqrt((0.09 + 0.01 + 0.16) / 2)."""
    rows = rows_of(
        study(trial(5, 2.7, seconds=30.0), trial(1, 2.0, seconds=10.0), trial(3, 2.2, seconds=20.0))
    )
    assert len(rows) == 1
    (row,) = rows
    assert row["value"] == pytest.approx(2.3)
    assert row["value_sd"] == pytest.approx(math.sqrt(0.13))
    assert (row["n"], row["trial"], row["trials"], row["seeds"]) == (3, 1, [1, 3, 5], [1001, 1003, 1005])
    assert row["train_seconds"] == pytest.approx(20.0)


def test_one_replicate_has_no_spread():
    (row,) = rows_of(study(trial(0, 2.5)))
    assert row["value_sd"] is None
    assert row["n"] == 1


def test_trials_without_a_final_loss_follow_in_blocks_without_rank():
    states = ["waiting", "failed", "pruned", "running", "timeout", "diverged"]
    others = [with_units(n, n + 1, state=state, reason="why") for n, state in enumerate(states)]
    rows = rows_of(study(*others, with_units(7, 90, state="pruned"), with_units(8, 99, 9.9)))
    assert [row["state"] for row in rows] == [
        *("complete", "pruned", "pruned", "diverged", "timeout", "failed", "running", "waiting")
    ]
    assert [row["rank"] for row in rows] == [1, *[None] * 7]
    assert [row["trial"] for row in rows[1:3]] == [2, 7]
    assert all(row["value"] is None and row["n"] == 0 for row in rows[1:])


def test_replicates_of_one_configuration_part_by_state():
    rows = rows_of(study(trial(0, 2.0), trial(1, state="diverged", reason="inf"), trial(2, 2.2)))
    assert [(row["state"], row["trials"], row["reason"]) for row in rows] == [
        ("complete", [0, 2], None),
        ("diverged", [1], "inf"),
    ]


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf, None])
def test_a_complete_trial_without_finite_loss_never_ranks(loss):
    """A minus infinity would else win every study."""
    rows = rows_of(study(with_units(0, 10, loss), with_units(1, 20, 2.5)))
    assert [(row["trial"], row["state"]) for row in rows] == [(1, "complete"), (0, "diverged")]
    assert rows[1]["reason"] == "the stored loss is not finite"


def test_no_cell_holds_a_number_that_is_not_finite():
    record = study(
        trial(4, 2.4, params={}),
        trial(0, math.nan, seconds=math.inf),
        trial(1, state="pruned", seconds=math.nan),
        trial(2, 2.5, facts={}),
        listed=[{"hidden_neurons": 200}],
        logged=(math.nan,),
    )
    cells = [cell for row in rows_of(record) for cell in row.values()]
    assert all(math.isfinite(cell) for cell in cells if isinstance(cell, float))


def test_fixed_knobs_come_from_the_study():
    (row,) = rows_of(study(trial(0, 2.5)))
    knobs = ("block_size", "hidden_neurons", "embedding_dim", "num_steps", "batch_size")
    assert [row[knob] for knob in knobs] == [3, 200, 10, 200_000, 32]


def test_log_is_compared_by_configuration_not_by_order():
    record = study(
        with_units(0, 30, 2.4),
        with_units(1, 20, 2.25),
        with_units(2, 40, 2.1),
        with_units(3, 30, state="failed"),
        listed=[{"hidden_neurons": 20}, {"hidden_neurons": 30}],
        logged=(2.2, 2.5),
    )
    rows = {row["trial"]: row for row in rows_of(record)}
    assert rows[1]["logged"] == 2.2
    assert rows[1]["diff"] == pytest.approx(0.05)
    assert rows[0]["diff"] == pytest.approx(-0.1)
    assert (rows[2]["logged"], rows[2]["diff"]) == (None, None)
    assert (rows[3]["logged"], rows[3]["diff"]) == (2.5, None)


def test_a_listed_configuration_without_log_has_none():
    (row,) = rows_of(study(trial(0, 2.5), listed=[{"hidden_neurons": 200}], logged=(None,)))
    assert (row["logged"], row["diff"]) == (None, None)


def test_engines_and_devices_of_a_pool_are_all_named():
    (row,) = rows_of(study(trial(0, 2.5), trial(1, 2.5, engine="fused", device="cuda:0")))
    assert (row["engine"], row["device"]) == ("autograd, fused", "cpu, cuda:0")


def test_a_study_without_trials_has_columns_and_no_rows():
    table = rank_trials(study())
    assert len(table) == 0
    assert list(table.columns) == ISSUE_KEYS
