"""Collect the mistakes of one input, so that they are reported together."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from sweep.errors import ConfigError, DataError, StudyFileError

_Mistake = StudyFileError | ConfigError | DataError
_Result = TypeVar("_Result")


class Mistakes:
    """The mistakes found so far."""

    def __init__(self) -> None:
        self._found: list[_Mistake] = []

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Record an error that the block raises, and continue after the block."""
        try:
            yield
        except (StudyFileError, ConfigError, DataError) as mistake:
            self._found.append(mistake)

    def check(self, otherwise: _Result, function: Callable[..., _Result], *arguments: object) -> _Result:
        """Return the result of a function; if it raises a mistake, record it and return ``otherwise``."""
        with self.noted():
            return function(*arguments)
        return otherwise

    def refuse(self) -> None:
        """Raise the recorded mistakes, if there are any.

        Raises:
            StudyFileError: With a line for each mistake; a single mistake keeps its class.
        """
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            raise StudyFileError(*(line for mistake in self._found for line in mistake.lines))


def refuse_all(texts: Iterable[str]) -> None:
    """Raise the texts as one error, one line each; do nothing if there are none.

    Raises:
        StudyFileError: With the texts.
    """
    if lines := list(texts):
        raise StudyFileError(*lines)
