"""Who searches? The product's own samplers and pruners, in the way that the driver uses them."""

from collections.abc import Callable

from sweep.definition.registries import PRUNERS, SAMPLERS
from sweep.samplers.mirror import Mirror
from tests.benchmarks.tabular.simulate import Searcher
from tests.benchmarks.tabular.table import Table

LOSS_CEILING = 3.296


class Sweep:
    """A sampler and a pruner of the product."""

    def __init__(self, table: Table, seed: int, sampler: str, pruner: str) -> None:
        self._table, self._seed, self._sampler, self._pruner = table, seed, sampler, pruner
        self._mirror = Mirror(table.space, LOSS_CEILING, [])
        self._rungs: dict[int, dict[int, float]] = {}
        self._asked = 0

    def ask(self) -> tuple[int, int]:
        number = self._asked
        self._asked += 1
        sampler = SAMPLERS[self._sampler](self._table.space, self._seed, number, self._table.work)
        params = self._mirror.ask(number, sampler)
        return number, self._table.places[tuple(params.values())]

    def report(self, trial: int, percent: int, loss: float) -> bool:
        self._rungs.setdefault(percent, {})[trial] = loss
        self._mirror.report(trial, percent, loss)
        gives_up = PRUNERS[self._pruner](self._rungs, trial, percent)
        if gives_up:
            self._mirror.end(trial, "pruned", None)
        return gives_up

    def end(self, trial: int, loss: float) -> None:
        self._mirror.end(trial, "complete", loss)


def sweep(sampler: str, pruner: str) -> Callable[[Table, int], Searcher]:
    return lambda table, repeat: Sweep(table, repeat, sampler, pruner)
