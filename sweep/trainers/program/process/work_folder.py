"""Name the folders in which a study's program runs and may write."""

from collections.abc import Mapping
from pathlib import Path

from sweep.task import WorkFolders
from sweep.values import Toml

_FUNCTION = 'write it below config.dir, or set cwd = "{dir}" in the study file'

_COMMAND = (
    'set cwd = "{dir}" in the study file, with "{here}/" before the script in command, or write "{dir}/" '
    "before the file in the argument that names the output"
)


def work_folders(kind: str, surroundings: Mapping[str, Toml]) -> WorkFolders:
    """Return the folders of a program, from the key ``cwd``, the study file's folder and that of the start.

    Args:
        kind: The kind of program, function or command.
        surroundings: Its settings.
    """
    start, here, asked = (surroundings.get(key, ".") for key in ("start", "here", "cwd"))
    runs_in = None if "{dir}" in asked else Path(start, asked.replace("{here}", here))
    written = [Path(start), Path(here), *([] if runs_in is None else [runs_in])]
    return WorkFolders(
        runs_in=runs_in,
        written=tuple(dict.fromkeys(written)),
        advice=_COMMAND if kind == "command" else _FUNCTION,
    )
