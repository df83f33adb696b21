"""Capabilities that concern data and what trials cannot reach, each with its default."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np

from sweep.errors import TestSplitError
from sweep.metric import Metric
from sweep.task.core import AnyTask


@runtime_checkable
class ReadsFiles(Protocol):
    """Reads its data from files that ``[data]`` names."""

    def data_files(self, section: Mapping[str, Any]) -> Mapping[str, str]:
        """Return key of ``[data]`` -> path of the file that it names."""

    def data_sha256(self, section: Mapping[str, Any]) -> str:
        """Return ``Data.sha256`` of the files as they are now, without parsing them."""


def data_files(task: AnyTask, section: Mapping[str, Any]) -> Mapping[str, str]:
    """Return key of ``[data]`` -> path of the file that it names; by default there are none."""
    return task.data_files(section) if isinstance(task, ReadsFiles) else {}


def data_sha256(task: AnyTask, section: Mapping[str, Any]) -> str:
    """Return the hash of the data as they are now; by default they are loaded for it."""
    if isinstance(task, ReadsFiles):
        return task.data_sha256(section)
    return cast("str", task.load_data(section).sha256)


def data_name(task: AnyTask, section: Mapping[str, Any]) -> str:
    """Return what messages call the data: the paths of their files, or else ``the data``."""
    return ", ".join(data_files(task, section).values()) or "the data"


@runtime_checkable
class KnowsCopies(Protocol):
    """Knows that another file holds the same data."""

    def load_copy(self, section: Mapping[str, Any], sha256: str) -> Any:
        """Load the data; they get the hash of earlier files if those held the same data."""


def load_copy(task: AnyTask, section: Mapping[str, Any], sha256: str) -> Any:
    """Load data from what may be a copy of earlier files; by default only equal hashes are equal."""
    return task.load_copy(section, sha256) if isinstance(task, KnowsCopies) else task.load_data(section)


@runtime_checkable
class Splits(Protocol):
    """Cuts its data by a rule that belongs to a study's identity."""

    split_rule: str
    """How train, dev and test are cut, in words."""


def split_rule(task: AnyTask) -> str:
    """Return how the data are cut; by default no rule is known, and it is empty."""
    return task.split_rule if isinstance(task, Splits) else ""


@runtime_checkable
class CountsTestUnits(Protocol):
    """Has a test part made of countable units, so that it is known which were looked at before."""

    metric: Metric
    unit: str
    """What a unit is called: ``word``."""

    def load_test_units(self, section: Mapping[str, Any]) -> list[str]:
        """Read the units of the test part; none if they are not known.

        The final test alone calls this; raises ``DataError``.
        """

    def same_source(self, section: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return each ``[data]`` section that cuts the same source, in this way or in another."""

    def unit_key(self, unit: str) -> str:
        """Return the form in which units that count as the same are equal."""


@runtime_checkable
class HeldOut(CountsTestUnits, Protocol):
    """Cuts its data into train, dev and a test part that trials cannot reach, made of countable units.

    A unit is what the data are a sample of, such as a word; what is uncertain about a loss is judged by
    drawing units again. A loss is the sum of the units' losses over the sum of their sizes.
    """

    split_rule: str
    """How train, dev and test are cut, in words."""

    def units(self, data: Any, part: str) -> list[str]:
        """Return the units of one part, ``train`` or ``dev``, of loaded data; repeats count."""

    def unit_losses(self, config: Any, data: Any, state: bytes, units: Sequence[str]) -> np.ndarray:
        """Return each unit's summed loss under a trained state, float64, shape (U,)."""

    def unit_sizes(self, units: Sequence[str]) -> np.ndarray:
        """Return how much each unit counts, shape (U,); for a word its characters and its end."""

    def units_loss(self, config: Any, data: Any, state: bytes, units: Sequence[str]) -> float:
        """Return the exact loss over some units, in the metric's unit."""


@runtime_checkable
class TestsByRuns(CountsTestUnits, Protocol):
    """May have a test of its own: a run for each trained configuration, which trials never make."""

    why_untested: str | None
    """Why there is no test, and what to do; None if there is one."""

    def check_test(self) -> None:
        """Refuse a test that cannot be started here; raises ``SweepError``."""

    def has_checkpoint(self, folder: Path) -> bool:
        """Return whether the folder of a training holds what the test needs."""

    def run_test(self, config: Any, folder: Path, *, study: str, device: str) -> float:
        """Return the value of the metric on the test part; ``folder`` is that of the training."""


def why_untested(task: AnyTask) -> str | None:
    """Return why a trainer has no test part; None if it has one."""
    if isinstance(task, TestsByRuns):
        return task.why_untested
    if isinstance(task, HeldOut):
        return None
    return f"trainer {task.name} has no test split, so there is nothing to test on"


def check_has_test(task: AnyTask) -> CountsTestUnits:
    """Return a trainer as one that has a test part; raises ``TestSplitError``."""
    if (why := why_untested(task)) is not None:
        raise TestSplitError(why)
    assert isinstance(task, CountsTestUnits), "both capabilities do"
    return task
