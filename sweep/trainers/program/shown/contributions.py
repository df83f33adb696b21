"""List what programs add to tables and advice."""

from sweep.reporting.contributions import Contributions

CONTRIBUTIONS = Contributions(exhibits="sweep.trainers.program.shown.exhibits:EXHIBITS")
