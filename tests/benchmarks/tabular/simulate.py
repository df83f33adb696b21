"""How long does a search take to find what is good, in simulated seconds?

Workers train asynchronously, as under ``sweep run``: one driver proposes and judges, one thing at a time,
and a worker waits for it. Training seconds come from the table; the searcher's own are measured (processor
time of this process) while it runs, so a slow sampler pays for its thoughts.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from sweep.execution.rungs import DECISION_RUNGS
from tests.benchmarks.tabular.asynchronous import run_workers, timed
from tests.benchmarks.tabular.table import Table

RUNGS = (*DECISION_RUNGS, 100)


class Searcher(Protocol):
    """Chooses what is trained next, and what is given up."""

    def ask(self) -> tuple[int, int]:
        """Return a trial and its cell; a trial that was paused goes on where it stood."""

    def report(self, trial: int, percent: int, loss: float) -> bool:
        """Hear a trial's loss at a rung below 100; return True to take it off its worker."""

    def end(self, trial: int, loss: float) -> None:
        """Hear a trial's final loss."""


@dataclasses.dataclass(slots=True, kw_only=True)
class _Run:
    """A trial in training."""

    cell: int
    seed: int
    rung: int = -1
    """Place in ``RUNGS`` of the last one reached."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one simulated search found, and when."""

    curve: list[tuple[float, float]]
    """(seconds, regret of the incumbent in nats) each time that the incumbent changed."""
    trials: int
    own_s: float
    """Seconds of the searcher itself."""

    def time_to(self, regret: float) -> float:
        """Return the seconds until the incumbent's regret was first as small; infinity if never."""
        return min((seconds for seconds, value in self.curve if value <= regret), default=np.inf)


class Luck:
    """Which seed a query of a cell draws: one order for each cell, the same for all searchers of a repeat."""

    def __init__(self, table: Table, repeat: int) -> None:
        n_seeds = table.losses["raw"].shape[1]
        draw = np.random.default_rng([repeat, 5])
        self._orders = [draw.permutation(n_seeds) for _ in table.cells]
        self._drawn = [0] * len(table.cells)

    def draw(self, cell: int) -> int:
        """Return the cell's next seed, all of them before one comes again."""
        order = self._orders[cell]
        self._drawn[cell] += 1
        return int(order[(self._drawn[cell] - 1) % len(order)])


def simulate(
    table: Table,
    make_searcher: Callable[[Table, int], Searcher],
    repeat: int,
    *,
    horizon: float,
    kind: str = "raw",
    workers: int = 2,
    enough: float = 0.005,
) -> Outcome:
    """Search a table once.

    Args:
        table: What is trained.
        make_searcher: Makes the searcher from the table and the repeat's number, its seed.
        repeat: Searchers of one repeat share its luck.
        horizon: Simulated seconds after which the search ends.
        kind: Which weights' losses are seen, one of ``KINDS``.
        workers: Trials at once.
        enough: Regret of the incumbent, in nats, with which the search ends early.
    """
    search = _Search(table, make_searcher, repeat, kind)
    run_workers(search, workers, lambda now: now <= horizon and search.regret > enough)
    return Outcome(curve=search.curve, trials=len(search.runs), own_s=search.clock.own_s)


class _Search:
    """One search on its way."""

    def __init__(
        self, table: Table, make_searcher: Callable[[Table, int], Searcher], repeat: int, kind: str
    ) -> None:
        self.table, self.kind = table, kind
        self.clock, self.luck = _Clock(), Luck(table, repeat)
        self.searcher: Searcher = make_searcher(table, repeat)
        self.runs: dict[int, _Run] = {}
        self.curve: list[tuple[float, float]] = []
        self.best, self.regret = np.inf, np.inf

    def take(self, now: float, trial: int | None) -> tuple[int, float]:
        """Let a free worker, or one whose trial stands at a rung, have what it trains next."""
        self.clock.wait_until(now)
        if trial is None or self._leaves(trial, now):
            trial = self._ask()
        return trial, self.clock.now + self._next_segment(trial)

    def _ask(self) -> int:
        number, cell = self.clock.charge(self.searcher.ask)
        if number not in self.runs:
            self.runs[number] = _Run(cell=cell, seed=self.luck.draw(cell))
        return int(number)

    def _next_segment(self, trial: int) -> float:
        """Send a trial to its next rung; return the seconds that takes."""
        run = self.runs[trial]
        run.rung += 1
        before = RUNGS[run.rung - 1] if run.rung else 0
        return (RUNGS[run.rung] - before) / 100 * float(self.table.seconds[run.cell])

    def _leaves(self, trial: int, now: float) -> bool:
        """Report a trial where it stands; say whether its worker is free."""
        run = self.runs[trial]
        percent = RUNGS[run.rung]
        loss = self.table.loss(self.kind, run.cell, run.seed, percent)
        if percent < RUNGS[-1]:
            return bool(self.clock.charge(lambda: self.searcher.report(trial, percent, loss)))
        self.clock.charge(lambda: self.searcher.end(trial, loss))
        if loss < self.best:
            self.best, self.regret = loss, self.table.regret(self.kind, run.cell, run.seed)
            self.curve.append((now, self.regret))
        return True


class _Clock:
    """The driver's time: it does one thing after the other."""

    def __init__(self) -> None:
        self.now = self.own_s = 0.0

    def wait_until(self, moment: float) -> None:
        self.now = max(self.now, moment)

    def charge(self, work: Callable[[], Any]) -> Any:
        """Do some work of the searcher and let its seconds pass."""
        result, seconds = timed(work)
        self.now += seconds
        self.own_s += seconds
        return result
