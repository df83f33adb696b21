"""What guests add to tables and advice."""

from sweep.reporting.contributions import Contributions

CONTRIBUTIONS = Contributions(exhibits="sweep.trainers.guest.shown.exhibits:EXHIBITS")
"""Sections that guests add to the report, and those that they leave out."""
