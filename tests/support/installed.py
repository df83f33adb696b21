"""Install the toy package as pip would: its module and its dist-info in one folder."""

import shutil
from pathlib import Path

SOURCE = Path(__file__).parent / "toy_package" / "slopes.py"

_METADATA = "Metadata-Version: 2.1\nName: slopes\nVersion: 1.0\n"
_ENTRY_POINTS = "[sweep.trainers]\nslope = slopes:SLOPE\nclimb = slopes:CLIMB\n"


def install_toys(folder: Path) -> Path:
    """Write the package; its trainers are found by name once the folder is on the path."""
    info = folder / "slopes-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(SOURCE, folder)
    (info / "METADATA").write_text(_METADATA)
    (info / "entry_points.txt").write_text(_ENTRY_POINTS)
    return folder
