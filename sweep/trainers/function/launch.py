"""The command line that starts one of our modules in a child that may import the user's code."""

import sys
from pathlib import Path

_ROOT = str(Path(__file__).parents[3])

_START = (
    "import sys, importlib; root, name = sys.argv[1:3]; del sys.argv[1:3]; "
    "root in sys.path or sys.path.append(root); importlib.import_module(name).main()"
)


def module_argv(module: str, *arguments: str) -> list[str]:
    """Return the command that calls ``main`` of a module of ours.

    ``-P`` keeps the working folder off ``sys.path`` until our modules are imported; the folder that ``sweep``
    is in comes last, since it may be one of a checkout or of installed packages.
    """
    return [sys.executable, "-P", "-c", _START, _ROOT, module, *arguments]
