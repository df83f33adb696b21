"""Find the source files of a command: those that its tokens name, and their imports.

Nothing is started or imported. Files named by a parameter's value, or loaded by a shell script or another
language, are not found; ``[data] sources`` names such files.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sweep.code import Code
from sweep.errors import MachineError, StudyFileError
from sweep.trainers.program.code import named_imports, read_code
from sweep.trainers.program.own_files import is_own
from sweep.values import Toml

SUFFIXES = frozenset({".py", ".sh", ".bash", ".r", ".jl", ".lua", ".pl", ".rb", ".js", ".ts", ".m"})
"""Suffixes of source files; other files may be data, or written by the program."""


def command_code(
    definition: Mapping[str, Toml], surroundings: Mapping[str, Toml], sources: Sequence[str]
) -> Code:
    """Return the source files of a command.

    Args:
        definition: With the tokens under ``command``.
        surroundings: With the folders ``here`` and ``start``, perhaps ``cwd``.
        sources: Globs of further files, relative to ``here``.

    Raises:
        StudyFileError: If a glob matches no file.
        MachineError: If a file cannot be read.
    """
    here, start = Path(surroundings["here"]), Path(surroundings["start"])
    cwd = _cwd(surroundings, here, start)
    roots = list(dict.fromkeys([cwd, start, here]))
    tokens = [str(token).replace("{here}", str(here)) for token in definition["command"]]
    found: set[Path] = set()
    for path in (*_named_files(tokens, cwd, roots), *_named_modules(tokens, roots)):
        is_python = path.suffix == ".py"
        found |= named_imports(path, [path.parent, *roots]) if is_python else {path}
    try:
        return read_code(found, folder=here, sources=sources)
    except ValueError as error:
        raise StudyFileError(f"data.{error}") from error
    except OSError as error:
        raise MachineError(f"{error.filename} cannot be read: {error.strerror}") from error


def _cwd(surroundings: Mapping[str, Toml], here: Path, start: Path) -> Path:
    """Return the working folder, or the start folder if each trial has its own working folder."""
    asked = surroundings.get("cwd", ".").replace("{here}", str(here))
    return start if "{dir}" in asked else Path(start, asked)


def _named_files(tokens: Sequence[str], cwd: Path, roots: Sequence[Path]) -> Iterator[Path]:
    for place, token in enumerate(tokens):
        path = Path(cwd, token.rpartition("=")[2])
        is_program = path.suffix.lower() in SUFFIXES or (place == 0 and "/" in token)
        is_below = any(path.is_relative_to(root) for root in roots)
        if is_program and is_below and path.is_file() and is_own(str(path)):
            yield path


def _named_modules(tokens: Sequence[str], roots: Sequence[Path]) -> Iterator[Path]:
    """Yield the files of the modules that ``-m`` names."""
    for option, name in itertools.pairwise(tokens):
        parts = name.split(".")
        if option == "-m" and all(part.isidentifier() for part in parts):
            for root in roots:
                place = root.joinpath(*parts)
                packages = [root.joinpath(*parts[:n], "__init__.py") for n in range(1, len(parts) + 1)]
                files = [place.with_name(f"{place.name}.py"), place / "__main__.py", *packages]
                yield from (path for path in files if path.is_file())
