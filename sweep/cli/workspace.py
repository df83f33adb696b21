"""What does a folder for sweeps hold at first?

The word list and the starter studies. They stand once in the source tree; a wheel carries them
in ``sweep/_starter``.
"""

from importlib import resources
from pathlib import Path

from sweep.errors import SweepError
from sweep.storage.database import machine_errors
from sweep.storage.files import write_atomically

STARTER_FILES = (
    "data/names.txt",
    "studies/quick.toml",
    "studies/names.toml",
    "studies/pareto.toml",
    "studies/tuning-log.toml",
)


def init_workspace(folder: Path) -> list[Path]:
    """Write the starter files into a folder; return them.

    Raises:
        SweepError: If one exists already, or the folder is something else; then nothing is written.
        MachineError: If one cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise SweepError(f"{folder} is not a folder; choose another place")
    targets = [folder / name for name in STARTER_FILES]
    for target in targets:
        if target.exists() or target.is_symlink():
            raise SweepError(f"{target} exists and is not overwritten; choose another folder")
    with machine_errors(folder):
        for name, target in zip(STARTER_FILES, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, _source().joinpath(name).read_bytes())
    return targets


def _source() -> Path:
    package = Path(str(resources.files("sweep")))
    inside = package / "_starter"
    return inside if inside.is_dir() else package.parent
