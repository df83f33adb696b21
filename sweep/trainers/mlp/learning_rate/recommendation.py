"""Recommend one learning rate of a range test, with the reason.

The rule is the one that ``auto`` uses; ``learning_rate.auto`` has the measurements that it rests on.
"""

import dataclasses
from collections.abc import Mapping

RULE = "minimum"
"""One of ``lr_suggestions.RULES``."""

CLOSE = 2.0
"""Factor within which a rate agrees with the recommended one; another seed mostly moves that by 1.4."""

REASON = (
    "the smoothed loss is lowest there, and every schedule lowers the rate later, so it needs no margin; "
    "measured on ten configurations, this rule had the lowest dev loss of the four in eight"
)

BUDGET = (
    "The test does not know how many steps you train: for a short training a rate up to three times as high "
    "may be better, for a long one a lower one."
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The learning rate to try first."""

    rate: float | None
    """None if the test says nothing."""
    reason: str
    flat: tuple[float, float] | None = None
    """The rates around it whose loss is within the noise between seeds; None if the test says nothing."""

    def sentence(self) -> str:
        """Return the recommendation in one sentence."""
        if self.rate is None:
            return f"No learning rate is recommended: {self.reason}."
        return (
            f"Recommended learning rate: {self.rate:.3g} (minimum): {self.reason}. {self._around()}{BUDGET}"
        )

    def _around(self) -> str:
        """Return the flat stretch as a sentence; empty if it is a single point."""
        low, high = self.flat or (0.0, 0.0)
        if low == high:
            return ""
        return f"From {low:.2g} to {high:.2g} the loss is as low within the noise between seeds. "


def recommend(
    suggestions: Mapping[str, tuple[float | None, str]], flat: tuple[float, float] | None = None
) -> Recommendation:
    """Return the recommendation among what each rule suggests.

    Args:
        suggestions: From ``range_curve.suggestions``.
        flat: From ``range_curve.flat_stretch``; None if the test has no curve.
    """
    rate, why = suggestions[RULE]
    if rate is None:
        return Recommendation(rate=None, reason=why)
    return Recommendation(rate=rate, reason=REASON, flat=flat)


def agrees(rate: float, recommended: float) -> bool:
    """Return whether a rate is as good as the recommended one, as far as a range test can tell.

    Examples:
        >>> agrees(0.1, 0.178), agrees(0.01, 0.178)
        (True, False)
    """
    return max(rate / recommended, recommended / rate) <= CLOSE
