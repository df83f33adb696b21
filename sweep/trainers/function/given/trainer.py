"""A function that is given as an object, as a trainer. The stored study holds its name and hashes alone."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Never

from sweep.code import Code
from sweep.errors import DeviceError, StudyFileError, UntrustedError
from sweep.task import GIVEN
from sweep.trainers.function.given.parcel import pack
from sweep.trainers.function.given.sources import hash_parts, name_of
from sweep.trainers.function.kind import FunctionStarter
from sweep.trainers.function.probe import probe
from sweep.trainers.program.definition import read_definition, yes_or_no
from sweep.trainers.program.program import ProgramKind
from sweep.trainers.program.testing.tested import check_test_program
from sweep.trainers.program.trainer import ProgramTask


class GivenFunction(ProgramTask):
    """A function as a trainer, as long as this process or a child of it lives."""

    def __init__(
        self,
        definition: Mapping[str, Any],
        surroundings: Mapping[str, Any],
        parcel: bytes,
        parts: Mapping[str, str],
    ) -> None:
        """Take what the study says, and the function as bytes with the hashes of its parts."""
        super().__init__(PYTHON.name, definition, surroundings)
        self._parcel, self._parts = parcel, parts

    def in_one_piece(self) -> Never:
        """Refuse pools that send a trainer to other machines."""
        raise DeviceError(
            f"{self.definition[GIVEN]} was given from Python and is sent to processes of this machine alone; "
            "use pool local, or put the function into a file and name it in a study file"
        )

    def new_starter(self) -> FunctionStarter:
        """Return what calls the function."""
        return FunctionStarter(self.definition, self.surroundings, self._parcel)

    def preflight(self, sources: Sequence[str]) -> Code:
        """Return the files that the function's modules are; refuse a function that no child can call."""
        here, start = Path(self.surroundings["here"]), Path(self.surroundings["start"])
        name = self.definition[GIVEN]
        return probe(name, folder=here, cwd=start, sources=sources, parcel=self._parcel).code

    def check_program(self, section: Mapping[str, Any]) -> Code:
        """Return the function's parts and files; refuse a function that no child can call."""
        code = super().check_program(section)
        return Code(files={**code.files, **self._parts}, commit=code.commit, is_dirty=code.is_dirty)


def trainer_of_function(function: Callable[..., Any], raw: Mapping[str, Any], here: Path) -> GivenFunction:
    """Return a function as a trainer.

    Args:
        function: Takes ``(config)`` or ``(config, report)``.
        raw: The values that a study file would have.
        here: The folder that a study file would be in.

    Raises:
        StudyFileError: With a line for each mistake.
    """
    name = name_of(function)
    raw = {**raw, GIVEN: name}
    definition, surroundings = read_definition(raw, here, PYTHON.defining, PYTHON.surrounding)
    check_test_program(definition, surroundings, raw)
    return GivenFunction(definition, surroundings, pack(function, name), hash_parts(function))


def _name(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise StudyFileError(f"{key} must be the name of a function, got {value!r}")
    return value


def _refuse(definition: Mapping[str, Any], *_: Any) -> Never:
    """Refuse to train a stored study whose function is not at hand."""
    raise UntrustedError(
        f"the function {definition[GIVEN]} was given from Python and is not stored; give it again there",
        key="function-not-stored",
    )


PYTHON = ProgramKind(
    name="python",
    defining={GIVEN: _name},
    surrounding={"fresh_process": yes_or_no},
    check=lambda definition, surroundings, raw: None,
    preflight=_refuse,
    starter=_refuse,
)
