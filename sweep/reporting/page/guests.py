"""State the result, facts and next commands of a guest, a study that Optuna made without sweep."""

import shlex
from collections.abc import Mapping

from sweep.definition.pareto import hypervolume_of_many
from sweep.definition.ranking import RANKED, Rows
from sweep.definition.records import StudyRecord
from sweep.metric import as_loss
from sweep.reporting.evidence import Evidence
from sweep.reporting.table.columns import cell
from sweep.values import Params

MOST_OBJECTIVES = 3
"""Most objectives for which the hypervolume is computed; with more it takes too long."""

ONE_RUN = (
    "Each configuration ran once, and sweep knows no trainer for this study, so it cannot measure how much "
    "of the order is luck."
)


def ways_on(study: StudyRecord, address: str) -> list[str]:
    """Return the commands that take a guest over into a study of sweep's own.

    Args:
        study: The guest.
        address: URL of its database, without a password.
    """
    begin = shlex.join(["sweep", "init", "--from-optuna", study.name, "--storage", address])
    go_on = shlex.join(["sweep", "run", "new.toml", "--from", f"{study.name}@{address}"])
    return [f"{begin} -o new.toml", go_on]


def front_rows(rows: Rows) -> Rows:
    """Return the rows on the first Pareto front of a study of two or more objectives."""
    return rows.where(lambda row: row["state"] == RANKED and row["front"] == 1)


def guest_title(study: StudyRecord, rows: Rows, best: Params) -> str:
    """Return the result of a guest: its best trial, or the size of its front."""
    if study.cost is None:
        return f"Trial {best['trial']} is best: {study.metric.label} {cell('value', best['value'])}"
    ranked = rows.where(lambda row: row["state"] == RANKED)
    return f"{len(front_rows(rows)):,} of {len(ranked):,} complete trials are on the Pareto front"


def describe_guest_front(study: StudyRecord, rows: Rows) -> list[str]:
    """Return the best trial of each objective, and the hypervolume of the front."""
    ranked = rows.where(lambda row: row["state"] == RANKED)
    if study.cost is None or not len(ranked):
        return []
    columns = dict(zip(study.objectives, ("value", *study.objectives[1:]), strict=True))
    best = [_best_of(name, column, study.directions[name], ranked) for name, column in columns.items()]
    if len(study.objectives) > MOST_OBJECTIVES:
        return best
    points = [
        tuple(as_loss(study.directions[name], row[column]) for name, column in columns.items())
        for row in ranked.records
    ]
    reference = tuple(map(max, zip(*points, strict=True)))
    spoken = ", ".join(
        f"{name} {as_loss(study.directions[name], worst):.6g}"
        for name, worst in zip(columns, reference, strict=True)
    )
    front = [point for point, row in zip(points, ranked.records, strict=True) if row["front"] == 1]
    volume = hypervolume_of_many(front, reference)
    reference_point = f"reference point: the worst of each objective, {spoken}"
    return [*best, f"Hypervolume of the front: {volume:.6g} ({reference_point})."]


def _best_of(name: str, column: str, direction: str, ranked: Rows) -> str:
    row = min(ranked.records, key=lambda row: (as_loss(direction, row[column]), row["trial"]))
    return f"Best {name} ({direction}d): {cell('value', row[column])}, trial {row['trial']}."


def guest_facts(evidence: Evidence, times: Mapping[str, str], counts: str) -> dict[str, dict[str, str]]:
    """Return the stored facts of a guest: title -> name -> text.

    Args:
        evidence: Evidence of the guest.
        times: Start, end and duration of its trials.
        counts: Number of trials in each state.
    """
    study = evidence.study
    facts = {
        "Search": {
            "made by": "Optuna, without sweep",
            "database": evidence.address,
            **{f"{direction}d": name for name, direction in _by_direction(study).items()},
            "trials": counts,
            **times,
        },
        "Attributes of the study": {name: str(value) for name, value in study.data.items()},
    }
    return {title: entries for title, entries in facts.items() if entries}


def _by_direction(study: StudyRecord) -> dict[str, str]:
    """Return the objectives of each direction as one text -> direction."""
    groups: dict[str, list[str]] = {}
    for name, direction in study.directions.items():
        groups.setdefault(direction, []).append(name)
    return {", ".join(names): direction for direction, names in groups.items()}
