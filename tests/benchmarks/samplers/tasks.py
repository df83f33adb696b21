"""The tasks, in two fixed halves.

The halves were chosen before any result was seen, with each family in both. Samplers are developed on
``DEVELOPMENT`` alone. ``HELD_OUT`` judges the finished ones: its tasks run, and their results are shown, only
if ``--held-out`` is given.
"""

from collections.abc import Callable, Mapping, Sequence

from tests.benchmarks.samplers.task import Task
from tests.benchmarks.samplers.tasks_mixint import mixint
from tests.benchmarks.samplers.tasks_names import names
from tests.benchmarks.samplers.tasks_sklearn import diabetes, digits
from tests.benchmarks.samplers.tasks_tables import hpobench, hpolib, nasbench201

DEVELOPMENT: Mapping[str, Callable[[], Task]] = {
    "slice": hpolib("slice_localization"),
    "naval": hpolib("naval_propulsion"),
    "vehicle": hpobench("vehicle"),
    "credit_g": hpobench("credit_g"),
    "cifar100": nasbench201("cifar100"),
    "f3-5d": mixint(3, 5),
    "f20-10d": mixint(20, 10),
    "digits": digits,
    "names": names,
}
"""Name -> what loads the task."""

HELD_OUT: Mapping[str, Callable[[], Task]] = {
    "protein": hpolib("protein_structure"),
    "parkinsons": hpolib("parkinsons_telemonitoring"),
    "kc1": hpobench("kc1"),
    "segment": hpobench("segment"),
    "imagenet16": nasbench201("imagenet"),
    "f3-10d": mixint(3, 10),
    "f20-5d": mixint(20, 5),
    "diabetes": diabetes,
}
"""The same for the half that no sampler is developed on."""

TASKS = {**DEVELOPMENT, **HELD_OUT}


def chosen(names: Sequence[str], held_out: bool) -> list[str]:
    """Return the named tasks; if none is named, the half that ``held_out`` chooses.

    Raises:
        SystemExit: If a held-out task is named without ``held_out``.
    """
    barred = [name for name in names if name in HELD_OUT and not held_out]
    if barred:
        raise SystemExit(f"{', '.join(barred)}: held out; give --held-out to judge a finished sampler")
    return list(names or (HELD_OUT if held_out else DEVELOPMENT))
