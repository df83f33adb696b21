"""A plan of a confirmation, made by hand."""

from sweep.certify.confirm_plan import Candidate, ConfirmPlan, ConfirmSettings

WIDE = 3 * 2**32
"""The bound of the MLP's seeds."""


def plan(*costs: float, **settings: object) -> ConfirmPlan:
    """Return a plan with one candidate for each cost; its trial is ten times its place."""
    candidates = tuple(
        Candidate(trial=10 * place, estimate=2.0, search_loss=2.0, seconds=cost)
        for place, cost in enumerate(costs)
    )
    return ConfirmPlan(
        made="2026-01-01T00:00:00+00:00",
        fingerprint="5" * 64,
        trials_seen=60,
        candidates=candidates,
        settings=ConfirmSettings(**{"delta": 0.003, **settings}),  # type: ignore[arg-type]
    )
