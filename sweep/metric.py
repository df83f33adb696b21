"""The number that a trial is judged by, and what else a trainer tells of a run.

Values are stored and shown as the trainer reports them. Whatever compares two of them first takes their loss
form (``as_loss``), in which lower is better.
"""

import dataclasses
import math

MINIMIZE, MAXIMIZE = "minimize", "maximize"

DIRECTIONS = (MINIMIZE, MAXIMIZE)
"""Whether the lowest or the highest value is best."""


def as_loss(direction: str, value: float) -> float:
    """Return a value as it is compared: lower is better. Applied twice, it gives the value back.

    Examples:
        >>> as_loss("minimize", 2.1), as_loss("maximize", 0.9)
        (2.1, -0.9)
    """
    return -value if direction == MAXIMIZE else value


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A whole number that a trainer tells of a run beside the metric, known before it is trained."""

    label: str
    """What stands at an axis: ``trainable parameters``."""
    unit: str = ""
    """What it counts: ``parameters``; empty for a pure number."""
    heading: str = ""
    """A shorter name above its column; empty for its own. It may break at an underscore."""
    is_cost: bool = False
    """Whether lower is better, so that a study may minimise it beside the metric."""
    is_abbreviated: bool = False
    """Whether a table in a terminal abbreviates it: ``6.4M``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """The number that a trial is judged by.

    Raises:
        ValueError: If the direction is none of ``DIRECTIONS``.
    """

    name: str
    """What a study file, messages and Optuna call it: ``dev_loss``."""
    label: str
    """What a reader sees: ``dev loss``."""
    key: str = "value"
    """Its column in tables for programs; the spread between seeds is ``<key>_sd``."""
    unit: str = ""
    """``nats per character``; empty for a pure number."""
    direction: str = MINIMIZE
    """One of ``DIRECTIONS``."""
    matters: float | None = None
    """The difference that matters, in the metric's unit; None if the trainer names none."""
    diverged: float | None = None
    """From here on, on the bad side, a run counts as diverged. A value that is not finite always does."""
    tolerance: float = 0.0
    """Largest difference that another engine, thread count or machine explains."""

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise ValueError(f"direction must be one of {', '.join(DIRECTIONS)}; got {self.direction!r}")

    @property
    def noun(self) -> str:
        """The label without the split that it names: ``loss`` for ``dev loss``."""
        return self.label.removeprefix("dev ")

    def as_loss(self, value: float) -> float:
        """Return a value, or a difference of two, as it is compared; see ``as_loss``."""
        return as_loss(self.direction, value)

    def has_diverged(self, value: float) -> bool:
        """Return whether a value is not finite, or reaches ``diverged``.

        Examples:
            >>> accuracy = Metric(name="accuracy", label="accuracy", direction="maximize", diverged=0.1)
            >>> [accuracy.has_diverged(value) for value in (0.9, 0.1, float("inf"))]
            [False, True, True]
        """
        if not math.isfinite(value):
            return True
        return self.diverged is not None and self.as_loss(value) >= self.as_loss(self.diverged)

    def has_diverged_in_training(self, loss: float) -> bool:
        """Return whether the training loss of a step explains a divergence.

        The bound is one of the metric, which compares with a training loss only if both are minimised.
        """
        return not math.isfinite(loss) if self.direction == MAXIMIZE else self.has_diverged(loss)
