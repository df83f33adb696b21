"""Name the folders in which a study's program runs and may write."""

from collections.abc import Mapping
from pathlib import Path

from sweep.values import Toml


class WorksInFolder:
    """A trainer whose program runs in the study's working folder, the key ``cwd``."""

    name: str
    surroundings: Mapping[str, Toml]

    @property
    def work_folder(self) -> Path | None:
        """The folder in which the program runs; None if it is the trial's own."""
        start, here, asked = (self.surroundings.get(key, ".") for key in ("start", "here", "cwd"))
        return None if "{dir}" in asked else Path(start, asked.replace("{here}", here))

    @property
    def work_folders(self) -> list[Path]:
        """The folder in which the study was started, the study file's folder, and the working folder."""
        folders = [Path(self.surroundings["start"]), Path(self.surroundings["here"])]
        return folders if self.work_folder is None else [*folders, self.work_folder]

    @property
    def own_folder(self) -> str:
        """How the program writes to the trial's folder, as advice to the user."""
        if self.name != "command":
            return 'write it below config.dir, or set cwd = "{dir}" in the study file'
        return (
            'set cwd = "{dir}" in the study file, with "{here}/" before the script in command, or write '
            '"{dir}/" before the file in the argument that names the output'
        )
