"""The toy with a metric of its own, as an installed trainer would have one."""

from sweep.task import Metric
from tests.support.toy_task import ToyTask

JUDGED = ToyTask(metric=Metric(name="error", label="error", unit="points", matters=0.05))
