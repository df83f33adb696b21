"""The searches that are compared: the product's samplers, and peers as their documentation asks for them."""

import importlib.util
from collections.abc import Mapping
from typing import NamedTuple

from sweep.definition.dimension import Range
from sweep.definition.space import Space
from tests.benchmarks.samplers.own import sweep
from tests.benchmarks.samplers.peers import PEERS
from tests.benchmarks.samplers.simulate import WORKERS, MakeSearcher


class Search(NamedTuple):
    """One way to search."""

    make: MakeSearcher
    workers: int = WORKERS
    needs: str = "optuna"
    """Module without which it is left out."""
    seeds: int = 30
    trials: int = 100
    only_ranges: bool = False
    """Whether it searches ranges alone, no choices and no conditions."""

    @property
    def is_installed(self) -> bool:
        """Whether its library can be loaded."""
        return importlib.util.find_spec(self.needs) is not None

    def applies(self, space: Space) -> bool:
        """Return whether it can search a space."""
        ranges = not space.conditions and all(isinstance(each, Range) for each in space.values())
        return ranges or not self.only_ranges


RANDOM = "random"
REFERENCE = "Optuna TPE"

SEARCHES: Mapping[str, Search] = {
    RANDOM: Search(sweep("random")),
    "random, twice the workers": Search(sweep("random"), workers=2 * WORKERS),
    "qmc": Search(sweep("qmc")),
    "tpe": Search(sweep("tpe")),
    "gp": Search(sweep("gp"), seeds=10, trials=50),
    "gp_cost": Search(sweep("gp_cost")),
    **{name: Search(**arguments) for name, arguments in PEERS.items()},
}
