"""Engines name the fields that they honour, and a field that is added later changes no stored hash."""

import dataclasses

import pytest

from sweep.errors import DeviceError
from sweep.task import check_honoured
from sweep.trainers.mlp.config import FIELD_TYPES, LATER, TrainConfig, later_defaults
from sweep.trainers.mlp.engines import ENGINES
from sweep.trainers.mlp.honoured import HONOURED
from sweep.trainers.mlp.trainer import MLP


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Smoothed(TrainConfig):
    label_smoothing: float = dataclasses.field(default=0.0, metadata=LATER)


def test_each_engine_names_fields_that_exist() -> None:
    """And the reference engine knows every one of them."""
    assert HONOURED.keys() == ENGINES.keys()
    assert all(fields <= FIELD_TYPES.keys() for fields in HONOURED.values())
    assert HONOURED["autograd"] == FIELD_TYPES.keys()


@pytest.mark.parametrize("engine", ["autograd", "fused"])
def test_the_engines_of_the_cpu_honour_every_field(engine: str) -> None:
    """Every field may be searched on them."""
    check_honoured(MLP, engine, FIELD_TYPES)


@pytest.mark.parametrize("name", ["optimizer", "hidden_layers", "dropout"])
def test_an_engine_is_refused_with_what_it_cannot_do(name: str) -> None:
    """One line names the engine and the field."""
    with pytest.raises(DeviceError, match=rf"^engine population would ignore {name}; choose another engine$"):
        check_honoured(MLP, "population", [name])


def test_a_later_field_is_hashed_only_when_it_is_changed() -> None:
    """The hash at the default is the one of the release without the field."""
    assert later_defaults(Smoothed) == {**later_defaults(TrainConfig), "label_smoothing": 0.0}
    assert Smoothed().sha256() == TrainConfig().sha256()
    assert Smoothed(label_smoothing=0.1).sha256() != TrainConfig().sha256()
