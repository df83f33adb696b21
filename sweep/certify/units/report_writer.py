"""Store the results on the dev units when a confirmation has ended; a report need not compute them again."""

import dataclasses

from sweep.certify.stored_confirmation import Confirmation
from sweep.certify.units.report import UnitReport
from sweep.certify.units.stored_report import KEY, origin_of, stored_unit_report
from sweep.definition.records import StudyRecord
from sweep.storage.database import Database
from sweep.storage.study_store import store_hidden


def store_unit_report(
    database: Database, study: StudyRecord, confirmation: Confirmation, report: UnitReport
) -> None:
    """Store the results on the dev units; equal ones are not written."""
    if report != stored_unit_report(database.open_read_only(), study, confirmation):
        value = {"of": origin_of(study, confirmation), "report": dataclasses.asdict(report)}
        store_hidden(database.open_for_writing(), study.name, KEY, value)
