"""Engines name the fields that they honour, and a field that is added later changes no stored hash."""

import dataclasses

from sweep.task import check_honoured
from sweep.tasks.mlp.config import FIELD_TYPES, LATER, TrainConfig, later_defaults
from sweep.tasks.mlp.engines import ENGINES
from sweep.tasks.mlp.honoured import HONOURED
from sweep.tasks.mlp.trainer import MLP


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Smoothed(TrainConfig):
    label_smoothing: float = dataclasses.field(default=0.0, metadata=LATER)


def test_each_engine_names_fields_that_exist() -> None:
    """And the reference engine knows every one of them."""
    assert HONOURED.keys() == ENGINES.keys()
    assert all(fields <= FIELD_TYPES.keys() for fields in HONOURED.values())
    assert HONOURED["autograd"] == FIELD_TYPES.keys()


def test_todays_hyperparameters_are_refused_by_no_engine() -> None:
    """Every field may be searched on every engine."""
    for engine in ENGINES:
        check_honoured(MLP, engine, FIELD_TYPES)


def test_a_later_field_is_hashed_only_when_it_is_changed() -> None:
    """The hash at the default is the one of the release without the field."""
    assert later_defaults(Smoothed) == {"label_smoothing": 0.0}
    assert Smoothed().sha256() == TrainConfig().sha256()
    assert Smoothed(label_smoothing=0.1).sha256() != TrainConfig().sha256()
