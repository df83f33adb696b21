"""Read the results on the dev units that ``report_writer`` stored when a confirmation ended.

They are used only for the trainings that they were computed from; anything else, damage included, computes
them again.
"""

import hashlib
import json

from sweep.certify.ensemble.record import Ensemble
from sweep.certify.stored_confirmation import Confirmation
from sweep.certify.study_data import StudyData
from sweep.certify.units.certainty import Certainty, Source
from sweep.certify.units.report import UnitReport, report_units
from sweep.certify.verdict import Verdict
from sweep.definition.plain import check_kind
from sweep.definition.records import StudyRecord
from sweep.storage.database import Database, Reader
from sweep.storage.study_reader import read_hidden
from sweep.task import HeldOut
from sweep.values import Json
from sweep.version import __version__

KEY = "sweep:unit_report"
"""System attribute of a study: a ``UnitReport`` and what it was computed from."""


def known_unit_report(
    study: StudyRecord, database: Database, confirmation: Confirmation, verdict: Verdict, data: StudyData
) -> UnitReport | None:
    """Return the stored results if they are those of these trainings, else compute them.

    Takes, returns and raises as ``report_units``.
    """
    stored = stored_unit_report(database.open_read_only(), study, confirmation)
    return stored or report_units(study, database, confirmation, verdict, data)


def stored_unit_report(reader: Reader, study: StudyRecord, confirmation: Confirmation) -> UnitReport | None:
    """Return the stored results on the dev units; None if there are none of these trainings."""
    stored = read_hidden(reader, study.name, KEY)
    try:
        if stored["of"] != origin_of(study, confirmation):
            return None
        return _from_dict(stored["report"], study)
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def origin_of(study: StudyRecord, confirmation: Confirmation) -> str:
    """Return a hash of everything that the results depend on."""
    trials = sorted((*job, trial.seal()) for job, trial in confirmation.trials.items())
    depends = [__version__, study.data_sha256, confirmation.plan.to_dict(), trials]
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()


def _from_dict(values: dict[str, Json], study: StudyRecord) -> UnitReport:
    """Return results from plain values; the unit and the direction are those of the study itself."""
    task = study.task
    if not isinstance(task, HeldOut):
        raise TypeError("the trainer holds out no units")
    taken = {
        **values,
        "unit": task.unit,
        "direction": study.direction,
        "unseen": {int(trial): loss for trial, loss in values["unseen"].items()},
        "lead": values["lead"] and tuple(values["lead"]),
        "certified": values["certified"] and _certainty(values["certified"]),
        "ensemble": values["ensemble"] and _ensemble(values["ensemble"]),
    }
    report = UnitReport(**taken)
    check_kind(report, UnitReport, KEY)
    return report


def _certainty(values: dict[str, Json]) -> Certainty:
    sources = {name: values[name] and Source(**values[name]) for name in ("seeds", "units", "both")}
    return Certainty(losses=tuple(values["losses"]), **sources)


def _ensemble(values: dict[str, Json]) -> Ensemble:
    return Ensemble(**{**values, "seeds": tuple(values["seeds"])})
