"""Keep losses on disk by configuration and seed."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.samplers.appending import cut_torn_line, whole_lines


class LossCache:
    """A function of (configuration, seed) that computes no loss twice, in this process or another."""

    def __init__(self, path: Path, compute: Callable[[Mapping[str, Any], int], float]) -> None:
        self._path, self._compute = path, compute
        path.parent.mkdir(parents=True, exist_ok=True)
        cut_torn_line(path)
        self._losses = {key: float(loss) for key, loss in csv.reader(whole_lines(path))}

    def __call__(self, params: Mapping[str, Any], seed: int) -> float:
        key = repr((seed, sorted(params.items())))
        if key not in self._losses:
            self._losses[key] = self._compute(params, seed)
            with self._path.open("a", newline="") as file:
                csv.writer(file, lineterminator="\n").writerow([key, repr(self._losses[key])])
        return self._losses[key]
