"""The plan of a confirmation: its seeds, its settings, and how it is stored."""

import pytest

from sweep.certify.confirm_plan import ConfirmPlan, ConfirmSettings, round_seed
from sweep.definition.seeds import PARTS, part_seed
from sweep.definition.spec import StudySpec
from sweep.errors import ConfigError
from sweep.trainers.mlp.config import TrainConfig
from tests.support.made_plan import WIDE, plan


def test_no_round_has_a_seed_that_a_search_can_have() -> None:
    """The search's seeds are below 2**32, choice and certificate each have 2**32 of their own above."""
    ranges = {"choice": range(2**32, 2**33), "certify": range(2**33, 3 * 2**32)}
    seeds = {
        (phase, number): round_seed(fingerprint, phase, number, WIDE)
        for phase in ranges
        for number in range(500)
        for fingerprint in ("5" * 64,)
    }
    assert len(set(seeds.values())) == 1_000
    assert all(seed in ranges[phase] for (phase, _), seed in seeds.items())
    for seed in seeds.values():
        TrainConfig(seed=seed)  # a seed that the trainer takes
    spec = StudySpec(name="s", objectives=("dev_loss",), data={}, fixed={}, space={})
    assert all(0 <= spec.trial_seed(number) < 2**32 for number in range(1_000))


def test_three_parts_share_a_narrow_range_of_seeds() -> None:
    """Below 2**31, which every library takes, search, choice and certificate have a third each."""
    third = 2**31 // 3
    for place, part in enumerate(PARTS):
        seeds = {part_seed(2**31, part, "study", number) for number in range(2_000)}
        assert all(place * third <= seed < (place + 1) * third for seed in seeds)
        assert len(seeds) == 2_000


def test_another_study_has_other_seeds() -> None:
    """The fingerprint of the study goes into every seed."""
    assert round_seed("a" * 64, "choice", 0, WIDE) != round_seed("b" * 64, "choice", 0, WIDE)


def test_a_plan_survives_json() -> None:
    """A stored plan reads back as it was."""
    asked = plan(1.0, 2.0, seeds=6, method="race")
    assert ConfirmPlan.from_dict(asked.to_dict()) == asked
    assert plan(3.0, 5.0, seeds=4, certify=3).expected_seconds == 4 * 8 + 3 * 5


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"seeds": 1}, "--seeds must be 2 or more with method fixed, got 1"),
        ({"seeds": 4, "method": "race"}, "--seeds must be 5 or more with method race, got 4"),
        ({"certify": 1}, "--certify must be 2 or more"),
        ({"delta": 0.0}, "--delta must be above 0"),
        ({"delta": float("nan")}, "--delta must be above 0"),
        ({"alpha": 0.5}, "--alpha must be above 0 and below 0.5"),
        ({"top": 0}, "--top must be 1 or more"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], words: str) -> None:
    """Each names the option, the rule and the value."""
    with pytest.raises(ConfigError, match=words):
        ConfirmSettings(**{"delta": 0.003, **settings})  # type: ignore[arg-type]


def test_a_plan_without_cuts_is_that_of_earlier_releases() -> None:
    """It has no key of theirs, so that a stored plan stays the latest one."""
    plain = plan(1.0).to_dict()
    assert plain.keys() == {"made", "fingerprint", "trials_seen", "candidates", "settings"}
    assert plain["settings"].keys() == {"top", "seeds", "certify", "method", "delta", "alpha"}
    assert ConfirmPlan.from_dict(plain) == plan(1.0)


@pytest.mark.parametrize("resplit", [-1, 1, 9])
def test_fewer_than_ten_cuts_are_refused(resplit: int) -> None:
    """Their spread is not reliable."""
    with pytest.raises(ConfigError, match=f"--resplit must be 10 or more.*got {resplit}"):
        plan(1.0, resplit=resplit)
