"""Read the data of a stored study again, and refuse any other data.

Code that needs the data of a stored study gets them here: the hash of their source must equal the one in the
study's identity. ``config_file`` checks the data of an exported configuration.
"""

import functools
from typing import Any

from sweep.definition.records import StudyRecord
from sweep.errors import DataError
from sweep.task import AnyTask, HeldOut, data_name, data_sha256


class StudyData:
    """The data of a study, loaded at most once."""

    def __init__(self, study: StudyRecord, data: Any | None = None) -> None:
        """Take a study, and its data if already loaded; then only check the source's hash."""
        self._study, self._data = study, data

    @property
    def task(self) -> AnyTask:
        """The trainer of the study."""
        return self._study.task

    @property
    def data(self) -> Any:
        """The train and dev parts.

        Raises:
            DataError: If the source is missing, cannot be used, or holds other data.
        """
        data, reason = self._data_or_reason
        if reason is not None:
            raise DataError(reason)
        return data

    def check_unchanged(self) -> None:
        """Compare the hash of the source without loading the data; raises as ``data``."""
        if "_data_or_reason" in self.__dict__:
            _ = self.data
        else:
            self._check(data_sha256(self.task, self._study.data))

    @property
    def why_missing(self) -> str | None:
        """Reason why the data are unavailable; None if they are available."""
        return self._data_or_reason[1]

    @functools.cached_property
    def in_train(self) -> frozenset[str]:
        """The keys of the training units (``HeldOut.unit_key``); raises as ``data``."""
        assert isinstance(self.task, HeldOut), "only trainers with units use this"
        return frozenset(map(self.task.unit_key, self.task.units(self.data, "train")))

    @functools.cached_property
    def _data_or_reason(self) -> tuple[Any, str | None]:
        section = self._study.data
        try:
            self._check(data_sha256(self.task, section))
            data = self.task.load_data(section) if self._data is None else self._data
            self._check(data.sha256)  # the source may have changed between hashing and loading
        except DataError as error:
            return None, str(error)
        return data, None

    def _check(self, sha256: str) -> None:
        if sha256 != self._study.data_sha256:
            what = data_name(self.task, self._study.data)
            raise DataError(f"{what} has changed since study {self._study.name!r} was run; restore the file")
