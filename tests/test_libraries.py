"""Versions of other libraries: which are accepted, and what happens when a private name is gone."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from sweep import libraries
from sweep.storage.database import optuna_schema

REPOSITORY = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
DECLARED = [
    *PROJECT["dependencies"],
    *(requirement for extra in PROJECT["optional-dependencies"].values() for requirement in extra),
]

WITHOUT = """
import sys
sys.modules["optuna.storages._rdb.models"] = None
from sweep.cli import main
sys.exit(main(sys.argv[1:]))
"""

COLUMNS = {
    "STUDIES": {"study_id", "study_name"},
    "DIRECTIONS": {"study_id"},
    "STUDY_ATTRS": {"study_id", "key", "value_json"},
    "STUDY_HIDDEN": {"study_id", "key", "value_json"},
    "TRIALS": {"trial_id", "number", "study_id", "state", "datetime_start", "datetime_complete"},
    "TRIAL_ATTRS": {"trial_id", "key", "value_json"},
    "TRIAL_HIDDEN": {"trial_id", "key", "value_json"},
    "PARAMS": {"trial_id", "param_name", "param_value", "distribution_json"},
    "VALUES": {"trial_id", "objective", "value", "value_type"},
    "REPORTS": {"trial_id", "step", "intermediate_value", "intermediate_value_type"},
}
"""What sweep reads and writes of each of Optuna's tables."""


def pinned() -> dict[str, str]:
    """Return the version of each library that constraints.txt names."""
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pins = (Requirement(line) for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


def test_each_pinned_library_takes_the_oldest_python_that_the_project_takes() -> None:
    """Of those installed here: a pin that needs a later patch release of Python stops the installation."""
    oldest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    pins = pinned()
    needs = {
        found.name: found.metadata.get("Requires-Python")
        for found in distributions()
        if pins.get(canonicalize_name(found.name)) == found.version
    }
    assert len(needs) > 50
    assert [name for name, python in needs.items() if oldest not in SpecifierSet(python or "")] == []


def test_each_library_with_private_names_is_required_as_declared() -> None:
    """The requirement in the message of a missing name is the one that pip installs by."""
    for requirement in (libraries.OPTUNA, libraries.NUMBA_CUDA, libraries.RAY):
        assert requirement in DECLARED
        assert {bound.operator for bound in Requirement(requirement).specifier} == {">=", "<"}


def test_the_dashboard_has_a_ceiling() -> None:
    """Notes, figures and files are stored in the form of one version of the dashboard."""
    (dashboard,) = [Requirement(line) for line in DECLARED if line.startswith("optuna-dashboard")]
    assert "<" in {bound.operator for bound in dashboard.specifier}


def test_the_tested_versions_are_accepted() -> None:
    """Every version in constraints.txt meets the requirement of the project."""
    pinned = dict(
        line.split("==") for line in (REPOSITORY / "constraints.txt").read_text().split("\n") if "==" in line
    )
    versions = {canonicalize_name(name): version for name, version in pinned.items()}
    for requirement in map(Requirement, DECLARED):
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement


@pytest.mark.parametrize("table", COLUMNS)
def test_optunas_tables_have_the_columns_that_sweep_uses(table: str) -> None:
    """A column that a newer Optuna renames fails here, by its name."""
    assert COLUMNS[table] <= {column.name for column in getattr(optuna_schema, table).columns}


def test_only_one_module_names_private_parts_of_optuna() -> None:
    """Every other module takes them from there; ruff's SLF001 refuses private attributes."""
    private = re.compile(r"optuna(\.\w+)*\._")
    naming = [path.name for path in (REPOSITORY / "sweep").rglob("*.py") if private.search(path.read_text())]
    assert naming == ["optuna_schema.py"]


@pytest.mark.parametrize("command", ["dashboard", "copy quick --to sqlite:///other.db"])
def test_a_private_name_that_is_gone_is_one_line(command: str, tmp_path: Path) -> None:
    """Without optuna.storages._rdb.models a command that writes names the version that it needs."""
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT, *command.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
    )
    assert run.returncode == 3
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    assert line.startswith("sweep: this sweep needs optuna 5.0, found ")
    assert line.endswith("pip install 'optuna>=5.0,<5.1'")


@pytest.mark.parametrize("error", [ImportError("no module"), AttributeError("no attribute")])
def test_a_library_that_is_not_installed_is_found_as_none(error: Exception) -> None:
    """The message says so where there is no version to name."""
    with (
        pytest.raises(libraries.LibraryError, match=r"needs no-such-library 1\.2, found none \(no "),
        libraries.private_names("no-such-library[all]>=1.2,<1.3"),
    ):
        raise error
