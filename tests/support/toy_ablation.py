"""Two configurations of a toy, exported by hand, and their ablation in a database of its own."""

from pathlib import Path
from typing import Any

import tomli_w

from sweep.certify.ablation.ablate import earlier_ablation, run_ablation
from sweep.certify.ablation.pair import Pair, read_pair
from sweep.certify.ablation.stored_ablation import StoredAblation
from sweep.execution.how import How
from tests.support.toy_runs import Watcher, database_in

ORIGIN: dict[str, Any] = {
    "trainer": "toy",
    "study": "toy",
    "trial": 0,
    "value": 0.5,
    "data": {"words": ""},
    "data_sha256": "5" * 64,
    "trainer_version": 1,
    "engine": "toy",
    "device": "cpu",
    "sweep": "0.2.0",
    "torch": "2.13.0",
    "exported": "2026-01-01T12:00:00+00:00",
}


def write_export(path: Path, config: dict[str, Any], **origin: Any) -> Path:
    """Write what ``sweep export`` writes of a toy's trial."""
    document = {"config": {"seed": 7, **config}, "provenance": {**ORIGIN, **origin}}
    path.write_text(tomli_w.dumps(document))
    return path


def toy_pair(folder: Path, before: dict[str, Any], after: dict[str, Any], **asked: Any) -> Pair:
    """Return the pair of two configurations of the toy."""
    paths = [write_export(folder / f"{n}.toml", config) for n, config in enumerate((before, after))]
    return read_pair(*paths, **asked)


def ablate(folder: Path, pair: Pair, watcher: Watcher | None = None, name: str = "ablation") -> bool:
    """Train an ablation of the toy as the command does."""
    watcher = watcher or Watcher()
    how = How(workers=1, observe=watcher, should_stop=watcher.should_stop)
    return run_ablation(pair, database_in(folder), name=name, section={"words": ""}, how=how)


def stored(folder: Path, pair: Pair, name: str = "ablation") -> StoredAblation:
    """Return what is stored of an ablation of the toy."""
    return earlier_ablation(pair, database_in(folder), name)
