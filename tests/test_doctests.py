"""The examples in docstrings, of every module; each module can be imported."""

import doctest
import importlib
from pathlib import Path

import pytest

from tests.support.optional_modules import missing_library

SWEEP = Path(__file__).resolve().parents[1] / "sweep"
MODULES = sorted(
    ".".join(("sweep", *path.relative_to(SWEEP).with_suffix("").parts)).removesuffix(".__init__")
    for path in SWEEP.rglob("*.py")
    if path.name != "__main__.py"
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name: str) -> None:
    """Each prints what its docstring says."""
    if library := missing_library(name):
        pytest.skip(f"{library} is not installed")
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0


def test_examples_are_found() -> None:
    """Of nearly a hundred docstrings; were they not found, the test above would show nothing."""
    tests = [
        test
        for name in MODULES
        if not missing_library(name)
        for test in doctest.DocTestFinder().find(importlib.import_module(name))
    ]
    assert sum(bool(test.examples) for test in tests) > 90
