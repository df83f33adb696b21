"""Train with a function that is passed as an object. The stored study contains only its name and hashes."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Never

from sweep.code import Code
from sweep.errors import DeviceError, StudyFileError, UntrustedError
from sweep.task import GIVEN
from sweep.trainers.function.given.parcel import pack
from sweep.trainers.function.given.sources import hash_parts, name_of
from sweep.trainers.function.kind import FunctionStarter, check_function, startable
from sweep.trainers.function.probe import probe
from sweep.trainers.program.definition import PARAMETERS, read_definition, yes_or_no
from sweep.trainers.program.program import ProgramKind, Startable
from sweep.trainers.program.testing.tested import check_test_program
from sweep.trainers.program.trainer import ProgramTask
from sweep.values import Toml


class GivenFunction(ProgramTask):
    """A function as a trainer, available only in this process and its children."""

    def __init__(
        self,
        definition: Mapping[str, Toml],
        surroundings: Mapping[str, Toml],
        parcel: bytes,
        parts: Mapping[str, str],
    ) -> None:
        """Initialize from the checked definition, the function's hashes and its bytes."""
        super().__init__(PYTHON.name, definition, surroundings)
        self._parcel, self._parts = parcel, parts

    def in_one_piece(self) -> Never:
        """Refuse pools that send a trainer to other machines."""
        raise DeviceError(
            f"{self.definition[GIVEN]} was given from Python and can run only on this machine; "
            "use pool local, or put the function into a file and name it in a study file"
        )

    def new_starter(self) -> FunctionStarter:
        """Return a starter that calls the function."""
        return FunctionStarter(self.definition, self.surroundings, self._parcel)

    def preflight(self, sources: Sequence[str]) -> Startable:
        """Return the files of the function's modules; refuse a function that a child process cannot call."""
        here, start = Path(self.surroundings["here"]), Path(self.surroundings["start"])
        name, parameters = self.definition[GIVEN], list(self.definition.get(PARAMETERS, ()))
        found = probe(
            name,
            folder=here,
            cwd=start,
            sources=sources,
            hyperparameters=parameters,
            parcel=self._parcel,
        )
        return startable(found, self.definition, name)

    def check_program(self, section: Mapping[str, Toml]) -> Code:
        """Return the function's parts and files; refuse a function that a child process cannot call."""
        code = super().check_program(section)
        return Code(files={**code.files, **self._parts}, commit=code.commit, is_dirty=code.is_dirty)


def trainer_of_function(function: Callable[..., Any], raw: Mapping[str, Toml], here: Path) -> GivenFunction:
    """Return the trainer for a function.

    Args:
        function: Takes ``(config)`` or ``(config, report)``.
        raw: The study's settings, as in a study file.
        here: The study's folder, as of a study file.

    Raises:
        StudyFileError: With a line for each mistake.
    """
    name = name_of(function)
    raw = {**raw, GIVEN: name}
    definition, surroundings = read_definition(raw, here, PYTHON.defining, PYTHON.surrounding)
    PYTHON.check(definition, surroundings, raw)
    check_test_program(definition, surroundings, raw)
    return GivenFunction(definition, surroundings, pack(function, name), hash_parts(function))


def _name(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise StudyFileError(f"{key} must be the name of a function, got {value!r}")
    return value


def _refuse(definition: Mapping[str, Toml], *_: object) -> Never:
    """Refuse to train a stored study, because its function is not stored."""
    raise UntrustedError(
        f"the function {definition[GIVEN]} was given from Python and is not stored; give it again there",
        key="function-not-stored",
    )


PYTHON = ProgramKind(
    name="python",
    defining={GIVEN: _name},
    surrounding={"fresh_process": yes_or_no},
    check=check_function,
    preflight=_refuse,
    starter=_refuse,
)
