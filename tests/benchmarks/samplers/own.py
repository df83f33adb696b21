"""The product's samplers, used as the driver uses them: made anew for each proposal, taught by the mirror."""

from sweep.definition.registries import SAMPLERS
from sweep.samplers.mirror import Mirror
from tests.benchmarks.samplers.simulate import MakeSearcher
from tests.benchmarks.samplers.task import Params, Task


class Sweep:
    """A sampler of the product."""

    def __init__(self, task: Task, seed: int, sampler: str, cost: str | None = None) -> None:
        self._task, self._seed, self._sampler = task, seed, sampler
        self._cost = cost
        self._mirror = Mirror(task.space, None, [], cost=cost)
        self._asked = 0

    def ask(self) -> tuple[int, Params]:
        """Propose the next trial."""
        number = self._asked
        self._asked += 1
        sampler = SAMPLERS[self._sampler](self._task.space, self._seed, number, self._task.work)
        return number, self._mirror.ask(number, sampler)

    def tell(self, trial: int, loss: float, seconds: float) -> None:
        """End the trial in the mirror; the seconds are the cost if the study has one."""
        self._mirror.end(trial, "complete", loss, None if self._cost is None else seconds)


def sweep(sampler: str) -> MakeSearcher:
    """Return what makes the searcher of a sampler of ``SAMPLERS``."""
    return lambda task, seed, trials: Sweep(task, seed, sampler)
