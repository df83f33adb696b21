"""How near is the rate that ``sweep lr-find`` recommends to the best of a grid of rates?

Trains each of three lists of words, with three optimizers and two budgets, at nine rates and at the
recommended one, each on the same seeds. The third list is the words of the comments and docstrings of
Python's standard library. The losses are kept in a file; what it has is not trained again.

    python tests/benchmarks/check_lr_find.py --makemore names.txt [--seeds 2]
"""

import argparse
import collections
import csv
import re
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from sweep.definition.seeds import derive_seed
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.learning_rate.lr_finder import range_test
from sweep.trainers.mlp.learning_rate.range_curve import flat_stretch, suggestions
from sweep.trainers.mlp.learning_rate.recommendation import RULE
from sweep.trainers.mlp.training import train_segment
from sweep.trainers.mlp.words.corpus import Corpus, load_corpus

HERE = Path(__file__).parent
SHIPPED = HERE.parents[1] / "data" / "names.txt"

SHAPES: dict[str, dict[str, Any]] = {
    "names": {"block_size": 4, "embedding_dim": 16, "hidden_neurons": 200, "batch_size": 64},
    "makemore": {"block_size": 3, "embedding_dim": 10, "hidden_neurons": 100, "batch_size": 32},
    "python": {"block_size": 5, "embedding_dim": 24, "hidden_neurons": 160, "batch_size": 128},
}

OPTIMIZERS: dict[str, tuple[dict[str, Any], float]] = {
    "sgd": ({"optimizer": "sgd", "weight_decay": 0.001}, 0.01),
    "sgd, momentum 0.9": ({"optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.001}, 0.001),
    "adamw": ({"optimizer": "adamw", "weight_decay": 0.1}, 0.0002),
}
"""Name -> hyperparameters, and the lowest rate of the grid."""

RATES, RATIO = 9, 2.0
"""Number of rates of a grid, and the ratio of two neighbours."""

STEPS = (2_000, 8_000)

FIXED = {"schedule": "cosine", "final_learning_rate": 0.0, "warmup": 0.02}

COLUMNS = (
    "words",
    "optimizer",
    "steps",
    "role",
    "learning_rate",
    "seed",
    "dev_loss",
    "flat_low",
    "flat_high",
)


class Case(NamedTuple):
    """One configuration and its budget."""

    words: str
    optimizer: str
    steps: int

    def config(self) -> TrainConfig:
        """Return it, with any learning rate."""
        changes, _ = OPTIMIZERS[self.optimizer]
        return TrainConfig.from_dict(
            {**TrainConfig().to_dict(), **FIXED, **SHAPES[self.words], **changes, "num_steps": self.steps}
        )

    def grid(self) -> list[float]:
        """Return the rates that it is trained at."""
        return [float(f"{OPTIMIZERS[self.optimizer][1] * RATIO**k:.6g}") for k in range(RATES)]


CASES = [Case(words, optimizer, steps) for words in SHAPES for optimizer in OPTIMIZERS for steps in STEPS]


def python_words(folder: Path) -> Path:
    """Write the words of the standard library's comments and docstrings that occur twice or more."""
    counts: collections.Counter[str] = collections.Counter()
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        counts.update(re.findall(r"\b[a-z]{3,12}\b", path.read_text("utf-8", errors="replace")))
    target = folder / "python.txt"
    target.write_text("\n".join(sorted(word for word, n in counts.items() if n > 1)) + "\n", "utf-8")
    return target


def trained(case: Case, corpus: Corpus, seeds: list[int]) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each training of a case."""
    config = case.config()
    test = range_test(config, corpus).curve
    recommended, why = suggestions(test)[RULE]
    if recommended is None:
        raise SystemExit(f"{case}: {why}")
    flat = flat_stretch(test)
    for role, rates in (("grid", case.grid()), ("recommended", [recommended])):
        for rate in rates:
            for seed in seeds:
                each = config.replace(learning_rate=rate, seed=seed)
                loss = train_segment(each, corpus, None, each.num_steps).dev_loss
                yield (*case, role, rate, seed, round(loss, 6), *flat)


def read_rows(path: Path) -> dict[Case, list[dict[str, str]]]:
    """Return the rows of each case that was trained."""
    rows = collections.defaultdict(list)
    if path.exists():
        with path.open() as file:
            for row in csv.DictReader(file):
                rows[Case(row["words"], row["optimizer"], int(row["steps"]))].append(row)
    return dict(rows)


def train_missing(path: Path, words: dict[str, Path], seeds: list[int]) -> None:
    """Train the cases that the file lacks and append them."""
    done, is_new = read_rows(path), not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(COLUMNS)
        for case in CASES:
            if case not in done and case.words in words:
                writer.writerows(trained(case, load_corpus(words[case.words]), seeds))
                file.flush()


def line(case: Case, rows: list[dict[str, str]]) -> str:
    """Return the case's line of the table."""
    losses = collections.defaultdict(list)
    for row in rows:
        losses[row["role"], float(row["learning_rate"])].append(float(row["dev_loss"]))
    means = {key: float(np.mean(values)) for key, values in losses.items()}
    best = min((key for key in means if key[0] == "grid"), key=means.__getitem__)
    (ours,) = (key for key in means if key[0] == "recommended")
    spread = np.sqrt(np.mean([np.var(values, ddof=1) for values in losses.values() if max(values) < 3]))
    low, high = (float(rows[0][name]) for name in ("flat_low", "flat_high"))
    cells = [
        case.words,
        case.optimizer,
        f"{case.steps:,}",
        f"{ours[1]:.3g}",
        f"{low:.2g} to {high:.2g}",
        f"{means[ours]:.4f}",
        f"{best[1]:.3g}",
        f"{means[best]:.4f}",
        f"{means[ours] - means[best]:+.4f}",
        f"{spread:.4f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Train what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--makemore", type=Path, help="makemore's names.txt; without it its cases are left out"
    )
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    path, seeds = HERE / "lr_find.csv", [derive_seed("lr-find", k) for k in range(arguments.seeds)]
    with tempfile.TemporaryDirectory() as folder:
        words = {"names": SHIPPED, "python": python_words(Path(folder))}
        words |= {"makemore": arguments.makemore} if arguments.makemore else {}
        train_missing(path, words, seeds)
    heads = ["words", "optimizer", "steps", "recommended", "flat", "its loss"]
    print(f"| {' | '.join([*heads, 'best of grid', 'its loss', 'gap', 'spread'])} |")
    print("|:--|:--|--:|--:|:--|--:|--:|--:|--:|--:|")
    for case, rows in read_rows(path).items():
        print(line(case, rows))


if __name__ == "__main__":
    main()
