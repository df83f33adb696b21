"""Peers, each asked as its own documentation has it, with two workers and nothing tuned.

None of them is needed by the product; the dependency group ``sampler-bench`` installs those that install
together. A peer that is not installed is left out.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from optuna.samplers import CmaEsSampler, GPSampler, TPESampler

from tests.benchmarks.samplers.axes import configuration
from tests.benchmarks.samplers.peers_bayesian import Ax, Hebo, Skopt, Smac
from tests.benchmarks.samplers.peers_optuna import optuna_search
from tests.benchmarks.samplers.peers_other import Hyperopt, Nevergrad, SyneTune
from tests.benchmarks.samplers.simulate import MakeSearcher
from tests.benchmarks.samplers.task import Params, Task


class Library(Protocol):
    """A library that proposes points on the axes of a space."""

    def suggest(self) -> tuple[Any, Mapping[str, Any]]:
        """Return the library's own handle of a new trial, and its point."""

    def learn(self, handle: Any, loss: float) -> None:
        """Tell the library a trial's loss."""


class Peer:
    """A searcher that asks a library."""

    def __init__(self, task: Task, library: Library) -> None:
        self._space, self._library = task.space, library
        self._handles: list[Any] = []

    def ask(self) -> tuple[int, Params]:
        """Let the library suggest a trial."""
        handle, point = self._library.suggest()
        self._handles.append(handle)
        return len(self._handles) - 1, configuration(self._space, point)

    def tell(self, trial: int, loss: float, seconds: float) -> None:
        """Tell the library the loss."""
        self._library.learn(self._handles[trial], loss)


def _peer(make_library: Callable[..., Library], **settings: Any) -> MakeSearcher:
    def make(task: Task, seed: int, trials: int) -> Peer:
        random.seed(seed)  # some libraries draw from the global generators
        np.random.seed(seed)
        return Peer(task, make_library(task.space, seed, trials, **settings))

    return make


_SLOW = {"seeds": 10, "trials": 50}

PEERS: Mapping[str, Mapping[str, Any]] = {
    "Optuna TPE": {"make": optuna_search(TPESampler)},
    "Optuna TPE, univariate": {"make": optuna_search(TPESampler, multivariate=False)},
    "Optuna GP": {"make": optuna_search(GPSampler), **_SLOW},
    "Optuna CMA-ES": {"make": optuna_search(CmaEsSampler), "needs": "cmaes", "only_ranges": True},
    "Hyperopt TPE": {"make": _peer(Hyperopt), "needs": "hyperopt"},
    "Syne Tune KDE": {"make": _peer(SyneTune, scheduler="TPE"), "needs": "syne_tune"},
    "Syne Tune BORE": {"make": _peer(SyneTune, scheduler="BORE"), "needs": "syne_tune", **_SLOW},
    "Syne Tune CQR": {"make": _peer(SyneTune, scheduler="CQR"), "needs": "syne_tune", **_SLOW},
    "SMAC3": {"make": _peer(Smac), "needs": "smac", **_SLOW},
    "HEBO": {"make": _peer(Hebo), "needs": "hebo", **_SLOW},
    "Ax": {"make": _peer(Ax), "needs": "ax", **_SLOW},
    "Nevergrad NGOpt": {"make": _peer(Nevergrad), "needs": "nevergrad"},
    "scikit-optimize": {"make": _peer(Skopt), "needs": "skopt", **_SLOW},
}
"""Name -> how it searches, the arguments of ``searches.Search``."""
