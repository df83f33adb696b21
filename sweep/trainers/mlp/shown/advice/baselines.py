"""Compare the best configuration with count tables and with configurations known before the search."""

import dataclasses
from collections.abc import Sequence

from sweep.definition.records import StudyRecord
from sweep.reporting.advice.configurations import Configuration
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.shown.note_kinds import Baselines
from sweep.values import Value

_FREE = ("seed", "init")
"""Hyperparameters that may differ from the notebook's run, which set seed and initial weights by hand."""

NOTEBOOK = {name: value for name, value in TrainConfig().to_dict().items() if name not in _FREE}
"""The notebook's configuration, from which the defaults of all hyperparameters are taken.

References:
    Karpathy, "Building makemore Part 2: MLP", 2022.
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A configuration that was known before the search."""

    trial: int
    """Lowest trial number of its replicates."""
    seeds: int
    """Number of replicates over which ``dev_loss`` is the mean."""
    dev_loss: float
    is_notebook: bool
    is_best: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AgainstBaselines:
    """The best configuration compared with the baselines; losses in nats per character."""

    study: str
    best: float
    uniform: float
    count_table: float
    """Loss of the best count table."""
    context_length: int
    """Context length of the best count table, in characters."""
    not_better: int
    """Number of configurations that do not beat it."""
    configurations: int
    known: Known | None


def find_baselines(study: StudyRecord, ranked: Sequence[Configuration]) -> AgainstBaselines | None:
    """Compare with the best count table, and with the known configuration if it was run."""
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
    """Return the notebook's configuration, or else the first [[trial]], if it has a loss.

    If a study has only listed trials, all its configurations were known.
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


def _is_notebook(values: dict[str, Value]) -> bool:
    return all(values.get(name) == value for name, value in NOTEBOOK.items())
