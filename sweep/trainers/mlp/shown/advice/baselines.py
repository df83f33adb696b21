"""Is the best better than what needs no training, and than what was known before?"""

import dataclasses
from collections.abc import Sequence
from typing import Any

from sweep.definition.records import StudyRecord
from sweep.reporting.advice.configurations import Configuration
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.shown.note_kinds import Baselines

_FREE = ("seed", "init")
"""What may differ from the notebook's run: it drew its seed and its initial weights by hand."""

NOTEBOOK = {name: value for name, value in TrainConfig().to_dict().items() if name not in _FREE}
"""The notebook's configuration: the defaults of every hyperparameter are taken from it.

References:
    Karpathy, "Building makemore Part 2: MLP", 2022.
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A configuration that was known before the search."""

    trial: int
    """The lowest number among its replicates."""
    seeds: int
    """Replicates that ``dev_loss`` is the mean of."""
    dev_loss: float
    is_notebook: bool
    is_best: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AgainstBaselines:
    """The best configuration beside models without training; losses in nats per character."""

    study: str
    best: float
    uniform: float
    count_table: float
    """Of the best count table."""
    context_length: int
    """Characters that it looks at."""
    not_better: int
    """Configurations that do not beat it."""
    configurations: int
    known: Known | None


def find_baselines(study: StudyRecord, ranked: Sequence[Configuration]) -> AgainstBaselines | None:
    """Compare with the best count table, and with the known configuration where it was run."""
    baselines = study.note(Baselines)
    if not baselines or not baselines.count_tables or not ranked:
        return None
    loss, length = min((loss, k) for k, loss in enumerate(baselines.count_tables, start=1))
    return AgainstBaselines(
        study=study.name,
        best=ranked[0].dev_loss,
        uniform=baselines.uniform,
        count_table=loss,
        context_length=length,
        not_better=sum(configuration.dev_loss >= loss for configuration in ranked),
        configurations=len(ranked),
        known=_known(study, ranked),
    )


def _known(study: StudyRecord, ranked: Sequence[Configuration]) -> Known | None:
    """Return the notebook's configuration, else the first [[trial]], if it has a loss.

    In a study that is nothing but a list all configurations were known.
    """
    first = study.listed[:1] if study.sampler != "listed" else []
    notebook = [c for c in ranked if _is_notebook(study.config_values(c.trials[0]))]
    for configuration in [*notebook, *(c for c in ranked if c.params in first)]:
        return Known(
            trial=configuration.trial,
            seeds=len(configuration.trials),
            dev_loss=configuration.dev_loss,
            is_notebook=configuration in notebook,
            is_best=configuration is ranked[0],
        )
    return None


def _is_notebook(values: dict[str, Any]) -> bool:
    return all(values.get(name) == value for name, value in NOTEBOOK.items())
