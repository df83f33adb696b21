"""sweep: an honest hyperparameter sweep of a character-level MLP."""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep.api import load_study

__all__ = ["__version__", "load_study"]

# numpy's small products wait for threads that the trainers keep busy: a proposal of the sampler gp_cost took
# fifty times as long. The variable is read when numpy is loaded; whoever sets it keeps it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"

_HOMES = {"load_study": "sweep.api"}
"""What is loaded when it is first asked for, so that importing ``sweep`` stays cheap."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
