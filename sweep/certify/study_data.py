"""Read the words of a stored study again, and refuse any other list.

Whatever is computed from the words of a stored study gets them here: the hash of the file is compared
with the one in the study's identity. An exported configuration has a check of its own, in
``config_file``.
"""

import functools

from sweep.definition.records import StudyRecord
from sweep.errors import DataError
from sweep.tasks.mlp.baselines import count_table_losses
from sweep.tasks.mlp.corpus import Corpus, decode_words
from sweep.tasks.mlp.spelling import normalized
from sweep.tasks.mlp.trainer import MLP


class StudyWords:
    """The words that a study was run on; read, or found to be gone, once."""

    def __init__(self, study: StudyRecord, data: Corpus | None = None) -> None:
        """Take a study, and its words if they are in memory; then only the file's hash is compared."""
        self._study, self._data = study, data

    @property
    def corpus(self) -> Corpus:
        """Train and dev parts.

        Raises:
            DataError: If the file is missing, cannot be used, or holds another list.
        """
        if isinstance(self._corpus_or_reason, str):
            raise DataError(self._corpus_or_reason)
        return self._corpus_or_reason

    @property
    def why_missing(self) -> str | None:
        """Why there are no words; None if there are."""
        return self._corpus_or_reason if isinstance(self._corpus_or_reason, str) else None

    @functools.cached_property
    def count_tables(self) -> tuple[float, ...]:
        """Dev losses of count tables over 1, 2, … characters, nats per character; raises as ``corpus``."""
        return count_table_losses(self.corpus)

    @functools.cached_property
    def in_train(self) -> frozenset[str]:
        """The distinct training words as ``normalized`` spells them; raises as ``corpus``."""
        return frozenset(map(normalized, decode_words(self.corpus.train, self.corpus.vocabulary)))

    @functools.cached_property
    def _corpus_or_reason(self) -> Corpus | str:
        try:
            self._check(MLP.data_sha256(self._study.data))
            data = MLP.load_data(self._study.data) if self._data is None else self._data
            self._check(data.sha256)  # the file may have changed since the first look
        except DataError as error:
            return str(error)
        return data

    def _check(self, sha256: str) -> None:
        if sha256 != self._study.data_sha256:
            raise DataError(
                f"{self._study.data['words']} has changed since study {self._study.name!r} was run; "
                "restore the file"
            )
