"""Write values of a trainer's metric with their unit."""

from sweep.task import Metric


def with_unit(metric: Metric, value: float) -> str:
    """Return a value with four decimals and its unit.

    Examples:
        >>> with_unit(Metric(name="dev_loss", label="dev loss", unit="nats per character"), 2.1)
        '2.1000 nats per character'
        >>> with_unit(Metric(name="error", label="error"), 0.25)
        '0.2500'
    """
    return f"{value:.4f} {metric.unit}".rstrip()


def axis_title(metric: Metric) -> str:
    """Return what stands at an axis of the metric.

    Examples:
        >>> axis_title(Metric(name="dev_loss", label="dev loss", unit="nats per character"))
        'dev loss, nats per character'
    """
    return f"{metric.label}, {metric.unit}" if metric.unit else metric.label


def difference_unit(metric: Metric) -> str:
    """Return the unit of a difference in prose: of a rate, such as nats per character, the first part."""
    return metric.unit.partition(" per ")[0]
