"""Describe the metric that ranks trials, and the other facts that a trainer reports about a run.

Values are stored and shown as the trainer reports them. Code that compares two values first converts them
with ``as_loss``, so that lower is better.
"""

import dataclasses
import math

MINIMIZE, MAXIMIZE = "minimize", "maximize"

DIRECTIONS = (MINIMIZE, MAXIMIZE)
"""``minimize`` if the lowest value is best, ``maximize`` if the highest is."""


def as_loss(direction: str, value: float) -> float:
    """Return a value as a loss, so that lower is better. Applying it twice returns the original value.

    Examples:
        >>> as_loss("minimize", 2.1), as_loss("maximize", 0.9)
        (2.1, -0.9)
    """
    return -value if direction == MAXIMIZE else value


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A number beside the metric that describes a run, such as its parameter count."""

    label: str
    """Axis label: ``trainable parameters``."""
    unit: str = ""
    """Unit: ``parameters``; empty for a pure number."""
    heading: str = ""
    """Column heading; empty to use the fact's name. Tables may wrap it at an underscore."""
    is_cost: bool = False
    """Whether it can be an objective beside the metric."""
    direction: str = MINIMIZE
    """Direction of the objective, one of ``DIRECTIONS``."""
    is_linear: bool = False
    """Whether differences count, so that it may be 0 or below; else ratios count, and it is above 0."""
    is_abbreviated: bool = False
    """Whether a table in a terminal abbreviates it: ``6.4M``."""

    def as_loss(self, value: float) -> float:
        """Return a value as a loss; see ``as_loss``."""
        return as_loss(self.direction, value)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """The number that ranks trials.

    Raises:
        ValueError: If the direction is none of ``DIRECTIONS``.
    """

    name: str
    """Its name in study files, messages and Optuna: ``dev_loss``."""
    label: str
    """Its name in reports: ``dev loss``."""
    key: str = "value"
    """Its column in machine-readable tables; the standard deviation over seeds is ``<key>_sd``."""
    unit: str = ""
    """``nats per character``; empty for a pure number."""
    direction: str = MINIMIZE
    """One of ``DIRECTIONS``."""
    matters: float | None = None
    """The smallest difference that matters, in the metric's unit; None if the trainer names none."""
    diverged: float | None = None
    """A run whose value is this bad or worse has diverged. A value that is not finite always has."""
    tolerance: float = 0.0
    """Largest difference that a change of engine, thread count or machine can cause."""

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise ValueError(f"direction must be one of {', '.join(DIRECTIONS)}; got {self.direction!r}")

    @property
    def noun(self) -> str:
        """The label without its split: ``loss`` for ``dev loss``."""
        return self.label.removeprefix("dev ")

    def as_loss(self, value: float) -> float:
        """Return a value, or a difference of two, as a loss; see ``as_loss``."""
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
        """Return whether the training loss of a step indicates divergence.

        ``diverged`` bounds the metric, so it applies to a training loss only if the metric is minimised.
        """
        return not math.isfinite(loss) if self.direction == MAXIMIZE else self.has_diverged(loss)
