"""The work of a program's configurations, learned from the seconds of trials whose law is known."""

import numpy as np
import pytest

from sweep.definition.dimension import Choices, Range
from sweep.definition.space import Space
from sweep.samplers.learned_work import learned_work

SPACE = Space({"x": Range(0.0, 1.0), "kind": Choices(("small", "large"))})


def drawn(count: int) -> list[dict[str, object]]:
    draw = np.random.default_rng(0)
    return [{"x": draw.random(), "kind": ("small", "large")[draw.integers(2)]} for _ in range(count)]


def one(params: object) -> float:
    return 1.0


@pytest.mark.parametrize(
    ("params", "seconds"), [({"x": 0.2, "kind": "small"}, 1.0), ({"x": 0.2, "kind": "large"}, 16.0)]
)
def test_what_decides_the_seconds_is_learned(params: dict[str, object], seconds: float) -> None:
    """Large takes sixteen seconds and small one, with a fifth of noise."""
    noise = np.random.default_rng(1)
    timed = [
        (made, (16.0 if made["kind"] == "large" else 1.0) * np.exp(0.2 * noise.standard_normal()))
        for made in drawn(20)
    ]
    assert learned_work(SPACE, timed, one)(params) == seconds


def test_the_known_part_of_the_work_counts() -> None:
    """Seconds are proportional to the epochs; thirty times as many as any that was timed."""
    timed = [({**made, "epochs": n}, 2.0 * n) for n, made in enumerate(drawn(12), start=1)]

    def epochs(params: dict[str, object]) -> float:
        return float(params["epochs"])

    found = learned_work(SPACE, timed, epochs)({"x": 0.5, "kind": "small", "epochs": 360})
    assert found in (512.0, 1024.0)  # 720, to a power of two


def test_noise_changes_nothing() -> None:
    """Trials of two seconds with a tenth of noise: all configurations have one and the same work."""
    noise = np.random.default_rng(2)
    timed = [(made, 2.0 * np.exp(0.1 * noise.standard_normal())) for made in drawn(30)]
    work = learned_work(SPACE, timed, one)
    assert {work(params) for params in drawn(50)} == {2.0}


def test_the_same_records_give_the_same_work() -> None:
    timed = [(made, 1.0 + made["x"]) for made in drawn(8)]
    first, second = (learned_work(SPACE, timed, one) for _ in range(2))
    assert [first(params) for params in drawn(20)] == [second(params) for params in drawn(20)]


def test_few_trials_teach_nothing() -> None:
    """Up to four, the known work is all."""
    assert learned_work(SPACE, [({"x": 0.1, "kind": "small"}, 9.0)] * 4, one)({"x": 0.5}) == 1.0
