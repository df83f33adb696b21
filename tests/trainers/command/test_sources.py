"""Which files of a command count as its code."""

from pathlib import Path
from typing import Any

import pytest

from sweep.errors import StudyFileError
from sweep.trainers.command.sources import command_code


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with scripts, a package and files that are none."""
    (tmp_path / "pkg").mkdir()
    for name, text in {
        "train.py": "import near\nfrom pkg import inner\nimport numpy\n",
        "near.py": "def late():\n    import later\n",
        "later.py": "",
        "alone.py": "",
        "go.sh": "python alone.py\n",
        "results.csv": "1\n",
        "pkg/__init__.py": "",
        "pkg/inner.py": "",
        "pkg/__main__.py": "from . import inner\n",
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def names(home: Path, *command: str, sources: tuple[str, ...] = (), **surroundings: Any) -> set[str]:
    """Return the files that count for a command that starts in ``home``."""
    around = {"here": str(home), "start": str(home), **surroundings}
    return set(command_code({"command": list(command)}, around, sources).files)


SCRIPT = {"train.py", "near.py", "later.py", "pkg/__init__.py", "pkg/inner.py"}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["python", "train.py", "{args}"], SCRIPT),
        (["python", "{here}/train.py", "{args}"], SCRIPT),
        (["torchrun", "--nproc=2", "train.py"], SCRIPT),
        (["python", "-m", "pkg", "{args}"], {"pkg/__main__.py", "pkg/__init__.py", "pkg/inner.py"}),
        (["python", "-m", "pkg.inner"], {"pkg/__init__.py", "pkg/inner.py"}),
        (["bash", "go.sh"], {"go.sh"}),
        (["./go.sh"], {"go.sh"}),
        (["python", "gone.py", "--out=results.csv", "results.csv"], set()),
        (["/usr/bin/env", "true"], set()),
    ],
)
def test_what_a_token_names_counts_with_its_imports(
    home: Path, command: list[str], expected: set[str]
) -> None:
    """Installed libraries, values and files that may be results do not count."""
    assert names(home, *command) == expected


def test_sources_add_what_no_token_names(home: Path) -> None:
    """A glob that finds nothing is refused by its key."""
    assert names(home, "bash", "go.sh", sources=("al*.py",)) == {"go.sh", "alone.py"}
    with pytest.raises(StudyFileError, match=r"data\.sources: 'x/\*' matches no file"):
        names(home, "bash", "go.sh", sources=("x/*",))


def test_a_script_is_found_from_a_trial_s_own_folder(home: Path) -> None:
    """With ``cwd = "{dir}"`` it is named by ``{here}``."""
    assert names(home, "python", "{here}/train.py", cwd="{dir}") == SCRIPT
