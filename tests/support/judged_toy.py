"""The toy with a metric of its own, as an installed trainer would have one."""

from toy_task import ToyTask

from sweep.task import Metric

JUDGED = ToyTask(metric=Metric(name="error", label="error", unit="points", matters=0.05))
