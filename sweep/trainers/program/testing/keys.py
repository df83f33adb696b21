"""Check the keys ``test`` and ``test_command`` of a study file, and return the program that they define."""

import dataclasses
from collections.abc import Callable, Mapping

from sweep.errors import StudyFileError
from sweep.values import Toml

TEST, TEST_COMMAND = "test", "test_command"

USES_ALL = "uses_all"
"""Key of a program's definition, never of a study file: whether a command must use every parameter."""

_OF_TRAINING = ("budget", "checkpoint", "feasible", "pick", TEST, TEST_COMMAND)
"""Keys that apply only to training."""


def check_target(key: str, value: Toml) -> str:
    """Return ``value`` if it has the form of a target: ``module:name`` or ``path/file.py:name``."""
    module, _, name = str(value).rpartition(":")
    if not isinstance(value, str) or not module or not name or any(ord(c) < 33 for c in value):
        raise StudyFileError(f'{key} must be "module:function" or "path/file.py:function", got {value!r}')
    return value


def check_test_command(key: str, value: Toml) -> list[str]:
    """Return ``value`` if it is a list of tokens; their placeholders are checked with the parameters."""
    if not isinstance(value, list) or not value or not all(isinstance(token, str) for token in value):
        raise StudyFileError(
            f'{key} must be a list of tokens, such as ["python", "test.py", "{{checkpoint}}"], got {value!r}'
        )
    return value


CHECKS: Mapping[str, Callable[[str, Toml], Toml]] = {TEST: check_target, TEST_COMMAND: check_test_command}
"""Key -> check."""


@dataclasses.dataclass(frozen=True, slots=True)
class TestProgram:
    """The program that evaluates the test split."""

    __test__ = False  # not a test class for pytest

    kind: str
    """One of ``task.PROGRAMS``."""
    definition: Mapping[str, Toml]
    """The definition, of the same form as that of a training program."""


def program_of_test(definition: Mapping[str, Toml]) -> TestProgram | None:
    """Return the test program of a study's definition; None if it has none."""
    shared = {key: value for key, value in definition.items() if key not in _OF_TRAINING}
    if TEST in definition:
        return TestProgram("function", {**shared, "trainer": definition[TEST]})
    if TEST_COMMAND in definition:
        return TestProgram("command", {**shared, "command": definition[TEST_COMMAND], USES_ALL: False})
    return None
