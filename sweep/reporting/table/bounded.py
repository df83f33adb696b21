"""The figures that decide whether a trial is feasible, as columns of a table."""

from sweep.definition.ranking import figure_columns
from sweep.definition.records import StudyRecord
from sweep.task import bounds


def bounded_columns(study: StudyRecord) -> list[str]:
    """Return the columns of the figures that decide whether a trial is feasible."""
    return [column for column, name in figure_columns(study).items() if name in bounds(study.task)]
