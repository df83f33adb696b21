"""Define optional capabilities for data files, splits and the test part, each with its default."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from sweep.errors import TestSplitError
from sweep.metric import Metric
from sweep.task.core import AnyTask, Data
from sweep.values import Toml

if TYPE_CHECKING:  # commands that only read do without
    import numpy as np


NO_DATA = hashlib.sha256().hexdigest()
"""``Data.sha256`` of a study that names no data, so that nothing was hashed."""


@runtime_checkable
class ReadsFiles(Protocol):
    """The trainer reads its data from files that ``[data]`` names."""

    def data_files(self, section: Mapping[str, Toml]) -> Mapping[str, str]:
        """Return a map from each file key of ``[data]`` to its path."""

    def data_sha256(self, section: Mapping[str, Toml]) -> str:
        """Return the current ``Data.sha256`` of the files without parsing them."""


def data_files(task: AnyTask, section: Mapping[str, Toml]) -> Mapping[str, str]:
    """Return a map from each file key of ``[data]`` to its path; empty by default."""
    return task.data_files(section) if isinstance(task, ReadsFiles) else {}


def data_sha256(task: AnyTask, section: Mapping[str, Toml]) -> str:
    """Return the current hash of the data; by default, load the data to get it."""
    if isinstance(task, ReadsFiles):
        return task.data_sha256(section)
    return cast("str", task.load_data(section).sha256)


def data_name(task: AnyTask, section: Mapping[str, Toml]) -> str:
    """Return the name of the data in messages: the paths of their files, or else ``the data``."""
    return ", ".join(data_files(task, section).values()) or "the data"


@runtime_checkable
class KnowsCopies(Protocol):
    """The trainer recognises another file with the same data."""

    def load_copy(self, section: Mapping[str, Toml], sha256: str) -> Any:
        """Load the data; if they equal the data with hash ``sha256``, keep that hash."""


def load_copy(task: AnyTask, section: Mapping[str, Toml], sha256: str) -> Any:
    """Load data that may be a copy of earlier files; by default only equal hashes count as the same data."""
    return task.load_copy(section, sha256) if isinstance(task, KnowsCopies) else task.load_data(section)


@runtime_checkable
class Splits(Protocol):
    """The trainer splits its data by a rule that is part of a study's identity."""

    split_rule: str
    """Description of the split into train, dev and test."""


def split_rule(task: AnyTask) -> str:
    """Return the description of the split; empty by default."""
    return task.split_rule if isinstance(task, Splits) else ""


@runtime_checkable
class CountsTestUnits(Protocol):
    """The test part consists of units, so that sweep can record which ones were already used."""

    metric: Metric
    unit: str
    """Name of a unit: ``word``."""

    def load_test_units(self, section: Mapping[str, Toml]) -> list[str]:
        """Read the units of the test part; return none if they are unknown.

        Only the final test calls this; raises ``DataError``.
        """

    def same_source(self, section: Mapping[str, Toml]) -> list[Mapping[str, Toml]]:
        """Return every ``[data]`` section that splits the same source, with this split or another."""

    def unit_key(self, unit: str) -> str:
        """Return a key that is equal for units that count as the same."""


@runtime_checkable
class HeldOut(CountsTestUnits, Protocol):
    """The trainer splits its data into train, dev and a hidden test part, made of units.

    The data are a sample of units, such as words; the uncertainty of a loss is estimated by resampling
    units. A loss is the sum of the units' losses over the sum of their sizes.
    """

    split_rule: str
    """Description of the split into train, dev and test."""

    def units(self, data: Any, part: str) -> list[str]:
        """Return the units of one part, ``train`` or ``dev``, of loaded data, with repeats."""

    def unit_losses(self, config: Any, data: Any, state: bytes, units: Sequence[str]) -> "np.ndarray":
        """Return each unit's summed loss under a trained state, float64, shape (U,)."""

    def unit_sizes(self, units: Sequence[str]) -> "np.ndarray":
        """Return the weight of each unit, shape (U,); for a word, its characters plus one for its end."""

    def units_loss(self, config: Any, data: Any, state: bytes, units: Sequence[str]) -> float:
        """Return the exact loss over some units, in the metric's unit."""


@runtime_checkable
class Ensembles(HeldOut, Protocol):
    """The trainer's models predict probabilities, whose mean is a prediction too."""

    name: str

    def ensemble_losses(
        self, configs: Sequence[Any], data: Any, states: Sequence[bytes], units: Sequence[str]
    ) -> "np.ndarray":
        """Return each unit's summed loss under the mean of the models' probabilities, shape (U,).

        Args:
            configs: Configuration of each model.
            data: The loaded data.
            states: Trained state of each model.
            units: Units of any part.
        """


@runtime_checkable
class Resplits(HeldOut, Protocol):
    """The trainer can cut train and dev of its data again, without the test part."""

    name: str

    def resplit(self, data: Any, number: int) -> Any:
        """Return the data with another cut of the same sizes; equal numbers, from 1, give equal cuts."""


def resplit(task: AnyTask, data: Data, number: int) -> Any:
    """Return data with train and dev cut again."""
    assert isinstance(task, Resplits), "the confirmation's plan was checked"
    return task.resplit(data, number)


@runtime_checkable
class TestsByRuns(CountsTestUnits, Protocol):
    """The trainer may have its own test: a separate run for each trained configuration."""

    why_untested: str | None
    """Why the trainer has no test, and what to do; None if it has one."""

    def check_test(self) -> None:
        """Check that the test can start on this machine; raises ``SweepError``."""

    def has_checkpoint(self, folder: Path) -> bool:
        """Return whether a training folder holds the checkpoint that the test needs."""

    def run_test(self, config: Any, folder: Path, *, study: str, device: str) -> float:
        """Return the metric on the test part; ``folder`` is the training folder."""


def why_untested(task: AnyTask) -> str | None:
    """Return why a trainer has no test part; None if it has one."""
    if isinstance(task, TestsByRuns):
        return task.why_untested
    if isinstance(task, HeldOut):
        return None
    return f"trainer {task.name} has no test split, so there is nothing to test on"


def check_has_test(task: AnyTask) -> CountsTestUnits:
    """Return the trainer if it has a test part; raises ``TestSplitError``."""
    if (why := why_untested(task)) is not None:
        raise TestSplitError(why)
    assert isinstance(task, CountsTestUnits), "both capabilities derive from it"
    return task
