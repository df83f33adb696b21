"""Build the command line that runs one of sweep's modules in a child that may import the user's code."""

import sys
from pathlib import Path

_ROOT = str(Path(__file__).parents[3])

_START = (
    "import sys, importlib; root, name = sys.argv[1:3]; del sys.argv[1:3]; "
    "root in sys.path or sys.path.append(root); importlib.import_module(name).main()"
)


def module_argv(module: str, *arguments: str) -> list[str]:
    """Return the command that calls ``main`` of one of sweep's modules.

    ``-P`` keeps the working folder off ``sys.path`` until sweep's modules are imported. The folder that
    contains ``sweep`` comes last, because it may contain other packages.
    """
    return [sys.executable, "-P", "-c", _START, _ROOT, module, *arguments]
