import math

import numpy as np
import pytest

from sweep.definition.dimension import Choices, Range
from sweep.samplers.importances import MIN_TRIALS, parameter_importances
from tests.support.study_evidence import made_study, made_trial

SPACE = {
    "x": Range(0.0, 1.0),
    "idle": Range(0.0, 1.0),
    "fixed": Range(0.0, 1.0),
    "kind": Choices(("a", "b")),
}


def study_of(losses, params):
    trials = [made_trial(k, loss, params=p) for k, (loss, p) in enumerate(zip(losses, params, strict=True))]
    return made_study(*trials, space=SPACE)


def drawn(n, seed=0):
    draw = np.random.default_rng(seed)
    return [
        {"x": float(draw.random()), "idle": float(draw.random()), "fixed": 0.5, "kind": "ab"[k % 2]}
        for k in range(n)
    ]


def test_what_the_loss_depends_on_comes_first_and_shares_sum_to_one():
    params = drawn(100)
    found = parameter_importances(study_of([2 + (p["x"] - 0.3) ** 2 for p in params], params))
    assert next(iter(found)) == "x"
    assert found["x"] > 0.8
    assert sum(found.values()) == pytest.approx(1.0)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_a_parameter_that_never_varies_has_no_importance():
    params = drawn(60)
    found = parameter_importances(study_of([2 + p["x"] for p in params], params))
    assert found.keys() == {"x", "idle", "kind"}


def test_a_parameter_that_some_trials_lack_is_judged_where_it_is():
    params = [p if k % 2 else {**p, "idle": None} for k, p in enumerate(drawn(80))]
    params = [{name: value for name, value in p.items() if value is not None} for p in params]
    found = parameter_importances(study_of([2 + p["x"] for p in params], params))
    assert max(found, key=found.get) == "x"
    assert all(math.isfinite(share) for share in found.values())


@pytest.mark.parametrize(
    ("n", "loss"),
    [(MIN_TRIALS - 1, lambda k: 2 + k), (50, lambda k: 2.0), (50, lambda k: math.nan)],
    ids=["few trials", "equal losses", "no finite loss"],
)
def test_says_nothing_where_nothing_can_be_said(n, loss):
    assert parameter_importances(study_of([loss(k) for k in range(n)], drawn(n))) == {}


def test_of_many_trials_some_of_every_rank_are_used(monkeypatch):
    """The shares are those of every fourth trial by rank, from the best on."""
    params = drawn(400)
    study = study_of([2 + (p["x"] - 0.3) ** 2 for p in params], params)
    best_first = sorted(params, key=lambda p: abs(p["x"] - 0.3))
    quarter = study_of([2 + (p["x"] - 0.3) ** 2 for p in best_first[::4]], best_first[::4])
    monkeypatch.setattr("sweep.samplers.importances.MOST", 100)
    assert parameter_importances(study) == pytest.approx(parameter_importances(quarter))
