"""Represent the contents of a table: the rows of a study, their number, and the terminal."""

import dataclasses

from sweep.definition.ranking import RANKED, Rows
from sweep.definition.records import StudyRecord


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """Rows to write down; every format takes one."""

    rows: Rows
    """From ``rank_trials``."""
    study: StudyRecord
    """What they are the rows of."""
    top: int | None = None
    """Show so many ranked rows; the other blocks then are one line each, or left out."""
    _: dataclasses.KW_ONLY
    width: int | None = None
    """Columns of the terminal; None, for a pipe, is as wide as the table needs."""
    colour: bool = False
    """Whether ANSI colours may be used."""

    @property
    def ranked(self) -> Rows:
        """The ranked rows, also those below ``top``."""
        return self.rows.where(lambda row: row["state"] == RANKED)

    @property
    def others(self) -> Rows:
        """The rows of the trials without a final loss."""
        return self.rows.where(lambda row: row["state"] != RANKED)
