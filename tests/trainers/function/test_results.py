"""What a function may return."""

import numpy as np
import pytest
import torch

from sweep.trainers.function.faults import RefusedError
from sweep.trainers.function.results import as_values

GOOD = [
    (0.5, {"value": 0.5}),
    (np.float32(0.5), {"value": 0.5}),
    (torch.tensor(2), {"value": 2.0}),
    ({"accuracy": np.array(0.5), "epochs": 3}, {"accuracy": 0.5, "epochs": 3.0}),
]


@pytest.mark.parametrize(("returned", "values"), GOOD)
def test_a_number_or_a_dict_with_the_metric_is_a_result(returned: object, values: dict[str, float]) -> None:
    """In each form that libraries use for numbers."""
    assert as_values(returned, ["accuracy"], "train") == values


def test_other_entries_that_are_no_numbers_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with a line on stderr; the trial is not lost for them."""
    returned = {"accuracy": 0.5, "history": [1, 2], "note": "fine", 3: 4}
    assert as_values(returned, ["accuracy"], "train") == {"accuracy": 0.5, "3": 4.0}
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" must")[0] for line in lines] == ["sweep: 'history'", "sweep: 'note'"]


async def _later() -> float:
    return 0.5


BAD = [
    (None, "the result of train must be one number, got None; return 'accuracy' as a number, or in a dict"),
    (True, "the result of train must be one number, got the bool True; return"),
    ("0.5", "the result of train must be one number, got the str '0.5'; return"),
    ([0.5], "the result of train must be one number, got an object of type list; return"),
    ((0.5, 1), "the result of train must be one number, got an object of type tuple; return"),
    (np.zeros(3), "the result of train must be one number, got ndarray of shape (3,); return"),
    (torch.zeros(1, 1), "the result of train must be one number, got Tensor of shape (1, 1); return"),
    ((n for n in range(3)), "train returned a generator; it must return a number itself"),
    ({}, "the dict that train returned lacks the metric 'accuracy'; it contains: nothing"),
    (
        {"acuracy": 1, "b": 2},
        "the dict that train returned lacks the metric 'accuracy'; did you mean acuracy? ",
    ),
    ({"accuracy": None}, "in the result of train 'accuracy' must be one number, got None"),
    (
        {"accuracy": {"mean": 1}},
        "in the result of train 'accuracy' must be one number, got an object of type dict",
    ),
]


@pytest.mark.parametrize(("returned", "line"), BAD)
def test_everything_else_is_refused_by_its_kind(returned: object, line: str) -> None:
    """In one line that says what to return."""
    with pytest.raises(RefusedError) as refused:
        as_values(returned, ["accuracy"], "train")
    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)


def test_a_coroutine_is_refused() -> None:
    """A function that returns one has not trained."""
    coroutine = _later()
    with pytest.raises(RefusedError, match="train returned a coroutine"):
        as_values(coroutine, ["accuracy"], "train")
    coroutine.close()


@pytest.mark.parametrize("returned", [0.5, {"accuracy": 1}])
def test_two_metrics_must_both_be_there(returned: object) -> None:
    """A number or a half of them says too little."""
    with pytest.raises(RefusedError, match="latency"):
        as_values(returned, ["accuracy", "latency"], "train")
