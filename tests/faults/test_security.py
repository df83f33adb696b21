"""What must not be in the product at all: ways in which what is read could run."""

import ast
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|DROP|CREATE|PRAGMA)\s")

RUNNING = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "code",
    "ctypes",
    "yaml",
}
"""Modules that run, or may run, what they read."""

CALLS = {
    *("eval", "exec", "compile", "__import__", "execfile"),
    *("torch.load", "torch.save", "torch.hub.load", "numpy.load", "np.load", "os.system", "os.popen"),
    *("safetensors.torch.load", "pandas.read_pickle", "pd.read_pickle", "mktemp", "tempfile.mktemp"),
}
"""Functions that do so. ``re.compile`` is another one."""

SAFE_SINCE = {"torch": (2, 10), "safetensors": (0, 3)}
"""First versions without known holes in what they load; ``weights_only`` had its last in torch 2.5."""


ALLOWED = {
    "code_cache.py": {"pickle"},
    "devices.py": {"ctypes"},
    "parcel.py": {"pickle", "cloudpickle"},
    "supervisor.py": {"ctypes"},
    "surroundings.py": {"ctypes"},
}
"""Numba's compiled code is a pickle. Its files are read only if this user owns them, nobody else can write
them, and their hash is right (``tests/trainers/mlp/compiled/test_code_cache.py``). The supervisor calls
prctl, and a function's host flushes what C libraries print; both call the C library by constant names.
Whether there may be a GPU shows in whether NVIDIA's driver library can be loaded, as torch loads it. A
function of a script or notebook goes to a child through a pipe that nobody else can write to, and is never
stored (``tests/trainers/function/given``)."""


def imported(tree: ast.AST) -> set[str]:
    """Return the first names of all imported modules."""
    names = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def called(tree: ast.AST) -> set[str]:
    """Return the functions that are called, as they are written."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.AST]:
    """Every module of the product, parsed."""
    return {path: ast.parse(path.read_text()) for path in (REPOSITORY / "sweep").rglob("*.py")}


def test_nothing_runs_what_it_reads(trees: dict[Path, ast.AST]) -> None:
    """No pickle but Numba's, eval, torch.load or shell; weights are read by safetensors alone."""
    assert len(trees) > 100
    found = {path: imported(tree) & RUNNING | called(tree) & CALLS for path, tree in trees.items()}
    assert {path.name: names for path, names in found.items() if names} == ALLOWED


def test_no_statement_is_put_together_from_text(trees: dict[Path, ast.AST]) -> None:
    """No SQL is an f-string, and no command is given to a shell."""
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                text = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
                assert not SQL.match(text), f"{path}: {text}"
            assert getattr(node, "arg", None) != "shell", path


@pytest.mark.parametrize("name", SAFE_SINCE)
def test_what_loads_weights_is_of_a_version_without_known_holes(name: str) -> None:
    """The floor in pyproject.toml is at or above it, and so is what is installed."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    (floor,) = (line for line in project["dependencies"] if line.startswith(f"{name}>="))
    for version in (floor.partition(">=")[2], importlib.metadata.version(name)):
        assert tuple(int(part) for part in version.split(".")[:2]) >= SAFE_SINCE[name]
