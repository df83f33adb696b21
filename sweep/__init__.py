"""sweep: an honest hyperparameter sweep."""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep.api.stored import load_study
    from sweep.api.training import confirm, plan, run

__all__ = ["__version__", "confirm", "load_study", "plan", "run"]

# numpy's small products wait for threads that the trainers keep busy: a proposal of the sampler gp_cost took
# fifty times as long. The variable is read when numpy is loaded; whoever sets it keeps it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"

_HOMES = {
    "confirm": "sweep.api.training",
    "load_study": "sweep.api.stored",
    "plan": "sweep.api.training",
    "run": "sweep.api.training",
}
"""What is loaded when it is first asked for, so that importing ``sweep`` stays cheap."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
