"""The toy with data of its own: items cut into train, dev and a test part that trials cannot reach."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.support.toy_task import ToyConfig, ToyData, ToyTask

PARTS = {"train": ["a", "b", "Cc"], "dev": ["cc", "dd", "e", "e"]}
TEST = ["ff", "g", "Gg"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnitToy(ToyTask):
    """An item's size is its length, and its loss x times that, and 1 more if it has a g."""

    name: str = "unit-toy"
    unit: str = "item"

    def units(self, data: ToyData, part: str) -> list[str]:
        return PARTS[part]

    def load_test_units(self, section: Mapping[str, Any]) -> list[str]:
        return TEST

    def same_source(self, section: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return [section]

    def unit_key(self, unit: str) -> str:
        return unit.lower()

    def unit_losses(self, config: ToyConfig, data: ToyData, state: bytes, units: Sequence[str]) -> np.ndarray:
        return np.array([config.x * len(unit) + ("g" in unit.lower()) for unit in units])

    def unit_sizes(self, units: Sequence[str]) -> np.ndarray:
        return np.array([len(unit) for unit in units])

    def units_loss(self, config: ToyConfig, data: ToyData, state: bytes, units: Sequence[str]) -> float:
        losses = self.unit_losses(config, data, state, units)
        return float(losses.sum() / self.unit_sizes(units).sum())


UNIT_TOY = UnitToy()
