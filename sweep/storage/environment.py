"""Describe the versions and the machine that produce a result."""

import functools
import importlib.metadata
import os
import platform

from sweep.version import __version__

PACKAGES = ("torch", "numba", "numpy", "optuna", "optuna-dashboard", "pandas", "plotly", "sqlalchemy")


def describe_environment() -> dict[str, str]:
    """Return the versions of sweep, Python and the libraries, and the kind of machine."""
    return {
        "sweep": __version__,
        "python": platform.python_version(),
        **_versions(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "cores": str(os.cpu_count()),
    }


@functools.cache
def _versions() -> dict[str, str]:
    """Return the versions of the libraries, which are parsed from their metadata once per process."""
    return {package: importlib.metadata.version(package) for package in PACKAGES}
