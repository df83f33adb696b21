"""What programs add to tables and advice."""

from sweep.reporting.contributions import Contributions

CONTRIBUTIONS = Contributions(exhibits="sweep.tasks.program.shown.exhibits:EXHIBITS")
