"""What was tried beside the product's own ways of searching, and whether it would pay to build it."""

from sweep.definition.registries import SAMPLERS
from sweep.execution.pruners import REDUCTION_FACTOR
from sweep.samplers.mirror import Mirror
from tests.benchmarks.tabular.searchers import LOSS_CEILING, Sweep
from tests.benchmarks.tabular.table import Table


class Promotion(Sweep):
    """ASHA as its authors have it: every trial pauses at a rung, and the best third there is gone on with.

    References:
        Li et al., "A System for Massively Parallel Hyperparameter Tuning", 2020, algorithm 2.
    """

    def __init__(self, table: Table, seed: int, sampler: str) -> None:
        super().__init__(table, seed, sampler, "none")
        self._cells: dict[int, int] = {}
        self._promoted: dict[int, set[int]] = {}

    def ask(self) -> tuple[int, int]:
        """Return a trial that may be promoted, from the top rung down, or else a new one."""
        for percent in sorted(self._rungs, reverse=True):
            losses = self._rungs[percent]
            best = sorted(losses, key=losses.__getitem__)[: len(losses) // REDUCTION_FACTOR]
            for trial in best:
                if trial not in self._promoted.setdefault(percent, set()):
                    self._promoted[percent].add(trial)
                    return trial, self._cells[trial]
        trial, cell = super().ask()
        self._cells[trial] = cell
        return trial, cell

    def report(self, trial: int, percent: int, loss: float) -> bool:
        """Pause."""
        super().report(trial, percent, loss)
        return True


class StepsAsFidelity(Sweep):
    """The cheap version of a configuration is the same one with fewer steps: successive halving over steps.

    Promoted configurations are trained from the beginning, as their schedule is another one.
    """

    def __init__(self, table: Table, seed: int, sampler: str) -> None:
        super().__init__(table, seed, sampler, "none")
        self._levels = sorted(table.grid.choices["num_steps"])
        self._done: dict[int, dict[tuple[int, ...], float]] = {steps: {} for steps in self._levels}
        self._promoted: dict[int, set[tuple[int, ...]]] = {steps: set() for steps in self._levels}
        self._space = {name: d for name, d in table.space.items() if name != "num_steps"}
        self._mirror = Mirror(type(table.space)(self._space), LOSS_CEILING, [])
        self._shapes: dict[int, tuple[tuple[int, ...], int]] = {}
        self._numbers: dict[int, int] = {}
        self._begun = 0

    def ask(self) -> tuple[int, int]:
        """Promote one of the best third to more steps, or begin a configuration with the fewest."""
        shape, steps = self._promotion() or (self._new_shape(), self._levels[0])
        trial = self._asked
        self._asked += 1
        self._shapes[trial] = (shape, steps)
        if steps == self._levels[0]:
            self._numbers[trial] = self._begun - 1
        return trial, self._table.places[(*shape, steps)]

    def _promotion(self) -> tuple[tuple[int, ...], int] | None:
        for steps, more in reversed(list(zip(self._levels, self._levels[1:], strict=False))):
            done = self._done[steps]
            best = sorted(done, key=done.__getitem__)[: len(done) // REDUCTION_FACTOR]
            for shape in best:
                if shape not in self._promoted[steps]:
                    self._promoted[steps].add(shape)
                    return shape, more
        return None

    def _new_shape(self) -> tuple[int, ...]:
        number = self._begun
        self._begun += 1
        space = type(self._table.space)(self._space)
        params = self._mirror.ask(number, SAMPLERS[self._sampler](space, self._seed, number))
        return tuple(params.values())

    def report(self, trial: int, percent: int, loss: float) -> bool:
        """Go on."""
        return False

    def end(self, trial: int, loss: float) -> None:
        """Let the sampler learn from the fewest steps alone, where all configurations are compared."""
        shape, steps = self._shapes[trial]
        self._done[steps][shape] = loss
        if trial in self._numbers:
            self._mirror.end(self._numbers[trial], "complete", loss)
