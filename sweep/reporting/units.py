"""Write values of a metric with their unit, name them, and word texts by the metric's direction."""

from collections.abc import Mapping

from sweep.definition.records import StudyRecord
from sweep.metric import MAXIMIZE, Metric

_LOWER_IS_BETTER = {
    "low": "low",
    "lower": "lower",
    "lowest": "lowest",
    "lowered": "lowered",
    "higher": "higher",
    "below": "below",
    "bottom": "bottom",
}
"""Words for better values of a minimised metric; ``higher`` alone is for worse ones."""

_HIGHER_IS_BETTER = {
    "low": "high",
    "lower": "higher",
    "lowest": "highest",
    "lowered": "raised",
    "higher": "lower",
    "below": "above",
    "bottom": "top",
}


def words_of(metric: Metric) -> Mapping[str, str]:
    """Return the words that replace the fields of a text: the metric's names, and words of its direction.

    Examples:
        >>> accuracy = Metric(name="acc", label="accuracy", direction="maximize")
        >>> "The {lowest} {noun} is best, {nouns} are {low}.".format(**words_of(accuracy))
        'The highest accuracy is best, values are high.'
    """
    direction = _HIGHER_IS_BETTER if metric.direction == MAXIMIZE else _LOWER_IS_BETTER
    return {
        **direction,
        "label": metric.label,
        "Label": _capitalised(metric.label, metric),
        "noun": metric.noun,
        "Noun": _capitalised(metric.noun, metric),
        "nouns": "losses" if metric.noun == "loss" else "values",
    }


def winner_name(study: StudyRecord) -> str:
    """Return what the first trial is called; with several objectives it is the best in the metric alone."""
    return (
        "winner" if study.cost is None else "trial with the {lowest} {label}".format(**words_of(study.metric))
    )


def _capitalised(text: str, metric: Metric) -> str:
    """Return a text with a capital letter; a name that the user gave the metric stays as it is."""
    return text if text == metric.name else text[:1].upper() + text[1:]


def with_unit(metric: Metric, value: float) -> str:
    """Return a value with four decimals and its unit.

    Examples:
        >>> with_unit(Metric(name="dev_loss", label="dev loss", unit="nats per character"), 2.1)
        '2.1000 nats per character'
        >>> with_unit(Metric(name="error", label="error"), 0.25)
        '0.2500'
    """
    return f"{value:.4f} {metric.unit}".rstrip()


def certified_label(metric: Metric) -> str:
    """Return the name of the mean over the certifying seeds, in which neither search nor choice took part.

    The value of a trial is the metric's ``label``; the value on the test split has ``test_label``.

    Examples:
        >>> certified_label(Metric(name="dev_loss", label="dev loss"))
        'certified dev loss'
    """
    return f"certified {metric.label}"


def test_label(metric: Metric) -> str:
    """Return the name of the value on the test split.

    Examples:
        >>> test_label(Metric(name="dev_loss", label="dev loss"))
        'test loss'
    """
    return f"test {metric.noun}"


def axis_title(metric: Metric) -> str:
    """Return the title of an axis of the metric.

    Examples:
        >>> axis_title(Metric(name="dev_loss", label="dev loss", unit="nats per character"))
        'dev loss, nats per character'
    """
    return f"{metric.label}, {metric.unit}" if metric.unit else metric.label


def difference_unit(metric: Metric) -> str:
    """Return the unit of a difference in prose; of a rate such as nats per character, the first part."""
    return metric.unit.partition(" per ")[0]
