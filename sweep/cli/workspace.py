"""Write the files that `sweep init` lays out; whatever exists is left as it is.

The word list and the starter studies are kept once in the source tree; a wheel carries them in
``sweep/_starter``. The function's skeleton is part of the package.
"""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from sweep.definition.editor_schema.document import SCHEMA_FILE, schema_text
from sweep.errors import SweepError
from sweep.storage.database import machine_errors
from sweep.storage.files import write_atomically

STARTER_FILES = (
    "data/names.txt",
    "studies/quick.toml",
    "studies/names.toml",
    "studies/deep.toml",
    "studies/pareto.toml",
    "studies/tuning-log.toml",
)

SKELETON = "trainers/function/skeleton"
"""Folder in the package."""

SKELETON_FILES = ("trainers.py", "study.toml")


def init_workspace(folder: Path) -> list[Path]:
    """Write the starter files and the schema into a folder; return them.

    Raises:
        SweepError: If one exists already, or the folder is something else; then nothing is written.
        MachineError: If one cannot be written.
    """
    contents = {folder / name: _source().joinpath(name).read_bytes() for name in STARTER_FILES}
    return _write_new(folder, _schema(folder / "studies") | contents, "name another DIR")


def init_function(folder: Path) -> list[Path]:
    """Write a function and its study into a folder; return them, the study last.

    Raises:
        SweepError: If one exists already, or the folder is something else; then nothing is written.
        MachineError: If one cannot be written.
    """
    skeleton = _package() / SKELETON
    contents = {folder / name: skeleton.joinpath(name).read_bytes() for name in SKELETON_FILES}
    return _write_new(folder, _schema(folder) | contents, "name another folder with -o DIR")


def write_study_file(path: Path, text: str) -> list[Path]:
    """Write a study file, and the schema beside it if there is none; return them, the study last.

    Raises:
        SweepError: If it exists already, or its name does not end in ``.toml``.
        MachineError: If it cannot be written.
    """
    if path.suffix != ".toml":
        raise SweepError(f"the name of a study file ends in .toml, got {path}")
    return _write_new(
        path.parent, _schema(path.parent) | {path: text.encode()}, "name another file with -o FILE.toml"
    )


def _schema(folder: Path) -> dict[Path, bytes]:
    """Return the schema that a folder lacks."""
    path = folder / SCHEMA_FILE
    return {} if path.exists() or path.is_symlink() else {path: schema_text().encode()}


def _write_new(folder: Path, contents: Mapping[Path, bytes], elsewhere: str) -> list[Path]:
    """Write files that do not exist yet, all or none; return their paths.

    ``elsewhere`` says in an error how to name another place.
    """
    if folder.exists() and not folder.is_dir():
        raise SweepError(f"{folder} is not a folder; {elsewhere}")
    for path in contents:
        if path.exists() or path.is_symlink():
            raise SweepError(f"{path} exists and is not overwritten; {elsewhere}")
    with machine_errors(folder):
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
    return list(contents)


def _package() -> Path:
    return Path(str(resources.files("sweep")))


def _source() -> Path:
    inside = _package() / "_starter"
    return inside if inside.is_dir() else _package().parent
