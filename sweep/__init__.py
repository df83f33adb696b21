"""sweep: an honest hyperparameter sweep."""

from __future__ import annotations

import importlib

from sweep.version import __version__

TYPE_CHECKING = False  # the name in typing, whose import takes most of the time that this one may take
if TYPE_CHECKING:
    from typing import Any

    from sweep.api.ablation import ablate
    from sweep.api.python_study import study
    from sweep.api.stored import load_study
    from sweep.api.training import confirm, plan, run
    from sweep.client import Pruned, Segment, Stopped, report
    from sweep.errors import SweepError

__all__ = [
    "Pruned",
    "Segment",
    "Stopped",
    "SweepError",
    "__version__",
    "ablate",
    "confirm",
    "load_study",
    "plan",
    "report",
    "run",
    "study",
]

_HOMES = {
    "Pruned": "sweep.client",
    "Segment": "sweep.client",
    "Stopped": "sweep.client",
    "SweepError": "sweep.errors",
    "ablate": "sweep.api.ablation",
    "confirm": "sweep.api.training",
    "load_study": "sweep.api.stored",
    "plan": "sweep.api.training",
    "report": "sweep.client",
    "run": "sweep.api.training",
    "study": "sweep.api.python_study",
}
"""What is loaded when it is first asked for, so that importing ``sweep`` stays cheap."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = getattr(importlib.import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
