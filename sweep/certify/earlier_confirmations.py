"""Judge the confirmations of a study that came before its latest one.

Whoever confirms again with more seeds sees the earlier result beside the new one. So seeds that are added
until a result pleases are visible.
"""

import dataclasses
from collections.abc import Iterator

from sweep.certify.confirm_plan import ConfirmPlan
from sweep.certify.stored_confirmation import Confirmation
from sweep.certify.verdict import Verdict, judge
from sweep.definition.records import StudyRecord


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier confirmation and its result."""

    number: int
    """Number of its plan, from 1."""
    plan: ConfirmPlan
    verdict: Verdict
    is_finished: bool


def earlier_confirmations(study: StudyRecord, latest: Confirmation) -> Iterator[Earlier]:
    """Yield the earlier confirmations of a study, the first one first."""
    for number, values in enumerate(study.plans[: latest.number - 1], start=1):
        plan = ConfirmPlan.from_dict(values)
        confirmation = dataclasses.replace(latest, plan=plan, number=number)
        yield Earlier(
            number=number,
            plan=plan,
            verdict=judge(study, confirmation),
            is_finished=not confirmation.remaining,
        )
