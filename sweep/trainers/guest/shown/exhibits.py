"""Figures and sections of a guest's report."""

from sweep.reporting.exhibits import Exhibits

EXHIBITS = Exhibits()
